//! One role goes away and comes back, while the others go on.

use std::time::Duration;

use serde_json::{Value, json};

use crate::deployment::{Deployment, eventually};
use crate::portal::Portal;

async fn with_group(deployment: &Deployment) -> (Portal, String) {
    let (name, temporary) = &deployment.administrator;
    let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
    let prepared = administrator.must("createGroup", json!({ "name": "staff" }), "group { id }").await;
    let group = prepared["group"]["id"].as_str().unwrap().to_owned();
    (administrator, group)
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_wait_for_an_owner_that_was_killed_and_reads_go_on() {
    let Some(mut deployment) = Deployment::distributed().await else { return };
    let (administrator, group) = with_group(&deployment).await;
    deployment.kill_role("command-service");
    let shown = administrator.ask("{ group(name: \"staff\") { closed } }", json!({})).await;
    assert_eq!(shown["group"]["closed"], false);
    let names: Vec<String> = (0..8).map(|n| format!("user-{n}")).collect();
    let waiting: Vec<_> = names
        .iter()
        .map(|name| {
            let (administrator, input) =
                (administrator.clone(), json!({ "username": name, "groupId": group }));
            tokio::spawn(async move { administrator.must("createUser", input, "user { state }").await })
        })
        .collect();
    deployment.start_role("command-service").await;
    for task in waiting {
        assert_eq!(task.await.unwrap()["user"]["state"], "ACTIVE");
    }
    let verified = deployment.run(&["log", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_fails_while_command_services_are_restarted_one_after_another() {
    let Some(mut deployment) = Deployment::distributed().await else { return };
    let (administrator, group) = with_group(&deployment).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let (administrator, group, stopped) = (administrator.clone(), group.clone(), stopped.clone());
            tokio::spawn(async move {
                let mut created = 0;
                while !*stopped.borrow() {
                    let name = format!("user-{client}-{created}");
                    let input = json!({ "username": name, "groupId": group });
                    let prepared = administrator.must("createUser", input, "user { state }").await;
                    assert_eq!(prepared["user"]["state"], "ACTIVE");
                    created += 1;
                }
                created
            })
        })
        .collect();
    for _ in 0..3 {
        deployment.stop_one("command-service").await;
        deployment.start_role("command-service").await;
    }
    stop.send_replace(true);
    let mut created = 0;
    for client in clients {
        created += client.await.unwrap();
    }
    let query = "query($groups: [ID!]) { users(filter: { groupId: $groups }) { totalCount } }";
    let shown = administrator.ask(query, json!({ "groups": [group] })).await;
    assert_eq!(shown["users"]["totalCount"], created);
    let verified = deployment.run(&["log", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_while_the_projection_was_away_is_said_and_shown_later() {
    let Some(mut deployment) = Deployment::distributed().await else { return };
    let (administrator, group) = with_group(&deployment).await;
    deployment.kill_role("projection-service");
    let document = "mutation($input: CreateUserInput!) { createUser(input: $input) {
        temporaryPassword user { id } userErrors { code } } }";
    let input = json!({ "username": "alice", "groupId": group });
    let response = administrator.send(document, json!({ "input": input })).await;
    let payload = &response["data"]["createUser"];
    assert_eq!(payload["userErrors"], json!([]), "{response}");
    assert_eq!(payload["user"], Value::Null);
    assert_eq!(response["errors"][0]["extensions"]["code"], "NOT_YET_VISIBLE", "{response}");
    let temporary = payload["temporaryPassword"].as_str().unwrap().to_owned();
    deployment.start_role("projection-service").await;
    eventually("the user is shown", async || {
        administrator.ask("{ user(username: \"alice\") { state } }", json!({})).await["user"]["state"]
            == "ACTIVE"
    })
    .await;
    deployment.portal.settle("alice", &temporary, "seven lamps along the pier").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_check_that_cannot_know_never_says_yes() {
    let Some(mut deployment) = Deployment::distributed().await else { return };
    let (administrator, group) = with_group(&deployment).await;
    let input = json!({ "username": "alice", "groupId": group });
    let created = administrator.must("createUser", input, "user { id }").await;
    let input = json!({ "userId": created["user"]["id"], "name": "ci", "scopes": ["SFTP"] });
    let issued = administrator.must("issueAuthToken", input, "secret authToken { id }").await;
    let (token, secret) = (issued["authToken"]["id"].as_str().unwrap(), issued["secret"].as_str().unwrap());
    assert_eq!(administrator.verify("sftp", token, secret).await, 200);
    deployment.kill_role("projection-service");
    let begun = std::time::Instant::now();
    eventually("the check says that it can't know", async || {
        administrator.verify("sftp", token, secret).await == 503
    })
    .await;
    assert!(begun.elapsed() > Duration::from_secs(2), "views that were current a moment ago are good enough");
    deployment.start_role("projection-service").await;
    eventually("the check knows again", async || administrator.verify("sftp", token, secret).await == 200)
        .await;
}
