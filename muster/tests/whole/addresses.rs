//! An e-mail address has one holder: taken, given up, given back, and wanted by many at once.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

use crate::deployment::{Deployment, eventually};
use crate::portal::{Portal, refused};

/// Requests that are on their way at once in the race.
const AT_ONCE: usize = 256;

async fn register(portal: &Portal, username: &str, email: &str) {
    let input = json!({ "username": username, "firstName": "A", "lastName": "B", "email": email });
    let answer = portal.nobody().must("registerUser", input, "accepted").await;
    assert_eq!(answer["accepted"], true, "everybody hears the same");
}

/// The user as administrators see them, once there is one.
async fn shown(administrator: &Portal, username: &str) -> Value {
    let query = "query($name: String!) { user(username: $name) { id state email version } }";
    let mut user = Value::Null;
    eventually("the user is shown", async || {
        user = administrator.ask(query, json!({ "name": username })).await["user"].clone();
        !user.is_null()
    })
    .await;
    user
}

async fn of_user(administrator: &Portal, name: &str, user: &Value, more: Value) -> Vec<String> {
    let mut input = more;
    input["userId"] = user["id"].clone();
    refused(&administrator.mutate(name, input, "").await)
}

/// Who holds an address, step by step.
pub(crate) async fn one_holder(deployment: Deployment) {
    let (name, temporary) = &deployment.administrator;
    let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
    let prepared = administrator.must("createGroup", json!({ "name": "staff" }), "group { id }").await;
    let group = prepared["group"]["id"].as_str().unwrap();
    let create = |username: &str, email: &str| {
        let input = json!({ "username": username, "groupId": group, "email": email });
        let administrator = administrator.clone();
        async move { refused(&administrator.mutate("createUser", input, "").await) }
    };

    register(&administrator, "alice", "shared@example.com").await;
    let alice = shown(&administrator, "alice").await;
    register(&administrator, "bob", "SHARED@example.com").await;
    let query = "{ auditLog(filter: { action: [\"RegisterUser\"] }) { nodes { targetName outcome } } }";
    eventually("administrators see the refused registration", async || {
        let entries = administrator.ask(query, json!({})).await["auditLog"]["nodes"].clone();
        entries.as_array().unwrap().iter().any(|entry| entry["targetName"] == "bob")
    })
    .await;
    let query = "{ user(username: \"bob\") { id } }";
    assert_eq!(administrator.ask(query, json!({})).await["user"], Value::Null);

    // A registration that nobody has looked at gives way to an administrator, an active user does not.
    assert_eq!(create("carol", "shared@example.com").await, [""; 0]);
    assert_eq!(shown(&administrator, "alice").await["email"], Value::Null);
    assert_eq!(shown(&administrator, "carol").await["email"], "shared@example.com");
    assert_eq!(create("dave", "Shared@example.com").await, ["email_taken@email"]);
    let change = json!({ "email": "shared@example.com" });
    assert_eq!(of_user(&administrator, "updateProfile", &alice, change.clone()).await, ["email_taken@email"]);

    // An address that its holder gives up is free at once.
    let carol = shown(&administrator, "carol").await;
    assert_eq!(
        of_user(&administrator, "updateProfile", &carol, json!({ "email": "carol@example.com" })).await,
        [""; 0]
    );
    assert_eq!(of_user(&administrator, "updateProfile", &alice, change.clone()).await, [""; 0]);
    assert_eq!(of_user(&administrator, "updateProfile", &alice, change).await, [""; 0]);

    // A rejected user holds none, and gets it back only if nobody has it meanwhile.
    assert_eq!(of_user(&administrator, "rejectUser", &alice, json!({ "reason": "unknown" })).await, [""; 0]);
    assert_eq!(create("dave", "shared@example.com").await, [""; 0]);
    assert_eq!(of_user(&administrator, "reconsiderUser", &alice, json!({})).await, ["email_taken@"]);
    let dave = shown(&administrator, "dave").await;
    assert_eq!(of_user(&administrator, "deleteUser", &dave, json!({})).await, [""; 0]);
    assert_eq!(of_user(&administrator, "reconsiderUser", &alice, json!({})).await, [""; 0]);
    assert_eq!(shown(&administrator, "alice").await["email"], "shared@example.com");

    whoever_is_no_administrator_learns_nothing(&deployment.portal, &administrator, group).await;
}

async fn whoever_is_no_administrator_learns_nothing(portal: &Portal, administrator: &Portal, group: &str) {
    let input =
        json!({ "username": "erin", "groupId": group, "email": "erin@example.com", "commandId": "erin" });
    let prepared = administrator.must("createUser", input.clone(), "temporaryPassword user { id }").await;
    let temporary = prepared["temporaryPassword"].as_str().unwrap();
    let erin = portal.settle("erin", temporary, "seven lamps along the pier").await;
    let wanted = json!({ "email": "carol@example.com" });
    assert_eq!(of_user(&erin, "updateProfile", &prepared["user"], wanted).await, ["not_applicable@email"]);

    // The same command again is the same command, although the user that it made holds the address by then.
    let again = administrator.must("createUser", input, "temporaryPassword user { username email }").await;
    assert_eq!(again["temporaryPassword"], Value::Null);
    assert_eq!(again["user"], json!({ "username": "erin", "email": "erin@example.com" }));
}

/// Registers every combination of some names and as many addresses at once. Each name and each address has one winner,
/// and nobody learns who it is.
pub(crate) async fn race(deployment: Deployment) {
    let sides = std::env::var("MUSTER_TEST_RACE").map_or(24, |sides| sides.parse::<usize>().unwrap());
    let (name, temporary) = &deployment.administrator;
    let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
    let pairs = sides * sides;
    // In an order in which neighbours share neither name nor address.
    let order = (0..pairs).map(|n| (n % sides, (n + n / sides) % sides));
    let attempts = order.map(|(name, address)| {
        let input = json!({
            "username": format!("racer-{name}"), "firstName": "A", "lastName": "B",
            "email": format!("racer-{address}@example.com"), "commandId": format!("pair-{name}-{address}"),
        });
        let nobody = deployment.portal.nobody();
        async move {
            let document = "mutation($input: RegisterUserInput!) { registerUser(input: $input) {
                accepted userErrors { code } } }";
            loop {
                let response = nobody.send(document, json!({ "input": input })).await;
                if response.get("errors").is_none() {
                    break response["data"]["registerUser"].clone();
                }
                // What a client would do: the same command again.
                let code = &response["errors"][0]["extensions"]["code"];
                assert!(*code == "UNAVAILABLE" || *code == "UNKNOWN_OUTCOME", "{response}");
            }
        }
    });
    let answers: Vec<Value> = stream::iter(attempts).buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(answers.len(), pairs);
    let same = json!({ "accepted": true, "userErrors": [] });
    assert!(answers.iter().all(|answer| *answer == same));

    let query = "query($after: String) { users(filter: { search: \"racer\" }, first: 100, after: $after) {
        nodes { username email } pageInfo { hasNextPage endCursor } } }";
    let mut users = Vec::new();
    eventually("every name has a user", async || {
        users.clear();
        let mut after = Value::Null;
        loop {
            let page = administrator.ask(query, json!({ "after": after })).await["users"].clone();
            users.extend(page["nodes"].as_array().unwrap().clone());
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        users.len() >= sides
    })
    .await;
    let distinct =
        |field: &str| users.iter().map(|user| user[field].to_string()).collect::<BTreeSet<_>>().len();
    assert_eq!((users.len(), distinct("username"), distinct("email")), (sides, sides, sides));
    let verified = deployment.run(&["log", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
}
