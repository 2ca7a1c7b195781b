//! What `User.actions` says beforehand is what the mutation then answers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::deployment::{Deployment, eventually};
use crate::portal::Portal;

const STATES: [&str; 5] = ["pending", "active", "suspended", "rejected", "deleted"];

/// Mutations that ask for nothing wrong, each with its action and what it needs beside the user.
fn mutations(group: &str) -> Vec<(&'static str, &'static str, Value)> {
    let rule = json!({ "upload": { "name": "send", "ackMode": "NONE" } });
    vec![
        ("APPROVE_USER", "approveUser", json!({ "groupId": group })),
        ("REJECT_USER", "rejectUser", json!({ "reason": "r" })),
        ("RECONSIDER_USER", "reconsiderUser", json!({})),
        ("SUSPEND_USER", "suspendUser", json!({ "reason": "r" })),
        ("REACTIVATE_USER", "reactivateUser", json!({})),
        ("DELETE_USER", "deleteUser", json!({})),
        ("UPDATE_PROFILE", "updateProfile", json!({ "firstName": "F" })),
        ("CHANGE_GROUP", "changeGroup", json!({ "groupId": group })),
        ("RESET_PASSWORD", "resetPassword", json!({})),
        ("EDIT_UFA_CONFIG", "editUfaConfig", json!({ "debug": true })),
        ("ADD_AGENT_RULE", "addAgentRule", json!({ "rule": rule })),
        ("CREATE_MAILBOX", "createMailbox", json!({ "name": "in" })),
        ("ISSUE_AUTH_TOKEN", "issueAuthToken", json!({ "name": "t", "scopes": ["SFTP"] })),
        ("GRANT_ROLE", "grantRole", json!({ "role": "ADMINISTRATOR" })),
        ("REVOKE_ROLE", "revokeRole", json!({ "role": "ADMINISTRATOR" })),
    ]
}

/// Tries every mutation on users in every state, on oneself, and without the right.
pub(crate) async fn said_beforehand(deployment: Deployment) {
    let (name, temporary) = &deployment.administrator;
    let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
    let made = administrator.must("createGroup", json!({ "name": "staff" }), "group { id }").await;
    let group = made["group"]["id"].as_str().unwrap();
    for state in STATES {
        for (number, mutation) in mutations(group).iter().enumerate() {
            let user = user_in(&administrator, group, state, &format!("{state}-{number}")).await;
            compare(&administrator, &user, mutation).await;
        }
    }
    let own = administrator.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].clone();
    for mutation in &mutations(group) {
        compare(&administrator, &own, mutation).await;
    }
    let input = json!({ "username": "carol", "groupId": group });
    let carol = administrator.must("createUser", input, "user { id } temporaryPassword").await;
    let password = carol["temporaryPassword"].as_str().unwrap();
    let portal = deployment.portal.settle("carol", password, "seven geese over still water").await;
    for mutation in &mutations(group) {
        compare(&portal, &carol["user"]["id"], mutation).await;
    }
}

/// A new user in this state.
async fn user_in(administrator: &Portal, group: &str, state: &str, name: &str) -> Value {
    if matches!(state, "pending" | "rejected") {
        let input = json!({ "username": name, "firstName": "F", "lastName": "L", "email": format!("{name}@b.example") });
        administrator.nobody().must("registerUser", input, "accepted").await;
        let mut found = Value::Null;
        eventually("the registration is shown", async || {
            let query = "query($name: String) { user(username: $name) { id } }";
            found = administrator.ask(query, json!({ "name": name })).await["user"]["id"].clone();
            !found.is_null()
        })
        .await;
        if state == "rejected" {
            administrator.must("rejectUser", json!({ "userId": found, "reason": "r" }), "").await;
        }
        return found;
    }
    let input = json!({ "username": name, "groupId": group });
    let user = administrator.must("createUser", input, "user { id }").await["user"]["id"].clone();
    match state {
        "suspended" => {
            administrator.must("suspendUser", json!({ "userId": user, "reason": "r" }), "").await;
        }
        "deleted" => {
            administrator.must("deleteUser", json!({ "userId": user }), "").await;
        }
        _ => {}
    }
    user
}

/// Asks what the portal's holder may do to the user, does it, and compares.
async fn compare(portal: &Portal, user: &Value, (action, mutation, more): &(&str, &str, Value)) {
    let query = "query($id: ID) { user(id: $id) { state actions { action allowed code } } }";
    let shown = portal.ask(query, json!({ "id": user })).await["user"].take();
    let said: BTreeMap<&str, &Value> = shown["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["action"].as_str().unwrap(), row))
        .collect();
    let said = said[action];
    assert_eq!(said["allowed"] == true, said["code"].is_null(), "{said}");
    let mut input = more.clone();
    input["userId"] = user.clone();
    let query = format!(
        "mutation($input: {}{}Input!) {{ done: {mutation}(input: $input) {{ userErrors {{ code }} }} }}",
        mutation[..1].to_uppercase(),
        &mutation[1..]
    );
    let answer = portal.send(&query, json!({ "input": input })).await;
    let refused = &answer["data"]["done"]["userErrors"][0]["code"];
    let failed = &answer["errors"][0]["extensions"]["code"];
    let answered = if failed.is_null() { refused } else { failed };
    assert_eq!(said["code"], *answered, "{action} of {}: {answer}", shown["state"]);
}
