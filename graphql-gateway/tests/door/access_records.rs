//! What the audit log hears besides events.

use std::time::Duration;

use domain::actor::Roles;
use event_log::Read;
use graphql_gateway::secrets::digest;
use log_model::{Stream, StreamPartition};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Door, id, user_row};

/// The keys and bodies of access records, once `enough` is satisfied.
async fn recorded(door: &Door, enough: impl Fn(&[(String, Value)]) -> bool) -> Vec<(String, Value)> {
    let mut follow = door.log.follow(vec![(StreamPartition::new(Stream::Access, 0), 0)]);
    let mut found = Vec::new();
    while !enough(&found) {
        let read =
            timeout(Duration::from_secs(10), follow.next()).await.expect("the record is written in time");
        if let Some(Read::Records(_, records)) = read {
            found.extend(records.into_iter().map(|recorded| {
                let body = recorded.record.body.as_deref().unwrap();
                (recorded.record.key.clone(), serde_json::from_slice(body).unwrap())
            }));
        }
    }
    found
}

#[tokio::test]
async fn registrations_beyond_the_limit_are_told_to_administrators_as_one_record() {
    let door = Door::open_with(&["--registrations-per-address=1/minute"]).await;
    let register = "mutation($input: RegisterUserInput!) { registerUser(input: $input) { accepted } }";
    for name in ["alice", "bob", "carol"] {
        let input = json!({ "username": name, "firstName": "A", "lastName": "B", "email": "a@b.example" });
        door.ask(None, register, json!({ "input": input })).await;
    }
    let count =
        |found: &[(String, Value)]| found.iter().filter_map(|(_, body)| body["count"].as_u64()).sum::<u64>();
    let found = recorded(&door, |found| count(found) >= 2).await;
    assert_eq!(count(&found), 2);
    let codes = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/codes.json");
    let codes: Value = serde_json::from_str(&std::fs::read_to_string(codes).unwrap()).unwrap();
    assert!(codes["refusals"].as_array().unwrap().contains(&json!("rate_limited")));
    for (_, body) in found {
        assert_eq!((&body["command"], &body["codes"]), (&json!("RegisterUser"), &json!(["rate_limited"])));
        assert_eq!(body.get("target"), None);
    }
}

#[tokio::test]
async fn a_denial_names_its_target_by_an_id_and_never_by_what_was_typed() {
    let door = Door::open().await;
    let token = door.signed_in("alice", Roles::BASE).await;
    let suspend =
        "mutation($input: SuspendUserInput!) { suspendUser(input: $input) { userErrors { code } } }";
    let bob = id("bob").to_string();
    for user in ["nobody\0", &bob] {
        let input = json!({ "input": { "userId": user, "reason": "x" } });
        let answer = door.ask(Some(&token), suspend, input).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
    let denials = |found: &[(String, Value)]| -> Vec<Value> {
        let bodies = found.iter().map(|(_, body)| body);
        bodies.filter(|body| body["command"] == "SuspendUser").map(|body| body["target"].clone()).collect()
    };
    let found = recorded(&door, |found| denials(found).len() >= 2).await;
    assert_eq!(denials(&found), [Value::Null, json!(bob)]);
}

#[tokio::test]
async fn a_delayed_attempt_on_a_name_that_nobody_has_is_recorded_under_its_digest() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    for name in ["alice", "norbert"] {
        for _ in 0..6 {
            door.sign_in(name, "not it").await;
        }
    }
    let delayed = |found: &[(String, Value)]| -> Vec<String> {
        let delayed = found.iter().filter(|(_, body)| body["reason"] == "delayed");
        delayed.map(|(key, _)| key.clone()).collect()
    };
    let found = recorded(&door, |found| delayed(found).len() >= 2).await;
    assert_eq!(delayed(&found), [id("alice").to_string(), digest("norbert")]);
}
