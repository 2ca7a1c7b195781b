//! Deleting groups: only empty ones, however many enter at the same time, and a name is free afterwards.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::deployment::{Deployment, eventually};
use crate::portal::{Portal, refused};

/// How often fifty users and one deletion race.
const ROUNDS: usize = 6;
/// How many users enter the group in each of three ways.
const EACH: usize = 17;

/// Everything about one deletion after another, and many races.
pub(crate) async fn of_groups(deployment: Deployment) {
    let (name, temporary) = &deployment.administrator;
    let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
    deleted_and_made_again(&administrator).await;
    refused_while_somebody_is_in_it(&administrator).await;
    for round in 0..ROUNDS {
        races(&administrator, round, false).await;
    }
}

/// The same races while command services come and go.
#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_change_hands_let_nobody_into_a_deleted_group() {
    let Some(mut deployment) = Deployment::distributed().await else { return };
    let (name, temporary) = &deployment.administrator;
    let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
    for round in 0..ROUNDS {
        // One at a time: a race has somebody to ask, however slow the machine is.
        let restarting = async {
            deployment.stop_one("command-service").await;
            deployment.start_role("command-service").await;
        };
        join(races(&administrator, round, true), restarting).await;
    }
}

async fn prepared(administrator: &Portal, name: &str) -> String {
    let input = json!({ "name": name, "commandId": format!("make-{name}") });
    let prepared = insist(administrator, "createGroup", input, "group { id }").await;
    prepared["group"]["id"].as_str().unwrap().to_owned()
}

async fn delete(administrator: &Portal, input: Value) -> Value {
    administrator.mutate("deleteGroup", input, "deletedGroupId").await
}

async fn group(administrator: &Portal, id: &str) -> Value {
    let query = "query($id: ID!) { group(id: $id) { name closed version memberCount } }";
    administrator.ask(query, json!({ "id": id })).await["group"].take()
}

async fn deleted_and_made_again(administrator: &Portal) {
    let id = prepared(administrator, "staff").await;
    let stale = json!({ "groupId": id, "expectedVersion": 9 });
    assert_eq!(refused(&delete(administrator, stale).await), ["stale_version@"]);
    let input = json!({ "groupId": id, "commandId": "delete-staff", "expectedVersion": 1 });
    let deleted = json!({ "userErrors": [], "deletedGroupId": id });
    assert_eq!(delete(administrator, input.clone()).await, deleted);

    let query =
        "query($id: ID!) { group(id: $id) { id } byName: group(name: \"staff\") { id } node(id: $id) { id }
        groups(filter: { search: \"staff\" }) { totalCount }
        auditLog(filter: { targetId: $id }) { nodes { action targetName commandId } } }";
    let shown = administrator.ask(query, json!({ "id": id })).await;
    assert_eq!(
        (&shown["group"], &shown["byName"], &shown["node"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(shown["groups"]["totalCount"], 0);
    let last =
        json!({ "action": "muster.group.deleted", "targetName": "staff", "commandId": "delete-staff" });
    assert_eq!(shown["auditLog"]["nodes"][0], last);
    for mutation in ["closeGroup", "reopenGroup", "editGroup", "deleteGroup"] {
        let payload = administrator.mutate(mutation, json!({ "groupId": id }), "").await;
        assert_eq!(refused(&payload), ["unknown_group@groupId"], "{mutation}");
    }
    let input_of_one = json!({ "username": "early", "groupId": id });
    let payload = administrator.mutate("createUser", input_of_one.clone(), "").await;
    assert_eq!(refused(&payload), ["unknown_group@groupId"]);

    assert_eq!(prepared(administrator, "Staff").await, id);
    let anew = json!({ "name": "staff", "closed": false, "version": 4, "memberCount": 0 });
    assert_eq!(group(administrator, &id).await, anew);
    assert_eq!(delete(administrator, input).await, deleted, "the same command is answered the same");
    assert_eq!(group(administrator, &id).await, anew, "and deletes nothing again");
    administrator.must("createUser", input_of_one, "").await;
}

async fn refused_while_somebody_is_in_it(administrator: &Portal) {
    let id = prepared(administrator, "crew").await;
    let input = json!({ "username": "member", "groupId": id });
    let user = administrator.must("createUser", input, "user { id }").await["user"]["id"].clone();
    let payload = delete(administrator, json!({ "groupId": id, "commandId": "delete-crew" })).await;
    assert_eq!(refused(&payload), ["group_not_empty@groupId"]);
    assert_eq!(payload["deletedGroupId"], Value::Null);
    let suspend = json!({ "userId": user, "reason": "on leave" });
    administrator.must("suspendUser", suspend, "").await;
    let payload = delete(administrator, json!({ "groupId": id })).await;
    assert_eq!(refused(&payload), ["group_not_empty@groupId"], "a suspended user is in the group too");
    assert_eq!(group(administrator, &id).await["closed"], false);

    administrator.must("deleteUser", json!({ "userId": user }), "").await;
    administrator.must("closeGroup", json!({ "groupId": id }), "").await;
    // Tried again under the same id: what was refused has written nothing that would answer for it.
    let payload = delete(administrator, json!({ "groupId": id, "commandId": "delete-crew" })).await;
    assert_eq!(payload, json!({ "userErrors": [], "deletedGroupId": id }));
    let shown =
        administrator.ask("query($id: ID!) { user(id: $id) { state group { id } } }", json!({ "id": user }));
    assert_eq!(shown.await["user"], json!({ "state": "DELETED", "group": null }));
}

/// Either the deletion wins and nobody got in, or it is refused and everybody who got in is there.
async fn races(administrator: &Portal, round: usize, disturbed: bool) {
    let elsewhere = prepared(administrator, &format!("elsewhere-{round}")).await;
    let id = prepared(administrator, &format!("wanted-{round}")).await;
    let name = |way: &str, n: usize| format!("{way}-{round}-{n}");
    let prepared =
        (0..EACH).map(|n| prepare(administrator, name("moved", n), name("pending", n), &elsewhere));
    let prepared = join_all(prepared).await;
    let mut attempts: Vec<(&str, Value)> = Vec::new();
    for (n, (moved, pending)) in prepared.iter().enumerate() {
        attempts.push(("createUser", json!({ "username": name("created", n), "groupId": id })));
        attempts.push(("approveUser", json!({ "userId": pending, "groupId": id })));
        attempts.push(("changeGroup", json!({ "userId": moved, "groupId": id })));
    }
    // Some go before the deletion, in later rounds more of them. In every other round the rest comes when the group is closed.
    let behind = attempts.split_off(round / 2 * 2);
    let entering = |attempts: Vec<(&'static str, Value)>| {
        join_all(attempts.into_iter().map(|(mutation, input)| enter(administrator, mutation, input)))
    };
    let following = async {
        if round.is_multiple_of(2) {
            eventually("the group is closed, gone, or has members", async || {
                let shown = group(administrator, &id).await;
                shown["closed"] != false || shown["memberCount"] != 0
            })
            .await;
        }
        entering(behind).await
    };
    let input = json!({ "groupId": id, "commandId": format!("race-{round}") });
    let deletion = insist(administrator, "deleteGroup", input, "deletedGroupId");
    let (before, (payload, after)) = join(entering(attempts), join(deletion, following)).await;
    let entered = before.into_iter().chain(after).filter(|entered| *entered).count();

    let filter = json!({ "groupId": [id], "state": ["ACTIVE", "SUSPENDED", "PENDING"] });
    let query = "query($filter: UserFilter) { users(filter: $filter, first: 100) { nodes { username } } }";
    let shown = administrator.ask(query, json!({ "filter": filter })).await;
    assert_eq!(shown["users"]["nodes"].as_array().unwrap().len(), entered, "round {round}: {payload}");
    let mut left = group(administrator, &id).await;
    if disturbed && entered > 0 && left["closed"] == true {
        // There was no owner to open it again in time: the same command again does that.
        let input = json!({ "groupId": id, "commandId": format!("race-{round}") });
        assert_eq!(
            refused(&insist(administrator, "deleteGroup", input, "").await),
            ["group_not_empty@groupId"]
        );
        left = group(administrator, &id).await;
    }
    if entered == 0 {
        assert_eq!(payload, json!({ "userErrors": [], "deletedGroupId": id }), "round {round}");
        assert_eq!(left, Value::Null);
        eprintln!("round {round}: deleted");
    } else {
        assert_eq!(refused(&payload), ["group_not_empty@groupId"], "round {round}: {entered} entered");
        assert_eq!(
            (&left["closed"], &left["memberCount"]),
            (&json!(false), &json!(entered)),
            "round {round}"
        );
        eprintln!("round {round}: refused, {entered} of {} entered, version {}", 3 * EACH, left["version"]);
    }
}

/// A user of another group, and one who waits for approval; their ids.
async fn prepare(administrator: &Portal, moved: String, pending: String, group: &str) -> (Value, Value) {
    let input = json!({ "username": moved, "groupId": group, "commandId": format!("make-{moved}") });
    let moved = insist(administrator, "createUser", input, "user { id }").await["user"]["id"].take();
    let input = json!({ "username": pending, "firstName": "P", "lastName": "P", "email": format!("{pending}@p.example"),
                        "commandId": format!("make-{pending}") });
    insist(administrator, "registerUser", input, "accepted").await;
    let query = "query($name: String!) { user(username: $name) { id } }";
    let mut id = Value::Null;
    eventually("who registered is shown", async || {
        id = administrator.ask(query, json!({ "name": pending })).await["user"]["id"].take();
        !id.is_null()
    })
    .await;
    (moved, id)
}

/// Asks until it is answered, each time under the same id, as callers are told to.
async fn insist(administrator: &Portal, name: &str, input: Value, fields: &str) -> Value {
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ code field }} {fields} }} }}"
    );
    let mut answer = Value::Null;
    eventually("it is answered", async || {
        let mut response = administrator.send(&query, json!({ "input": input })).await;
        match response["errors"][0]["extensions"]["code"].as_str() {
            Some("UNAVAILABLE" | "UNKNOWN_OUTCOME") => return false,
            Some(_) => panic!("{name}: {response}"),
            None => answer = response["data"][name].take(),
        }
        true
    })
    .await;
    answer
}

/// Whether the user got into the group; else the group was closed or gone.
async fn enter(administrator: &Portal, mutation: &str, mut input: Value) -> bool {
    input["commandId"] =
        json!(format!("{mutation}-{}", input["username"].as_str().or(input["userId"].as_str()).unwrap()));
    let payload = insist(administrator, mutation, input, "").await;
    match refused(&payload).as_slice() {
        [] => true,
        [code] if code == "group_closed@groupId" || code == "unknown_group@groupId" => false,
        other => panic!("{mutation}: {other:?}"),
    }
}
