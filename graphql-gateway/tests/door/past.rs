//! Time travel: who may ask, what is a question, and users as they were.

use std::time::Duration;

use domain::actor::Roles;
use domain::group::GroupRef;
use domain::id::{GroupId, MailboxId, RuleId};
use domain::names::GroupName;
use domain::timestamp::Timestamp;
use domain::user::lifecycle::{Deleted, Suspended};
use domain::user::mailboxes::{MailboxCreated, MailboxDeleted};
use domain::user::onboarding::{Approved, Origin, Registered};
use domain::user::rules::{AgentRuleAdded, AgentRuleRemoved, DeliverPolicy, Download, Kind, Rule};
use domain::user::{Event, UserStatus};
use read_model::apply::Batch;
use read_model::user_spans::SpanRow;
use serde_json::{Value, json};

use crate::harness::{Door, id, user_row};

/// An instant before anybody existed, and this number of minutes.
fn minute(number: u64) -> Timestamp {
    Timestamp::parse("2026-03-01T00:00:00Z").unwrap() + Duration::from_mins(number)
}

fn north() -> GroupRef {
    GroupRef { id: GroupId::of(&GroupName::parse("north").unwrap()), name: "north".to_owned() }
}

/// The user registers in the minute with this number, and each later event happens a minute later.
async fn live(door: &Door, name: &str, first: u64, events: Vec<Event>) {
    let registered = Registered {
        username: name.to_owned(),
        origin: Origin::OneSelf,
        personal: domain::testing::personal(name),
    };
    let events: Vec<Event> = std::iter::once(registered.into()).chain(events).collect();
    let (mut state, mut group, last) = (UserStatus::Pending, None, events.len());
    let mut spans = Vec::new();
    for (event, sequence) in events.into_iter().zip(1..) {
        match event {
            Event::Approved(_) => (state, group) = (UserStatus::Active, Some(north().id)),
            Event::Suspended(_) => state = UserStatus::Suspended,
            Event::Deleted(_) => (state, group) = (UserStatus::Deleted, None),
            _ => {}
        }
        let (since, user_id) = (minute(first + sequence - 1), id(name));
        let until = (sequence < last as u64).then(|| minute(first + sequence));
        spans.push(SpanRow { user_id, sequence, since, until, time: since, state, group, event });
    }
    door.user(user_row(name, Roles::BASE)).await;
    door.apply(Batch { spans, ..Batch::default() }).await;
}

fn approved() -> Event {
    Approved { group: Some(north()) }.into()
}

fn suspended() -> Event {
    Suspended { reason: "left".to_owned() }.into()
}

fn code(answer: &Value) -> (&str, &str) {
    let error = &answer["errors"][0];
    (error["extensions"]["code"].as_str().unwrap_or("none"), error["message"].as_str().unwrap_or(""))
}

#[tokio::test]
async fn the_past_is_for_those_who_may_audit() {
    let door = Door::open().await;
    let (alice, ada) = (door.signed_in("alice", Roles::BASE).await, door.administrator().await);
    for query in [
        "{ userAsOf(username: \"alice\", sequence: 1) { username } }",
        "{ usersAsOf(at: \"2026-03-01T00:00:00Z\") { nodes { username } } }",
    ] {
        assert_eq!(code(&door.ask(None, query, json!({})).await).0, "UNAUTHENTICATED", "{query}");
        assert_eq!(code(&door.ask(Some(&alice), query, json!({})).await).0, "FORBIDDEN", "{query}");
        assert_eq!(code(&door.ask(Some(&ada), query, json!({})).await).0, "none", "{query}");
    }
}

#[tokio::test]
async fn a_question_that_is_none_is_refused_by_the_name_of_the_argument() {
    let door = Door::open().await;
    let ada = door.administrator().await;
    let many = vec!["\"x\""; 101].join(",");
    for (question, named) in [
        ("userAsOf(at: \"2026-03-01T00:00:00Z\") { sequence }", ["`id`", "`username`"]),
        ("userAsOf(id: \"x\", username: \"y\", sequence: 1) { sequence }", ["`id`", "`username`"]),
        ("userAsOf(username: \"ada\") { sequence }", ["`at`", "`sequence`"]),
        (
            "userAsOf(username: \"ada\", at: \"2026-03-01T00:00:00Z\", sequence: 1) { sequence }",
            ["`at`", "`sequence`"],
        ),
        ("userAsOf(username: \"ada\", sequence: 0) { sequence }", ["`sequence`", "1"]),
        ("userAsOf(username: \"ada\", sequence: -1) { sequence }", ["`sequence`", "1"]),
        ("usersAsOf(at: \"2026-03-01T00:00:00Z\", first: 101) { totalCount }", ["`first`", "100"]),
        ("usersAsOf(at: \"2026-03-01T00:00:00Z\", after: \"x\") { totalCount }", ["cursor", "list"]),
        (
            &format!(
                "usersAsOf(at: \"2026-03-01T00:00:00Z\", filter: {{ groupId: [{many}] }}) {{ totalCount }}"
            ),
            ["`filter.groupId`", "100"],
        ),
    ] {
        let answer = door.ask(Some(&ada), &format!("{{ {question} }}"), json!({})).await;
        let (code, message) = code(&answer);
        assert_eq!(code, "BAD_REQUEST", "{question}: {answer}");
        assert!(named.iter().all(|name| message.contains(name)), "{question}: {message}");
    }
    let wrong =
        door.ask(Some(&ada), "{ userAsOf(username: \"ada\", at: \"yesterday\") { sequence } }", json!({}));
    assert_eq!(wrong.await["data"], Value::Null);
}

#[tokio::test]
async fn a_user_is_shown_as_of_any_instant_and_any_event() {
    let door = Door::open().await;
    let ada = door.administrator().await;
    live(&door, "bob", 10, vec![approved(), suspended(), Deleted {}.into()]).await;
    let ask = async |arguments: &str| {
        let query = format!(
            "{{ userAsOf(username: \"BOB\", {arguments}) {{ userId state stateReason group firstName roles \
             mailboxes sequence asOf ufaConfig {{ maxJobs version }} }} }}"
        );
        door.ask(Some(&ada), &query, json!({})).await["data"]["userAsOf"].take()
    };
    let at = |minutes: u64| format!("at: \"{}\"", minute(minutes));
    assert_eq!(ask(&at(9)).await, Value::Null);
    let pending = ask(&at(10)).await;
    let shown = json!({
        "userId": id("bob").to_string(), "state": "PENDING", "stateReason": null, "group": null, "firstName": "First",
        "roles": ["USER"], "mailboxes": ["default"], "sequence": 1, "asOf": minute(10).to_string(),
        "ufaConfig": { "maxJobs": 100, "version": 1 },
    });
    assert_eq!(pending, shown);
    assert_eq!(ask("sequence: 1").await, shown);
    let (suspended, now) = (ask("sequence: 3").await, ask(&at(1_000_000)).await);
    assert_eq!((&suspended["stateReason"], &suspended["group"]), (&json!("left"), &json!("north")));
    assert_eq!(suspended["asOf"], minute(12).to_string());
    assert_eq!((&now["state"], &now["firstName"]), (&json!("DELETED"), &Value::Null));
    assert_eq!(ask("sequence: 5").await, Value::Null);
    let nobody = "{ a: userAsOf(username: \"nobody\", sequence: 1) { state } b: userAsOf(id: \"x\", sequence: 1) { state } }";
    assert_eq!(door.ask(Some(&ada), nobody, json!({})).await, json!({ "data": { "a": null, "b": null } }));
}

#[tokio::test]
async fn the_users_of_an_instant_are_listed_page_by_page() {
    let door = Door::open().await;
    let ada = door.administrator().await;
    live(&door, "carl", 0, vec![]).await;
    live(&door, "bob", 0, vec![approved(), suspended()]).await;
    live(&door, "dora", 2, vec![approved(), Deleted {}.into()]).await;
    live(&door, "early", 3, vec![]).await;
    let ask = async |minutes: u64, more: &str| {
        let at = minute(minutes);
        let query = format!(
            "{{ usersAsOf(at: \"{at}\"{more}) {{ nodes {{ username state asOf }} totalCount totalCountCapped \
             pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        door.ask(Some(&ada), &query, json!({})).await["data"]["usersAsOf"].take()
    };
    let names = |list: &Value| -> Vec<String> {
        let nodes = list["nodes"].as_array().unwrap_or_else(|| panic!("{list}")).iter();
        nodes.map(|node| node["username"].as_str().unwrap().to_owned()).collect()
    };
    // Since minutes 0 and 2, and two since minute 3.
    let all = ask(3, "").await;
    assert_eq!(names(&all)[..2], ["carl", "bob"]);
    assert_eq!((&all["totalCount"], &all["totalCountCapped"]), (&json!(4), &json!(false)));
    assert_eq!(all["nodes"][0]["asOf"], minute(3).to_string());
    let first = ask(3, ", first: 1").await;
    assert_eq!((names(&first), &first["pageInfo"]["hasNextPage"]), (vec!["carl".to_owned()], &json!(true)));
    let cursor = first["pageInfo"]["endCursor"].as_str().unwrap();
    assert_eq!(names(&ask(3, &format!(", after: \"{cursor}\"")).await).len(), 3);
    let north = format!(", filter: {{ groupId: [\"{}\"] }}", north().id);
    assert_eq!(names(&ask(0, &north).await), [""; 0]);
    assert_eq!(names(&ask(3, &north).await), ["bob", "dora"]);
    assert_eq!(names(&ask(9, &north).await), ["bob"]);
    assert_eq!(names(&ask(9, ", filter: { state: [DELETED, SUSPENDED] }").await), ["bob", "dora"]);
    assert_eq!(names(&ask(9, ", filter: { groupId: [\"x\"] }").await), [""; 0]);
}

#[tokio::test]
async fn a_rule_of_the_past_shows_its_mailbox_that_is_gone_since() {
    let door = Door::open().await;
    let ada = door.administrator().await;
    let (name, mailbox_id) = ("orders".to_owned(), MailboxId::of(id("bob"), "orders"));
    let created =
        MailboxCreated { mailbox_id, name: name.clone(), description: Some("What comes".to_owned()) };
    let download = Download {
        mailbox: name.clone(),
        deliver_policy: DeliverPolicy::New,
        start_time: None,
        download_path: "./in".to_owned(),
        max_files: 20,
    };
    let rule_id = RuleId::of(id("bob"), "fetch");
    let rule = Rule {
        id: rule_id,
        name: "fetch".to_owned(),
        active: true,
        poll_interval: 300,
        subscribers: 5,
        kind: Kind::Download(download),
    };
    let events = vec![
        approved(),
        created.into(),
        AgentRuleAdded { rule }.into(),
        AgentRuleRemoved { rule_id, name: "fetch".to_owned() }.into(),
        MailboxDeleted { mailbox_id, name }.into(),
    ];
    live(&door, "bob", 0, events).await;
    let query = "query($n: Int!) { userAsOf(username: \"bob\", sequence: $n) { mailboxes agentRules { name \
        ... on DownloadRule { mailbox { description createdAt } topic } } } }";
    let then = door.ask(Some(&ada), query, json!({ "n": 4 })).await["data"]["userAsOf"].take();
    let mailbox = json!({ "description": "What comes", "createdAt": minute(2).to_string() });
    let rule = json!({ "name": "fetch", "mailbox": mailbox, "topic": "amps.mailbox.bob.orders" });
    assert_eq!(then, json!({ "mailboxes": ["default", "orders"], "agentRules": [rule] }));
    let now = door.ask(Some(&ada), query, json!({ "n": 6 })).await["data"]["userAsOf"].take();
    assert_eq!(now, json!({ "mailboxes": ["default"], "agentRules": [] }));
}
