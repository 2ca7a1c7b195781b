//! Sign-in, the life of sessions, sign-out, change of password.

use std::time::Duration;

use domain::actor::Roles;
use domain::command::Answer;
use domain::refusal::{Code, Refusal};
use domain::user;
use domain::user::UserStatus;
use log_model::Position;
use read_model::apply::Batch;
use serde_json::{Value, json};

use crate::harness::{Door, PASSWORD, chosen, eventually, id, now, temporary, user_row};

const VIEWER: &str = "{ viewer { username roles } }";
const CHANGE: &str =
    "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code field } } }";

fn failed(payload: &Value) -> bool {
    payload["userErrors"][0]["code"] == "sign_in_failed" && payload["sessionToken"].is_null()
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn whoever_signs_in_is_the_viewer_until_they_sign_out() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    door.password("alice", chosen().await).await;
    let payload = door.sign_in("Alice", PASSWORD).await;
    assert_eq!(payload["viewer"]["username"], "alice");
    assert_eq!(payload["mustChangePassword"], false);
    assert!(payload["expiresAt"].is_string());
    let token = payload["sessionToken"].as_str().unwrap();
    assert_eq!(door.ask(Some(token), VIEWER, json!({})).await["data"]["viewer"]["roles"], json!(["USER"]));
    assert_eq!(door.ask(None, VIEWER, json!({})).await, json!({ "data": { "viewer": null } }));
    let out = door.ask(Some(token), "mutation { signOut { userErrors { code } } }", json!({})).await;
    assert_eq!(out["data"]["signOut"]["userErrors"], json!([]));
    let gone = door.ask(Some(token), VIEWER, json!({})).await;
    assert_eq!((code(&gone), &gone["data"]["viewer"]), ("UNAUTHENTICATED", &Value::Null));
    assert_eq!(code(&door.ask(Some("nonsense"), VIEWER, json!({})).await), "UNAUTHENTICATED");
}

#[tokio::test]
async fn every_failed_sign_in_looks_alike() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    door.password("alice", chosen().await).await;
    for (name, state) in [
        ("pending", UserStatus::Pending),
        ("suspended", UserStatus::Suspended),
        ("deleted", UserStatus::Deleted),
    ] {
        let mut row = user_row(&format!("{name}-one"), Roles::BASE);
        row.state = state;
        door.user(row).await;
        door.password(&format!("{name}-one"), chosen().await).await;
    }
    door.user(user_row("late", Roles::BASE)).await;
    door.password("late", temporary("Temporary-1", now() - Duration::from_secs(1))).await;
    let wrong = door.sign_in("alice", "not it").await;
    assert!(failed(&wrong));
    for (name, password) in [
        ("norbert", PASSWORD),
        ("no name at all", PASSWORD),
        ("pending-one", PASSWORD),
        ("suspended-one", PASSWORD),
        ("deleted-one", PASSWORD),
        ("late", "Temporary-1"),
        ("alice", ""),
    ] {
        assert_eq!(door.sign_in(name, password).await, wrong, "{name}");
    }
}

#[tokio::test]
async fn after_five_failures_even_the_right_password_waits() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    door.password("alice", chosen().await).await;
    for _ in 0..5 {
        assert!(failed(&door.sign_in("alice", "not it").await));
    }
    assert!(failed(&door.sign_in("alice", PASSWORD).await));
    // The delay is over after a second, and success forgets the failures.
    eventually(async || door.sign_in("alice", PASSWORD).await["sessionToken"].is_string().then_some(()))
        .await;
    assert!(failed(&door.sign_in("alice", "not it").await));
    assert!(door.sign_in("alice", PASSWORD).await["sessionToken"].is_string());
}

#[tokio::test]
async fn a_session_ends_with_its_password_and_its_user() {
    let door = Door::open().await;
    let token = door.signed_in("alice", Roles::BASE).await;
    let mut suspended = user_row("alice", Roles::BASE);
    suspended.state = UserStatus::Suspended;
    door.user(suspended).await;
    assert_eq!(code(&door.ask(Some(&token), VIEWER, json!({})).await), "UNAUTHENTICATED");
    door.user(user_row("alice", Roles::BASE)).await;
    // It stays ended after the reactivation.
    assert_eq!(code(&door.ask(Some(&token), VIEWER, json!({})).await), "UNAUTHENTICATED");
    let token = door.sign_in("alice", PASSWORD).await["sessionToken"].as_str().unwrap().to_owned();
    assert_eq!(code(&door.ask(Some(&token), VIEWER, json!({})).await), "none");
    let reset = domain::credential::Credential { kind: temporary("x", now()), version: 4 };
    let credentials = vec![(domain::credential::CredentialId::Password(id("alice")), reset)];
    door.apply(Batch { credentials, ..Batch::default() }).await;
    assert_eq!(code(&door.ask(Some(&token), VIEWER, json!({})).await), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_suspension_ends_every_session_even_those_that_nobody_uses_meanwhile() {
    let door = Door::open().await;
    let token = door.signed_in("alice", Roles::BASE).await;
    let administrator = door.administrator().await;
    let user = id("alice").to_string();
    let suspend =
        "mutation($input: SuspendUserInput!) { suspendUser(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "userId": user, "reason": "Left." } });
    let done = door.ask(Some(&administrator), suspend, input).await;
    assert_eq!(done["data"]["suspendUser"]["userErrors"], json!([]));
    assert_eq!(code(&door.ask(Some(&token), VIEWER, json!({})).await), "UNAUTHENTICATED");
    // A session that begins before the views show the suspension.
    let late = door.sign_in("alice", PASSWORD).await["sessionToken"].as_str().unwrap().to_owned();
    let mut suspended = user_row("alice", Roles::BASE);
    suspended.state = UserStatus::Suspended;
    door.user(suspended).await;
    let reactivate =
        "mutation($input: ReactivateUserInput!) { reactivateUser(input: $input) { userErrors { code } } }";
    let done = door.ask(Some(&administrator), reactivate, json!({ "input": { "userId": user } })).await;
    assert_eq!(done["data"]["reactivateUser"]["userErrors"], json!([]));
    door.user(user_row("alice", Roles::BASE)).await;
    assert_eq!(code(&door.ask(Some(&late), VIEWER, json!({})).await), "UNAUTHENTICATED");
    assert_eq!(code(&door.ask(Some(&administrator), VIEWER, json!({})).await), "none");
}

#[tokio::test]
async fn after_a_sign_out_the_rest_of_the_document_is_nobodys() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let document = "mutation { signOut { userErrors { code } } \
        createGroup(input: { name: \"north\" }) { userErrors { code } } }";
    let answer = door.ask(Some(&token), document, json!({})).await;
    assert_eq!(code(&answer), "UNAUTHENTICATED", "{answer}");
    assert!(door.owner.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_temporary_password_opens_a_session_that_can_only_change_it() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    door.password("alice", temporary("Temporary-1", now() + Duration::from_mins(1))).await;
    let payload = door.sign_in("alice", "Temporary-1").await;
    assert_eq!(payload["mustChangePassword"], true);
    let token = payload["sessionToken"].as_str().unwrap();
    assert_eq!(code(&door.ask(Some(token), VIEWER, json!({})).await), "none");
    let own = json!({ "input": { "userId": id("alice").to_string(), "debug": true } });
    let edit =
        "mutation($input: EditUfaConfigInput!) { editUfaConfig(input: $input) { userErrors { code } } }";
    for (query, variables) in
        [(edit, own), ("{ node(id: \"x\") { id } }", json!({})), ("{ users { nodes { id } } }", json!({}))]
    {
        assert_eq!(
            code(&door.ask(Some(token), query, variables).await),
            "PASSWORD_CHANGE_REQUIRED",
            "{query}"
        );
    }
    let change = json!({ "input": { "currentPassword": "Temporary-1", "newPassword": PASSWORD } });
    let changed = door.ask(Some(token), CHANGE, change).await;
    assert_eq!(changed["data"]["changePassword"]["userErrors"], json!([]));
    let command = door.owner.last();
    assert!(
        matches!(&command.ask, domain::command::Ask::User { id: user, command: user::Command::ChangePassword, .. } if *user == id("alice"))
    );
    assert!(matches!(
        command.prepared,
        Some(domain::decision_context::Prepared::ChosenPassword { checked: 3, .. })
    ));
    let now_full = door.ask(Some(token), "{ node(id: \"x\") { id } }", json!({})).await;
    assert_eq!(code(&now_full), "none");
}

#[tokio::test]
async fn changing_the_password_ends_the_other_sessions_and_asks_for_the_current_one() {
    let door = Door::open().await;
    let first = door.signed_in("alice", Roles::BASE).await;
    let second = door.sign_in("alice", PASSWORD).await["sessionToken"].as_str().unwrap().to_owned();
    let change = async |current: &str, new: &str| {
        let input = json!({ "input": { "currentPassword": current, "newPassword": new } });
        door.ask(Some(&second), CHANGE, input).await["data"]["changePassword"]["userErrors"].take()
    };
    let another = "some other sentence nobody says";
    assert_eq!(
        change("not it", another).await,
        json!([{ "code": "wrong_password", "field": ["currentPassword"] }])
    );
    assert_eq!(change(PASSWORD, "short").await, json!([{ "code": "too_short", "field": ["newPassword"] }]));
    let weak = json!([{ "code": "weak_password", "field": ["newPassword"] }]);
    assert_eq!(change(PASSWORD, "alice@example.org-1").await, weak);
    assert_eq!(change(PASSWORD, PASSWORD).await, weak);
    assert!(door.owner.asked.lock().unwrap().is_empty());
    door.owner.says(Ok(Answer::Refused(vec![Refusal::new(Code::StaleVersion, "Replaced.")])));
    assert_eq!(change(PASSWORD, another).await, json!([{ "code": "stale_version", "field": null }]));
    assert_eq!(code(&door.ask(Some(&first), VIEWER, json!({})).await), "none");
    assert_eq!(change(PASSWORD, another).await, json!([]));
    assert_eq!(code(&door.ask(Some(&first), VIEWER, json!({})).await), "UNAUTHENTICATED");
    assert_eq!(code(&door.ask(Some(&second), VIEWER, json!({})).await), "none");
}

#[tokio::test]
async fn a_password_of_lower_cost_is_stored_anew_at_the_next_sign_in() {
    let door = Door::open_with(&["--password-passes=3"]).await;
    door.user(user_row("alice", Roles::BASE)).await;
    door.password("alice", chosen().await).await;
    door.owner.says(Ok(crate::harness::accepted(Position::new())));
    assert!(door.sign_in("alice", PASSWORD).await["sessionToken"].is_string());
    let command = eventually(async || door.owner.asked.lock().unwrap().first().cloned()).await;
    assert!(matches!(command.ask, domain::command::Ask::User { command: user::Command::RehashPassword, .. }));
    assert_eq!(command.actor.user(), Some(id("alice")));
}
