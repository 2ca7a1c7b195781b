//! Time travel in a whole deployment: by GraphQL, `muster user show` and `muster access report`.

use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::portal::Portal;

/// The time of the user's last event, as the history has it.
async fn last_change(administrator: &Portal, name: &str) -> String {
    let query = "query($name: String!) { user(username: $name) { history(first: 1) { nodes { time } } } }";
    let found = administrator.ask(query, json!({ "name": name })).await;
    found["user"]["history"]["nodes"][0]["time"].as_str().unwrap().to_owned()
}

/// A user comes in, is suspended and deleted. Each way to ask tells the state in between.
pub(crate) async fn as_it_was(deployment: Deployment) {
    let (name, temporary) = &deployment.administrator;
    let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
    let made = administrator.must("createGroup", json!({ "name": "north" }), "group { id }").await;
    let group = made["group"]["id"].as_str().unwrap().to_owned();
    let before = last_change(&administrator, name).await;
    let input = json!({ "username": "bob", "groupId": group, "firstName": "Bob" });
    let bob = administrator.must("createUser", input, "user { id } temporaryPassword").await;
    let bob_id = bob["user"]["id"].clone();
    let portal = deployment.portal.nobody();
    portal.settle("bob", bob["temporaryPassword"].as_str().unwrap(), "seven geese over still water").await;
    let active = last_change(&administrator, "bob").await;
    let input = json!({ "userId": bob_id, "reason": "on leave" });
    administrator.must("suspendUser", input, "user { id }").await;
    let suspended = last_change(&administrator, "bob").await;
    administrator.must("deleteUser", json!({ "userId": bob_id }), "").await;
    let deleted = last_change(&administrator, "bob").await;

    let query = "query($at: DateTime!) { userAsOf(username: \"bob\", at: $at) { state stateReason group firstName asOf } }";
    let ask = async |at: &str| administrator.ask(query, json!({ "at": at })).await["userAsOf"].take();
    assert_eq!(ask(&before).await, Value::Null);
    for (at, state, reason, group, first_name) in [
        (&active, "ACTIVE", Value::Null, json!("north"), json!("Bob")),
        (&suspended, "SUSPENDED", json!("on leave"), json!("north"), json!("Bob")),
        (&deleted, "DELETED", Value::Null, Value::Null, Value::Null),
    ] {
        let expected = json!({ "state": state, "stateReason": reason, "group": group, "firstName": first_name, "asOf": at });
        assert_eq!(ask(at).await, expected);
        let shown = deployment.run(&["user", "show", "bob", "--at", at, "--format", "json"]);
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap_or_else(|_| panic!("{shown:?}"));
        for field in ["state", "stateReason", "group", "firstName", "asOf"] {
            assert_eq!(shown[field], expected[field], "{shown}");
        }
    }

    let report = |arguments: &[&str]| {
        let output = deployment.run(&[&["access", "report"], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let head = "username,userId,group,roles,services\n";
    let id = bob_id.as_str().unwrap();
    let line = format!("bob,{id},north,USER,portal sftp mailbox gateway\n");
    assert_eq!(report(&["--at", &active, "--group", "north"]), format!("{head}{line}"));
    assert_eq!(report(&["--at", &suspended, "--group", "north"]), head);
    let all: Value = serde_json::from_str(&report(&["--at", &active, "--format", "json"])).unwrap();
    let names: Vec<_> =
        all.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect();
    assert_eq!(names, [name.as_str(), "bob"]);
    assert_eq!((&all[1]["password"], &all[1]["authTokens"]), (&json!(true), &json!([])));
    let none: Value =
        serde_json::from_str(&report(&["--at", "2001-01-01T00:00:00Z", "--format", "json"])).unwrap();
    assert_eq!(none, json!([]));

    let now = deployment.run(&["user", "show", "BOB"]);
    let text = String::from_utf8(now.stdout).unwrap();
    assert!(text.contains("state: DELETED\n") && text.contains("username: bob\n"), "{text}");
    for (arguments, code, named) in [
        (&["user", "show", "bob", "--at", &before][..], 1, "bob"),
        (&["user", "show", "nobody"], 1, "nobody"),
        (&["user", "show", "bob", "--at", "yesterday"], 2, "--at"),
        (&["access", "report"], 2, "--at"),
        (&["access", "report", "--at", &active, "--group", "south"], 1, "south"),
    ] {
        let refused = deployment.run(arguments);
        assert_eq!(refused.status.code(), Some(code), "{arguments:?}: {refused:?}");
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
}
