//! What the schema promises: its text, defaults, objects behind ids, counts, and what may be done to a user.

use domain::actor::{Role, Roles};
use domain::command::Ask;
use domain::id::UfaConfigId;
use domain::user::{Command, UserStatus, rules};
use read_model::apply::{Batch, Changed};
use read_model::audit::{AuditRow, Outcome, Target};
use serde_json::{Value, json};

use crate::harness::{Door, id, in_group, now, user_row};

#[tokio::test]
async fn f33_the_committed_schema_is_served_to_the_letter() {
    let committed = include_str!("../../../schemas/portal.graphql");
    let dev = Door::open_with(&["--dev"]).await;
    let served = dev.http.get(format!("{}/schema.graphql", dev.url)).send().await.unwrap();
    assert_eq!(served.text().await.unwrap(), committed);
}

#[tokio::test]
async fn everybody_may_know_the_deployment() {
    let door = Door::open_with(&["--deployment-name=Harbour"]).await;
    let query = "{ deployment { name version registration mailConfigured dev passwordPolicy { minimumLength maximumLength } } }";
    let expected = json!({
        "name": "Harbour", "version": env!("CARGO_PKG_VERSION"),
        "registration": "OPEN", "mailConfigured": false, "dev": false,
        "passwordPolicy": { "minimumLength": 15, "maximumLength": 128 },
    });
    for token in [None, Some("no such session")] {
        let answer = door.ask(token, query, json!({})).await;
        assert_eq!(answer, json!({ "data": { "deployment": expected } }));
    }
}

/// The rule that the last command adds.
fn added(door: &Door) -> rules::AddAgentRule {
    match door.owner.last().ask {
        Ask::User { command: Command::AddAgentRule(rule), .. } => rule,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_explicit_null_means_the_default_of_an_input() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let query =
        "mutation($input: AddAgentRuleInput!) { addAgentRule(input: $input) { userErrors { code } } }";
    let own = id("ada").to_string();
    let nulls = json!({
        "name": "send", "active": null, "pollInterval": null, "subscribers": null, "matchPattern": null,
        "regex": null, "uploadFormat": null, "metadata": null, "ackMode": "NONE",
    });
    for (kind, given, least) in [
        ("upload", nulls, json!({ "name": "send", "ackMode": "NONE" })),
        (
            "download",
            json!({
                "name": "get", "mailbox": "default", "active": null, "pollInterval": null, "subscribers": null,
                "deliverPolicy": null, "downloadPath": null, "maxFiles": null,
            }),
            json!({ "name": "get", "mailbox": "default" }),
        ),
    ] {
        let mut asked = Vec::new();
        for rule in [given, least] {
            let input = json!({ "input": { "userId": own, "rule": { kind: rule } } });
            let answer = door.ask(Some(&token), query, input).await;
            assert_eq!(answer["data"]["addAgentRule"]["userErrors"], json!([]), "{answer}");
            asked.push(added(&door));
        }
        assert_eq!(asked[0], asked[1]);
        assert_eq!((asked[0].active, asked[0].poll_interval, asked[0].subscribers), (true, 300, 5));
    }
    // A literal null, and a variable that is absent.
    let literal = format!(
        "mutation($active: Boolean) {{ addAgentRule(input: {{ userId: \"{own}\", rule: {{ upload: {{ \
         name: \"x\", ackMode: NONE, active: $active, regex: null }} }} }}) {{ userErrors {{ code }} }} }}"
    );
    for variables in [json!({}), json!({ "active": null })] {
        let answer = door.ask(Some(&token), &literal, variables).await;
        assert_eq!(answer["data"]["addAgentRule"]["userErrors"], json!([]), "{answer}");
        assert!(added(&door).active);
    }
    let reset =
        "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "userId": id("bob").to_string(), "revokeTokens": null } });
    let answer = door.ask(Some(&token), reset, input).await;
    assert_eq!(answer["data"]["resetPassword"]["userErrors"], json!([]), "{answer}");
    let order = "query($order: UserOrder) { users(orderBy: $order) { nodes { username } } }";
    let input = json!({ "order": { "field": "USERNAME", "direction": null, "thenBy": null } });
    assert_eq!(door.ask(Some(&token), order, input).await["data"]["users"]["nodes"][0]["username"], "ada");
}

#[tokio::test]
async fn a_refusal_says_its_code_as_text_and_as_an_enum() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let query =
        "mutation($input: SuspendUserInput!) { suspendUser(input: $input) { userErrors { code kind } } }";
    let input = json!({ "input": { "userId": "x", "reason": "r" } });
    let answer = door.ask(Some(&token), query, input).await;
    let expected = json!([{ "code": "unknown_user", "kind": "UNKNOWN_USER" }]);
    assert_eq!(answer["data"]["suspendUser"]["userErrors"], expected, "{answer}");
}

#[tokio::test]
async fn the_config_of_an_agent_is_an_object_with_an_id() {
    let door = Door::open().await;
    let alice = door.signed_in("alice", Roles::BASE).await;
    door.user(user_row("bob", Roles::BASE)).await;
    let own = door.ask(Some(&alice), "{ viewer { ufaConfig { id maxJobs } } }", json!({})).await;
    let config = own["data"]["viewer"]["ufaConfig"].clone();
    assert_eq!(config["id"], UfaConfigId::of(id("alice")).to_string());
    let query = "query($id: ID!) { node(id: $id) { id ... on UfaConfig { maxJobs } } }";
    let found = door.ask(Some(&alice), query, json!({ "id": config["id"] })).await;
    assert_eq!(found["data"]["node"], config);
    let others = UfaConfigId::of(id("bob")).to_string();
    let found = door.ask(Some(&alice), query, json!({ "id": others })).await;
    assert_eq!(found, json!({ "data": { "node": null } }), "somebody else's");
}

#[tokio::test]
async fn a_group_lists_its_members_to_administrators() {
    let door = Door::open().await;
    let north = door.group("north").await;
    let mut users = Vec::new();
    for name in ["alice", "bob", "carol"] {
        users.push(in_group(user_row(name, Roles::BASE), north, "north"));
    }
    let changes = users.into_iter().map(|after| Changed { before: None, after }).collect();
    door.apply(Batch { users: changes, ..Batch::default() }).await;
    let token = door.administrator().await;
    let query = "{ group(name: \"north\") { name members(first: 2, orderBy: { field: USERNAME, direction: DESC }) { \
        nodes { username group { name } } pageInfo { hasNextPage } } } }";
    let answer = door.ask(Some(&token), query, json!({})).await;
    let row = |name: &str| json!({ "username": name, "group": { "name": "north" } });
    let expected = json!({ "nodes": [row("carol"), row("bob")], "pageInfo": { "hasNextPage": true } });
    assert_eq!(answer["data"]["group"]["members"], expected, "{answer}");
    let alice = door.signed_in("alice", Roles::BASE).await;
    door.user(in_group(user_row("alice", Roles::BASE), north, "north")).await;
    let answer = door.ask(Some(&alice), query, json!({})).await;
    assert_eq!(answer["data"]["group"], json!({ "name": "north", "members": null }), "{answer}");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
}

/// An entry of what somebody did to somebody.
fn entry(number: u8, actor: &str, target: Option<Target>, action: &str) -> AuditRow {
    AuditRow {
        id: domain::id::EntryId::from_uuid(uuid::Uuid::from_u128(number.into())),
        time: now(),
        ordered_at: now(),
        actor_id: Some(id(actor)),
        actor_name: actor.to_owned(),
        actor_role: Some(Role::User),
        action: action.to_owned(),
        target,
        target_name: None,
        outcome: Outcome::Allowed,
        changes: Vec::new(),
        client: domain::actor::Client { address: Some("192.0.2.7".to_owned()), agent: None },
        command_id: Some(format!("c-{number}")),
        correlation_id: None,
        place: log_model::StreamPartition::new(log_model::Stream::UserEvents, 0),
        offset: number.into(),
    }
}

#[tokio::test]
async fn an_entry_leads_to_its_actor_and_its_target_as_far_as_the_caller_sees_them() {
    let door = Door::open().await;
    let administrator = door.administrator().await;
    let alice = door.signed_in("alice", Roles::BASE).await;
    let north = door.group("north").await;
    let target = |text: String| Target::parse(&text);
    let audit = vec![
        entry(1, "ada", target(id("alice").to_string()), "muster.user.suspended"),
        entry(2, "alice", target(id("alice").to_string()), "muster.user.profile_updated"),
        entry(3, "ada", target(north.to_string()), "muster.group.created"),
        entry(4, "ghost", target(id("ghost").to_string()), "muster.user.promoted"),
    ];
    door.apply(Batch { audit, ..Batch::default() }).await;
    let query = "query($filter: AuditFilter) { auditLog(filter: $filter) { totalCount totalCountCapped nodes { action kind \
        actor { username } target { __typename id ... on Group { name } } } } }";
    let list = async |filter: Value| {
        let mut answer = door.ask(Some(&administrator), query, json!({ "filter": filter })).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"]["auditLog"].take()
    };
    let groups = list(json!({ "targetId": north.to_string() })).await;
    let expected = json!({ "totalCount": 1, "totalCountCapped": false, "nodes": [{
        "action": "muster.group.created", "kind": "GROUP_CREATED", "actor": { "username": "ada" },
        "target": { "__typename": "Group", "id": north.to_string(), "name": "north" },
    }] });
    assert_eq!(groups, expected);
    let unknown = list(json!({ "action": ["muster.user.promoted"] })).await;
    assert_eq!(
        unknown["nodes"],
        json!([{ "action": "muster.user.promoted", "kind": null, "actor": null, "target": null }])
    );
    let either = json!({ "action": ["muster.group.created"], "kind": ["USER_SUSPENDED"] });
    assert_eq!(list(either).await["totalCount"], 2);
    for (search, n) in [("ALICE", 2), ("c-3", 1), ("192.0.2 suspended", 1), ("north", 1), ("nor_h", 0)] {
        let found = list(json!({ "search": search })).await;
        assert_eq!(
            (&found["totalCount"], found["nodes"].as_array().unwrap().len()),
            (&json!(n), n),
            "{search}"
        );
    }
    let own = "{ viewer { history { totalCount nodes { kind actor { username } target { id } } } } }";
    let answer = door.ask(Some(&alice), own, json!({})).await;
    let target = json!({ "id": id("alice").to_string() });
    let expected = json!({ "totalCount": 2, "nodes": [
        { "kind": "USER_PROFILE_UPDATED", "actor": { "username": "alice" }, "target": target },
        { "kind": "USER_SUSPENDED", "actor": null, "target": target },
    ] });
    assert_eq!(answer["data"]["viewer"]["history"], expected, "{answer}");
}

#[tokio::test]
async fn lists_of_one_user_say_how_long_they_are() {
    let door = Door::open().await;
    let alice = door.signed_in("alice", Roles::BASE).await;
    door.token("alice", "secret", &[domain::credential::Scope::Sftp], &[]).await;
    let query = "{ viewer { authTokens(first: 0) { totalCount totalCountCapped } mailboxes { totalCount } \
        agentRules { totalCount } } }";
    let answer = door.ask(Some(&alice), query, json!({})).await;
    let expected = json!({
        "authTokens": { "totalCount": 1, "totalCountCapped": false },
        "mailboxes": { "totalCount": 0 }, "agentRules": { "totalCount": 0 },
    });
    assert_eq!(answer["data"]["viewer"], expected, "{answer}");
}

#[tokio::test]
async fn users_are_filtered_and_sorted_by_what_the_schema_names() {
    let door = Door::open().await;
    let token = door.administrator().await;
    for (name, phone, must_change) in
        [("bob", "+49 30-1", true), ("carol", "+49 (30) 1", false), ("dave", "112", false)]
    {
        let mut user = user_row(name, Roles::BASE);
        (user.phone, user.must_change_password) = (Some(phone.to_owned()), must_change);
        door.user(user).await;
    }
    let query = "query($filter: UserFilter, $order: UserOrder) { users(filter: $filter, orderBy: $order) { \
        totalCount nodes { username } } }";
    for (filter, order, expected) in [
        (json!({ "phone": "+49 (30) 1" }), json!(null), vec!["bob", "carol"]),
        (json!({ "role": ["ADMINISTRATOR"] }), json!(null), vec!["ada"]),
        (json!({ "mustChangePassword": true }), json!(null), vec!["bob"]),
        (json!({ "updatedBefore": "2000-01-01T00:00:00Z" }), json!(null), vec![]),
        (
            json!({ "updatedAfter": "2000-01-01T00:00:00Z", "role": ["USER"] }),
            json!(null),
            vec!["ada", "bob", "carol", "dave"],
        ),
        (
            json!(null),
            json!({ "field": "PHONE", "direction": "DESC", "thenBy": { "field": "USERNAME" } }),
            vec!["dave", "bob", "carol", "ada"],
        ),
    ] {
        let answer = door.ask(Some(&token), query, json!({ "filter": filter, "order": order })).await;
        let nodes = answer["data"]["users"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let names: Vec<_> = nodes.iter().map(|node| node["username"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{filter} {order}");
        if !filter.is_null() {
            assert_eq!(answer["data"]["users"]["totalCount"], expected.len());
        }
    }
}

#[tokio::test]
async fn a_user_says_what_the_caller_may_do_to_them_now() {
    let door = Door::open().await;
    let administrator = door.administrator().await;
    let alice = door.signed_in("alice", Roles::BASE).await;
    let mut pending = user_row("bob", Roles::BASE);
    pending.state = UserStatus::Pending;
    door.user(pending).await;
    let actions = async |token: &str, of: &str| {
        let query =
            "query($name: String) { user(username: $name) { actions { action allowed code kind reason } } }";
        let mut answer = door.ask(Some(token), query, json!({ "name": of })).await;
        let rows = answer["data"]["user"]["actions"].take();
        move |action: &str| {
            let row = rows.as_array().unwrap().iter().find(|row| row["action"] == action).cloned().unwrap();
            assert_eq!(row["allowed"] == true, row["reason"].is_null() && row["code"].is_null());
            (row["code"].as_str().unwrap_or("allowed").to_owned(), row["kind"].as_str().map(str::to_owned))
        }
    };
    let allowed = || ("allowed".to_owned(), None);
    let refused = |code: &str| (code.to_owned(), Some(code.to_uppercase()));
    let failed = |code: &str| (code.to_owned(), None);
    let to_bob = actions(&administrator, "bob").await;
    assert_eq!(to_bob("APPROVE_USER"), allowed());
    assert_eq!(to_bob("SUSPEND_USER"), refused("not_active"));
    assert_eq!(to_bob("CHANGE_PASSWORD"), failed("FORBIDDEN"));
    let to_alice = actions(&administrator, "alice").await;
    assert_eq!(to_alice("APPROVE_USER"), refused("already_approved"));
    assert_eq!(to_alice("SUSPEND_USER"), allowed());
    let to_herself = actions(&administrator, "ada").await;
    assert_eq!(to_herself("SUSPEND_USER"), refused("not_on_yourself"));
    assert_eq!(to_herself("CHANGE_PASSWORD"), allowed());
    let own = actions(&alice, "alice").await;
    assert_eq!(own("EDIT_UFA_CONFIG"), allowed());
    assert_eq!(own("APPROVE_USER"), failed("FORBIDDEN"));
}
