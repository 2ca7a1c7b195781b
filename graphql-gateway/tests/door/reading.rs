//! Queries: who may see what, paging, and the viewer.

use domain::actor::Roles;
use domain::id::RuleId;
use domain::user::rules::{AckMode, DeliverPolicy, Download, Entry, Kind, Rule, Upload};
use read_model::apply::Batch;
use serde_json::{Value, json};

use crate::harness::{Door, id, in_group, user_row};

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn lists_are_for_administrators() {
    let door = Door::open().await;
    let token = door.signed_in("alice", Roles::BASE).await;
    for list in ["users", "groups", "auditLog"] {
        let query = format!("{{ {list} {{ nodes {{ id }} }} }}");
        assert_eq!(code(&door.ask(Some(&token), &query, json!({})).await), "FORBIDDEN", "{list}");
        assert_eq!(code(&door.ask(None, &query, json!({})).await), "UNAUTHENTICATED", "{list}");
    }
    let administrator = door.administrator().await;
    for list in ["users", "groups", "auditLog"] {
        let query = format!("{{ {list} {{ nodes {{ id }} pageInfo {{ hasNextPage }} }} }}");
        assert_eq!(code(&door.ask(Some(&administrator), &query, json!({})).await), "none", "{list}");
    }
}

#[tokio::test]
async fn somebody_else_is_nobody_to_a_user_and_somebody_to_an_administrator() {
    let door = Door::open().await;
    let alice = door.signed_in("alice", Roles::BASE).await;
    let administrator = door.administrator().await;
    let north = door.group("north").await;
    let south = door.group("south").await;
    door.user(in_group(user_row("alice", Roles::BASE), north, "north")).await;
    door.user(user_row("bob", Roles::BASE)).await;
    for (query, own) in [
        ("{ found: user(username: \"ALICE\") { id } }".to_owned(), true),
        (format!("{{ found: user(id: \"{}\") {{ id }} }}", id("alice")), true),
        (format!("{{ found: node(id: \"{}\") {{ id }} }}", id("alice")), true),
        (format!("{{ found: group(id: \"{north}\") {{ id }} }}"), true),
        ("{ found: user(username: \"bob\") { id } }".to_owned(), false),
        (format!("{{ found: user(id: \"{}\") {{ id }} }}", id("bob")), false),
        (format!("{{ found: node(id: \"{}\") {{ id }} }}", id("bob")), false),
        ("{ found: group(name: \"south\") { id } }".to_owned(), false),
        (format!("{{ found: node(id: \"{south}\") {{ id }} }}"), false),
    ] {
        let answer = door.ask(Some(&alice), &query, json!({})).await;
        assert_eq!((code(&answer), answer["data"]["found"].is_object()), ("none", own), "{query}");
        let answer = door.ask(Some(&administrator), &query, json!({})).await;
        assert!(answer["data"]["found"].is_object(), "{query}: {answer}");
    }
    for query in ["{ user { id } }", "{ group { id } }", "{ user(id: \"x\", username: \"y\") { id } }"] {
        assert_eq!(code(&door.ask(Some(&alice), query, json!({})).await), "BAD_REQUEST", "{query}");
    }
    let unknown =
        door.ask(Some(&alice), "{ user(id: \"x\") { id } node(id: \"y\") { id } }", json!({})).await;
    assert_eq!(unknown, json!({ "data": { "user": null, "node": null } }));
}

#[tokio::test]
async fn users_are_paged_both_ways_and_counted() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let group = door.group("north").await;
    for name in ["bob", "carol", "dave"] {
        door.user(in_group(user_row(name, Roles::BASE), group, "north")).await;
    }
    let query = "query($first: Int, $after: String, $last: Int, $before: String, $order: UserOrder, $filter: UserFilter) { \
        users(first: $first, after: $after, last: $last, before: $before, orderBy: $order, filter: $filter) { \
        nodes { username group { name } } edges { cursor } \
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let page = async |variables: Value| {
        let mut answer = door.ask(Some(&token), query, variables).await;
        assert_eq!(code(&answer), "none", "{answer}");
        answer["data"]["users"].take()
    };
    let names = |page: &Value| {
        page["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["username"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = page(json!({ "first": 2 })).await;
    assert_eq!(names(&first), ["ada", "bob"]);
    assert_eq!(first["nodes"][1]["group"]["name"], "north");
    assert_eq!(
        (&first["pageInfo"]["hasNextPage"], &first["pageInfo"]["hasPreviousPage"]),
        (&json!(true), &json!(false))
    );
    let second = page(json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(names(&second), ["carol", "dave"]);
    let back = page(json!({ "last": 1, "before": second["pageInfo"]["startCursor"] })).await;
    assert_eq!(names(&back), ["bob"]);
    let descending = json!({ "field": "USERNAME", "direction": "DESC" });
    assert_eq!(names(&page(json!({ "first": 1, "order": descending })).await), ["dave"]);
    assert_eq!(names(&page(json!({ "filter": { "search": "CAR" } })).await), ["carol"]);
    for variables in
        [json!({ "first": 101 }), json!({ "first": 1, "last": 1 }), json!({ "after": "nonsense" })]
    {
        let answer = door.ask(Some(&token), query, variables).await;
        assert_eq!(code(&answer), "BAD_REQUEST", "{answer}");
    }
}

#[tokio::test]
async fn the_viewers_own_things_are_listed() {
    let door = Door::open().await;
    let token = door.signed_in("alice", Roles::BASE).await;
    door.token("alice", "secret", &[domain::credential::Scope::Sftp], &["10.0.0.0/8"]).await;
    let query = "{ viewer { authTokens { nodes { name scopes allowedNetworks revoked lastUsedAt } } \
        ufaConfig { debug heartbeatInterval maxJobs } mailboxes { nodes { name } } agentRules { nodes { name } } \
        history { nodes { action } } state approved mustChangePassword } }";
    let viewer = door.ask(Some(&token), query, json!({})).await["data"]["viewer"].take();
    let shown = json!([{ "name": "backup", "scopes": ["SFTP"], "allowedNetworks": ["10.0.0.0/8"], "revoked": false, "lastUsedAt": null }]);
    assert_eq!(viewer["authTokens"]["nodes"], shown);
    assert_eq!(viewer["ufaConfig"], json!({ "debug": false, "heartbeatInterval": 30, "maxJobs": 100 }));
    assert_eq!((&viewer["state"], &viewer["approved"]), (&json!("ACTIVE"), &json!(true)));
}

#[tokio::test]
async fn rules_of_both_kinds_show_what_they_share_and_what_is_their_own() {
    let door = Door::open().await;
    let token = door.signed_in("alice", Roles::BASE).await;
    let rule = |name: &str, kind: Kind| {
        let (id, name) = (RuleId::of(id("alice"), name), name.to_owned());
        Rule { id, name, active: true, poll_interval: 300, subscribers: 5, kind }
    };
    let upload = Upload {
        match_pattern: "./uploads/*".to_owned(),
        regex: false,
        upload_format: String::new(),
        metadata: vec![Entry { key: "site".to_owned(), value: "north".to_owned() }],
        ack_mode: AckMode::Archive,
    };
    let download = Download {
        mailbox: "default".to_owned(),
        deliver_policy: DeliverPolicy::New,
        start_time: None,
        download_path: "./downloads".to_owned(),
        max_files: 20,
    };
    let rules = [rule("in", Kind::Download(download)), rule("out", Kind::Upload(upload))];
    let ids = rules.each_ref().map(|rule| rule.id.to_string());
    let rules = rules.map(|rule| (id("alice"), rule)).to_vec();
    door.apply(Batch { rules, ..Batch::default() }).await;
    let query = "{ viewer { agentRules { nodes { __typename id name active pollInterval \
        ... on UploadRule { subscribers matchPattern metadata { key value } ackMode } \
        ... on DownloadRule { subscribers deliverPolicy startTime maxFiles } } } } }";
    let answer = door.ask(Some(&token), query, json!({})).await;
    let expected = json!([
        { "__typename": "DownloadRule", "id": ids[0], "name": "in", "active": true, "pollInterval": 300,
          "subscribers": 5, "deliverPolicy": "NEW", "startTime": null, "maxFiles": 20 },
        { "__typename": "UploadRule", "id": ids[1], "name": "out", "active": true, "pollInterval": 300,
          "subscribers": 5, "matchPattern": "./uploads/*", "metadata": [{ "key": "site", "value": "north" }],
          "ackMode": "ARCHIVE" },
    ]);
    assert_eq!(answer["data"]["viewer"]["agentRules"]["nodes"], expected, "{answer}");
    let node = format!("{{ node(id: \"{}\") {{ id ... on AgentRule {{ name }} }} }}", ids[1]);
    let answer = door.ask(Some(&token), &node, json!({})).await;
    assert_eq!(answer["data"]["node"], json!({ "id": ids[1], "name": "out" }));
}
