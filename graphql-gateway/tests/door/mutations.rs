//! Mutations: inputs become commands, and the owner's answers become payloads.

use domain::actor::{Actor, Role, Roles};
use domain::command::{Answer, Ask, Failure};
use domain::decision_context::Prepared;
use domain::patch::Patch;
use domain::refusal::{Code, Refusal};
use domain::user::{self, Command};
use log_model::Position;
use serde_json::{Value, json};

use crate::harness::{Door, accepted, id, unseen, user_row};

const APPROVE: &str = "mutation($input: ApproveUserInput!) { approveUser(input: $input) { \
    userErrors { code field } user { username } temporaryPassword expiresAt } }";
const REGISTER: &str = "mutation($input: RegisterUserInput!) { registerUser(input: $input) { \
    accepted userErrors { code field } } }";
const EDIT: &str = "mutation($input: EditUfaConfigInput!) { editUfaConfig(input: $input) { \
    userErrors { code field } user { username } ufaConfig { maxJobs } } }";

fn registration(username: &str) -> Value {
    json!({ "input": { "username": username, "firstName": "A", "lastName": "B", "email": "a@b.example" } })
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn f34_a_failed_field_leaves_the_others() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let group = door.group("north").await;
    let create = |name: &str| {
        format!(
            "createUser(input: {{ username: \"{name}\", groupId: \"{group}\" }}) {{ temporaryPassword userErrors {{ code }} }}"
        )
    };
    let several = format!(
        "mutation {{ a: {} s: signOut {{ userErrors {{ code }} }} b: {} }}",
        create("alice"),
        create("bob")
    );
    let answer = door.ask(Some(&token), &several, json!({})).await;
    assert!(answer["data"]["a"]["temporaryPassword"].is_string(), "{answer}");
    assert_eq!(answer["data"]["s"]["userErrors"], json!([]), "{answer}");
    assert_eq!(answer["data"]["b"], json!(null), "{answer}");
    assert_eq!(answer["errors"][0]["path"], json!(["b"]), "{answer}");
    let alice = door.signed_in("carol", Roles::BASE).await;
    for list in ["users", "groups", "auditLog"] {
        let query = format!("{{ viewer {{ username }} {list} {{ nodes {{ id }} }} }}");
        let answer = door.ask(Some(&alice), &query, json!({})).await;
        assert_eq!(answer["data"], json!({ "viewer": { "username": "carol" }, list: null }), "{answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    }
}

#[tokio::test]
async fn a_command_carries_who_asks_from_where_and_what_the_gateway_made() {
    let door = Door::open_with(&["--trusted-proxies=127.0.0.0/8"]).await;
    let token = door.administrator().await;
    door.user(user_row("bob", Roles::BASE)).await;
    let group = door.group("north").await;
    let input = json!({ "userId": id("bob").to_string(), "groupId": group.to_string(), "commandId": "c-1", "expectedVersion": 3 });
    let body = json!({ "query": APPROVE, "variables": { "input": input } });
    let request = door
        .post(&body)
        .bearer_auth(token)
        .header("x-request-id", "r-1")
        .header("x-forwarded-for", "192.0.2.7");
    let answer: Value = request.header("user-agent", "portal/1").send().await.unwrap().json().await.unwrap();
    let payload = &answer["data"]["approveUser"];
    assert_eq!(payload["userErrors"], json!([]));
    assert_eq!(payload["user"]["username"], "bob");
    let shown = payload["temporaryPassword"].as_str().unwrap();
    let command = door.owner.last();
    assert_eq!((command.id.as_str(), command.correlation_id.as_str()), ("c-1", "r-1"));
    let roles = Roles::BASE.with(Role::Administrator);
    assert_eq!(command.actor, Actor::User { id: id("ada"), name: "ada".to_owned(), roles });
    assert_eq!(command.client.address.as_deref(), Some("192.0.2.7"));
    assert_eq!(command.client.agent.as_deref(), Some("portal/1"));
    let Ask::User { id: of, expected_version: Some(3), command: Command::ApproveUser(approve) } =
        &command.ask
    else {
        panic!("{:?}", command.ask)
    };
    assert_eq!((*of, approve.group_id), (id("bob"), group));
    let Some(Prepared::TemporaryPassword { digest, .. }) = command.prepared else {
        panic!("no password was made")
    };
    assert_eq!(digest, graphql_gateway::secrets::digest(shown));
}

#[tokio::test]
async fn a_refusal_is_data_with_the_path_of_its_field() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let refusal = Refusal::new(Code::OutOfRange, "Too many.").at("maxJobs");
    door.owner.says(Ok(Answer::Refused(vec![refusal])));
    let input = json!({ "input": { "userId": id("ada").to_string(), "maxJobs": 0 } });
    let answer = door.ask(Some(&token), EDIT, input).await;
    let expected = json!({ "userErrors": [{ "code": "out_of_range", "field": ["maxJobs"] }], "user": null, "ufaConfig": null });
    assert_eq!(answer, json!({ "data": { "editUfaConfig": expected } }));
}

#[tokio::test]
async fn an_id_that_can_not_be_one_names_nothing() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let group = door.group("north").await;
    let own = id("ada").to_string();
    for (mutation, input, expected, field) in [
        ("approveUser", json!({ "userId": "x", "groupId": group.to_string() }), "unknown_user", "userId"),
        ("approveUser", json!({ "userId": own, "groupId": "x" }), "unknown_group", "groupId"),
        ("closeGroup", json!({ "groupId": own }), "unknown_group", "groupId"),
        ("deleteGroup", json!({ "groupId": own }), "unknown_group", "groupId"),
        (
            "deleteGroup",
            json!({ "groupId": group.to_string(), "commandId": "a b" }),
            "invalid_format",
            "commandId",
        ),
        ("removeAgentRule", json!({ "userId": own, "ruleId": "x" }), "unknown_rule", "ruleId"),
        ("deleteMailbox", json!({ "userId": own, "mailboxId": "x" }), "unknown_mailbox", "mailboxId"),
        ("revokeAuthToken", json!({ "userId": own, "authTokenId": "x" }), "unknown_token", "authTokenId"),
        (
            "suspendUser",
            json!({ "userId": own, "reason": "x", "commandId": "a b" }),
            "invalid_format",
            "commandId",
        ),
    ] {
        let ty = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!(
            "mutation($input: {ty}!) {{ {mutation}(input: $input) {{ userErrors {{ code field }} }} }}"
        );
        let answer = door.ask(Some(&token), &query, json!({ "input": input })).await;
        let errors = &answer["data"][mutation]["userErrors"];
        assert_eq!(*errors, json!([{ "code": expected, "field": [field] }]), "{mutation}: {answer}");
    }
    assert!(door.owner.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn absent_keeps_and_null_clears() {
    let door = Door::open().await;
    let token = door.signed_in("alice", Roles::BASE).await;
    let input = json!({ "input": { "userId": id("alice").to_string(), "logFile": null, "maxJobs": 5 } });
    door.ask(Some(&token), EDIT, input).await;
    let Ask::User { command: Command::EditUfaConfig(edit), .. } = door.owner.last().ask else { panic!() };
    assert_eq!((edit.debug, edit.log_file, edit.max_jobs), (Patch::Keep, Patch::Clear, Patch::Set(5)));
}

#[tokio::test]
async fn what_was_accepted_and_is_not_yet_visible_is_null_with_an_error_at_its_path() {
    let door = Door::open().await;
    let token = door.administrator().await;
    door.user(user_row("bob", Roles::BASE)).await;
    let group = door.group("north").await;
    door.owner.says(Ok(accepted(unseen())));
    let input = json!({ "input": { "userId": id("bob").to_string(), "groupId": group.to_string() } });
    let answer = door.ask(Some(&token), APPROVE, input).await;
    let payload = &answer["data"]["approveUser"];
    assert_eq!((&payload["userErrors"], &payload["user"]), (&json!([]), &Value::Null));
    assert!(payload["temporaryPassword"].is_string() && payload["expiresAt"].is_string());
    assert_eq!(code(&answer), "NOT_YET_VISIBLE");
    assert_eq!(answer["errors"][0]["path"], json!(["approveUser", "user"]));
}

#[tokio::test]
async fn a_repeated_command_is_accepted_and_shows_no_secret() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let again = Answer::Accepted { version: 7, position: Position::new(), repeated: true };
    door.owner.says(Ok(again));
    let group = door.group("north").await;
    let input = json!({ "input": { "userId": id("ada").to_string(), "groupId": group.to_string(), "commandId": "c" } });
    let payload = door.ask(Some(&token), APPROVE, input).await["data"]["approveUser"].take();
    assert_eq!(payload["user"]["username"], "ada");
    assert_eq!((&payload["temporaryPassword"], &payload["expiresAt"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_failure_is_an_error_with_a_code() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let input = json!({ "input": { "userId": id("ada").to_string() } });
    for (failure, expected) in [
        (Failure::Unavailable { retry_after_ms: 250 }, "UNAVAILABLE"),
        (Failure::UnknownOutcome, "UNKNOWN_OUTCOME"),
    ] {
        door.owner.says(Err(failure));
        let answer = door.ask(Some(&token), EDIT, input.clone()).await;
        assert_eq!((code(&answer), &answer["data"]), (expected, &json!({ "editUfaConfig": null })));
        let retry = &answer["errors"][0]["extensions"]["retryAfterMs"];
        assert_eq!(*retry == json!(250), expected == "UNAVAILABLE");
    }
}

#[tokio::test]
async fn what_is_not_the_callers_to_ask_is_forbidden_before_an_owner_hears_of_it() {
    let door = Door::open().await;
    let token = door.signed_in("alice", Roles::BASE).await;
    door.user(user_row("bob", Roles::BASE)).await;
    let other = json!({ "input": { "userId": id("bob").to_string() } });
    let nobody = json!({ "input": { "userId": "nobody" } });
    let approve = json!({ "input": { "userId": id("bob").to_string(), "groupId": "x" } });
    for (query, variables) in [(EDIT, other.clone()), (EDIT, nobody), (APPROVE, approve)] {
        assert_eq!(code(&door.ask(Some(&token), query, variables).await), "FORBIDDEN");
    }
    assert_eq!(code(&door.ask(None, EDIT, other).await), "UNAUTHENTICATED");
    assert!(door.owner.asked.lock().unwrap().is_empty());
    door.owner.says(Ok(Answer::Forbidden));
    let own = json!({ "input": { "userId": id("alice").to_string() } });
    assert_eq!(code(&door.ask(Some(&token), EDIT, own).await), "FORBIDDEN");
}

#[tokio::test]
async fn a_registration_tells_what_is_wrong_with_it_and_never_who_exists() {
    let door = Door::open_with(&["--registrations-per-address=off"]).await;
    let register =
        async |variables: Value| door.ask(None, REGISTER, variables).await["data"]["registerUser"].take();
    let yes = json!({ "accepted": true, "userErrors": [] });
    assert_eq!(register(registration("alice")).await, yes);
    assert_eq!(door.owner.last().actor, Actor::Anonymous);
    let taken = Refusal::new(Code::NameTaken, "Taken.").at("username");
    door.owner.says(Ok(Answer::Refused(vec![taken])));
    assert_eq!(register(registration("alice")).await, yes);
    let sent = door.owner.asked.lock().unwrap().len();
    let wrong = json!({ "input": { "username": "a b", "firstName": "", "lastName": "B", "email": "x" } });
    let expected = json!({ "accepted": false, "userErrors": [
        { "code": "invalid_format", "field": ["username"] },
        { "code": "required", "field": ["firstName"] },
        { "code": "invalid_format", "field": ["email"] },
    ] });
    assert_eq!(register(wrong).await, expected);
    assert_eq!(door.owner.asked.lock().unwrap().len(), sent);
}

#[tokio::test]
async fn one_address_registers_so_often_at_most() {
    let door = Door::open_with(&["--registrations-per-address=2/minute"]).await;
    for expected in ["none", "none", "RATE_LIMITED"] {
        let answer = door.ask(None, REGISTER, registration("alice")).await;
        assert_eq!(code(&answer), expected);
        assert_eq!(answer["errors"][0]["extensions"]["retryAfterMs"].is_u64(), expected == "RATE_LIMITED");
    }
}

#[tokio::test]
async fn every_field_of_a_wrong_creation_is_named_at_once() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let create = "mutation($input: CreateUserInput!) { createUser(input: $input) { userErrors { code field } user { id } } }";
    let input = json!({ "input": { "username": "root", "groupId": "x", "email": "x" } });
    let answer = door.ask(Some(&token), create, input).await;
    let expected = json!([
        { "code": "reserved", "field": ["username"] },
        { "code": "invalid_format", "field": ["email"] },
        { "code": "unknown_group", "field": ["groupId"] },
    ]);
    assert_eq!(answer["data"]["createUser"]["userErrors"], expected);
}

#[tokio::test]
async fn rules_are_asked_for_by_kind_with_their_defaults() {
    let door = Door::open().await;
    let token = door.signed_in("alice", Roles::BASE).await;
    let add = "mutation($input: AddAgentRuleInput!) { addAgentRule(input: $input) { userErrors { code } rule { name } } }";
    let rule = json!({ "download": { "name": "in", "mailbox": "default" } });
    door.ask(Some(&token), add, json!({ "input": { "userId": id("alice").to_string(), "rule": rule } }))
        .await;
    let Ask::User { command: Command::AddAgentRule(rule), .. } = door.owner.last().ask else { panic!() };
    assert_eq!((rule.name.as_str(), rule.active, rule.poll_interval, rule.subscribers), ("in", true, 300, 5));
    let user::rules::NewKind::Download(download) = rule.kind else { panic!() };
    assert_eq!((download.download_path.as_str(), download.max_files), ("./downloads", 20));
    assert_eq!(download.deliver_policy, user::rules::DeliverPolicy::New);
}
