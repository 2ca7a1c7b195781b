//! Every bad field of every mutation is refused by its code and path, and nothing is written.

use serde_json::{Value, json};

use crate::deployment::{Deployment, eventually};
use crate::portal::{Portal, refused};

/// A user, group or other id of the right form that belongs to nothing.
fn nothing(kind: &str) -> String {
    format!("{kind}_00000000-0000-5000-8000-000000000000")
}

/// What the attempts are about.
struct World {
    administrator: Portal,
    group: String,
    alice: String,
    bob: String,
    rule: String,
}

/// Tries everything and compares the log before and after.
pub(crate) async fn every_bad_field(deployment: Deployment) {
    let world = world(&deployment).await;
    let before = written(&deployment);
    for attempts in [onboarding(&world), editing(&world), rules(&world), groups(&world), unknown(&world)] {
        for (mutation, input, expected) in attempts {
            let payload = world.administrator.mutate(mutation, input.clone(), "").await;
            assert_eq!(refused(&payload), expected, "{mutation} {input}");
        }
    }
    registrations(&world).await;
    passwords(&world).await;
    malformed(&world).await;
    assert_eq!(written(&deployment), before, "something was written");
}

async fn world(deployment: &Deployment) -> World {
    let (name, temporary) = &deployment.administrator;
    let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let group =
        id(&administrator.must("createGroup", json!({ "name": "staff" }), "group { id }").await["group"]);
    let closed =
        id(&administrator.must("createGroup", json!({ "name": "shut" }), "group { id }").await["group"]);
    administrator.must("closeGroup", json!({ "groupId": closed }), "").await;
    let input = json!({ "username": "alice", "groupId": group });
    let alice = id(&administrator.must("createUser", input, "user { id }").await["user"]);
    let input = json!({ "username": "bobby", "firstName": "B", "lastName": "B", "email": "b@b.example" });
    administrator.must("registerUser", input, "accepted").await;
    let mut bob = Value::Null;
    eventually("bobby is shown", async || {
        bob = administrator.ask("{ user(username: \"bobby\") { id } }", json!({})).await["user"].clone();
        !bob.is_null()
    })
    .await;
    let rule = json!({ "upload": { "name": "send", "ackMode": "NONE" } });
    let added =
        administrator.must("addAgentRule", json!({ "userId": alice, "rule": rule }), "rule { id }").await;
    World { group, alice, bob: id(&bob), rule: id(&added["rule"]), administrator }
}

/// Events in the log, claim records left out.
fn written(deployment: &Deployment) -> usize {
    let tail = deployment.run(&["log", "tail", "--until-end"]);
    let text = String::from_utf8(tail.stdout).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["stream"] != "access" && event["key"] != "claim").count()
}

type Attempts = Vec<(&'static str, Value, Vec<&'static str>)>;

fn onboarding(world: &World) -> Attempts {
    let World { group, alice, bob, .. } = world;
    let long = "x".repeat(501);
    vec![
        ("createUser", json!({ "username": "", "groupId": group }), vec!["required@username"]),
        ("createUser", json!({ "username": "ab", "groupId": group }), vec!["too_short@username"]),
        ("createUser", json!({ "username": "a".repeat(65), "groupId": group }), vec!["too_long@username"]),
        ("createUser", json!({ "username": "a b c", "groupId": group }), vec!["invalid_format@username"]),
        ("createUser", json!({ "username": "root", "groupId": group }), vec!["reserved@username"]),
        ("createUser", json!({ "username": "Alice", "groupId": group }), vec!["name_taken@username"]),
        (
            "createUser",
            json!({ "username": "carol", "groupId": nothing("group") }),
            vec!["unknown_group@groupId"],
        ),
        ("createUser", json!({ "username": "carol", "groupId": "staff" }), vec!["unknown_group@groupId"]),
        (
            "createUser",
            json!({ "username": "carol", "groupId": group, "firstName": "x".repeat(101), "lastName": "a\u{7}",
                    "email": "nowhere", "phone": "call me" }),
            vec![
                "too_long@firstName",
                "invalid_format@lastName",
                "invalid_format@email",
                "invalid_format@phone",
            ],
        ),
        (
            "createUser",
            json!({ "username": "carol", "groupId": group, "commandId": "" }),
            vec!["required@commandId"],
        ),
        (
            "createUser",
            json!({ "username": "carol", "groupId": group, "commandId": "x".repeat(129) }),
            vec!["too_long@commandId"],
        ),
        (
            "createUser",
            json!({ "username": "carol", "groupId": group, "commandId": "a b" }),
            vec!["invalid_format@commandId"],
        ),
        ("approveUser", json!({ "userId": bob, "groupId": nothing("group") }), vec!["unknown_group@groupId"]),
        ("approveUser", json!({ "userId": alice, "groupId": group }), vec!["already_approved@"]),
        (
            "approveUser",
            json!({ "userId": bob, "groupId": group, "expectedVersion": 9 }),
            vec!["stale_version@"],
        ),
        ("rejectUser", json!({ "userId": bob, "reason": " " }), vec!["required@reason"]),
        ("rejectUser", json!({ "userId": bob, "reason": long }), vec!["too_long@reason"]),
        ("rejectUser", json!({ "userId": alice, "reason": "x" }), vec!["already_approved@"]),
        ("reconsiderUser", json!({ "userId": bob }), vec!["not_rejected@"]),
        ("suspendUser", json!({ "userId": alice, "reason": "" }), vec!["required@reason"]),
        ("suspendUser", json!({ "userId": bob, "reason": "x" }), vec!["not_active@"]),
        ("reactivateUser", json!({ "userId": alice }), vec!["not_suspended@"]),
        ("changeGroup", json!({ "userId": bob, "groupId": group }), vec!["not_active@"]),
        (
            "changeGroup",
            json!({ "userId": alice, "groupId": nothing("group") }),
            vec!["unknown_group@groupId"],
        ),
        ("resetPassword", json!({ "userId": bob }), vec!["not_active@"]),
        ("grantRole", json!({ "userId": bob, "role": "ADMINISTRATOR" }), vec!["not_active@"]),
        ("revokeRole", json!({ "userId": alice, "role": "USER" }), vec!["base_role@role"]),
    ]
}

fn editing(world: &World) -> Attempts {
    let World { alice, .. } = world;
    let profile = json!({ "userId": alice, "firstName": "x".repeat(101), "lastName": "\u{202e}", "phone": " 1", "email": "@" });
    let config = json!({ "userId": alice, "debug": null, "logFile": "x".repeat(4_097), "heartbeatInterval": 4,
                         "configInterval": 86_401, "maxJobs": 0 });
    let token = json!({ "userId": alice, "name": "", "scopes": [], "expiresAt": "2001-01-01T00:00:00Z",
                        "allowedNetworks": ["10.0.0.0/8", "nowhere"] });
    vec![
        (
            "updateProfile",
            profile,
            vec![
                "too_long@firstName",
                "invalid_format@lastName",
                "invalid_format@phone",
                "invalid_format@email",
            ],
        ),
        (
            "editUfaConfig",
            config,
            vec![
                "required@debug",
                "too_long@logFile",
                "out_of_range@heartbeatInterval",
                "out_of_range@configInterval",
                "out_of_range@maxJobs",
            ],
        ),
        (
            "issueAuthToken",
            token,
            vec![
                "required@name",
                "required@scopes",
                "out_of_range@expiresAt",
                "invalid_format@allowedNetworks.1",
            ],
        ),
        (
            "issueAuthToken",
            json!({ "userId": alice, "name": "t", "scopes": ["SFTP"], "expiresAt": "2999-01-01T00:00:00Z" }),
            vec!["out_of_range@expiresAt"],
        ),
        (
            "revokeAuthToken",
            json!({ "userId": alice, "authTokenId": nothing("token") }),
            vec!["unknown_token@authTokenId"],
        ),
        ("createMailbox", json!({ "userId": alice, "name": "a b" }), vec!["invalid_format@name"]),
        ("createMailbox", json!({ "userId": alice, "name": "default" }), vec!["name_taken@name"]),
        (
            "createMailbox",
            json!({ "userId": alice, "name": "a", "description": "x".repeat(501) }),
            vec!["too_long@description"],
        ),
        (
            "deleteMailbox",
            json!({ "userId": alice, "mailboxId": nothing("mailbox") }),
            vec!["unknown_mailbox@mailboxId"],
        ),
    ]
}

fn rules(world: &World) -> Attempts {
    let World { alice, rule, .. } = world;
    let upload = json!({ "upload": {
        "name": "a b", "ackMode": "NONE", "pollInterval": 0, "subscribers": 21, "matchPattern": "[",
        "uploadFormat": "x".repeat(1_025), "metadata": [{ "key": "", "value": "v" }] } });
    let download = json!({ "download": {
        "name": "", "mailbox": "nowhere", "startTime": "2026-01-01T00:00:00Z", "downloadPath": "", "maxFiles": 0 } });
    let timed =
        json!({ "download": { "name": "d", "mailbox": "default", "deliverPolicy": "BY_START_TIME" } });
    vec![
        (
            "addAgentRule",
            json!({ "userId": alice, "rule": upload }),
            vec![
                "invalid_format@rule.upload.name",
                "out_of_range@rule.upload.pollInterval",
                "out_of_range@rule.upload.subscribers",
                "invalid_format@rule.upload.matchPattern",
                "too_long@rule.upload.uploadFormat",
                "required@rule.upload.metadata.0.key",
            ],
        ),
        (
            "addAgentRule",
            json!({ "userId": alice, "rule": download }),
            vec![
                "required@rule.download.name",
                "unknown_mailbox@rule.download.mailbox",
                "not_applicable@rule.download.startTime",
                "required@rule.download.downloadPath",
                "out_of_range@rule.download.maxFiles",
            ],
        ),
        ("addAgentRule", json!({ "userId": alice, "rule": timed }), vec!["required@rule.download.startTime"]),
        (
            "addAgentRule",
            json!({ "userId": alice, "rule": { "upload": { "name": "send", "ackMode": "NONE" } } }),
            vec!["name_taken@rule.upload.name"],
        ),
        (
            "editAgentRule",
            json!({ "userId": alice, "ruleId": rule, "changes": { "upload": { "active": null, "pollInterval": 0, "matchPattern": "" } } }),
            vec![
                "required@changes.upload.active",
                "out_of_range@changes.upload.pollInterval",
                "required@changes.upload.matchPattern",
            ],
        ),
        (
            "editAgentRule",
            json!({ "userId": alice, "ruleId": rule, "changes": { "download": { "maxFiles": 1 } } }),
            vec!["wrong_kind@changes.download"],
        ),
        (
            "removeAgentRule",
            json!({ "userId": alice, "ruleId": nothing("rule") }),
            vec!["unknown_rule@ruleId"],
        ),
    ]
}

fn groups(world: &World) -> Attempts {
    let World { group, .. } = world;
    let bad = json!({ "name": "x", "description": "x".repeat(501), "phone": "x", "email": "x" });
    let edit = json!({ "groupId": group, "description": "\u{0}", "phone": "x", "email": "x" });
    vec![
        (
            "createGroup",
            bad,
            vec!["too_short@name", "too_long@description", "invalid_format@phone", "invalid_format@email"],
        ),
        ("createGroup", json!({ "name": "STAFF" }), vec!["name_taken@name"]),
        (
            "editGroup",
            edit,
            vec!["invalid_format@description", "invalid_format@phone", "invalid_format@email"],
        ),
        (
            "editGroup",
            json!({ "groupId": group, "phone": "1", "expectedVersion": 9 }),
            vec!["stale_version@"],
        ),
    ]
}

/// What belongs to nothing is unknown, whether its id has the right form or not.
fn unknown(_: &World) -> Attempts {
    let mut attempts = Vec::new();
    for user in [nothing("user"), "alice".to_owned(), String::new()] {
        let group = nothing("group");
        attempts.extend([
            ("rejectUser", json!({ "userId": user, "reason": "x" }), vec!["unknown_user@userId"]),
            ("reconsiderUser", json!({ "userId": user }), vec!["unknown_user@userId"]),
            ("suspendUser", json!({ "userId": user, "reason": "x" }), vec!["unknown_user@userId"]),
            ("reactivateUser", json!({ "userId": user }), vec!["unknown_user@userId"]),
            ("deleteUser", json!({ "userId": user }), vec!["unknown_user@userId"]),
            ("resetPassword", json!({ "userId": user }), vec!["unknown_user@userId"]),
            ("grantRole", json!({ "userId": user, "role": "ADMINISTRATOR" }), vec!["unknown_user@userId"]),
            ("updateProfile", json!({ "userId": user, "firstName": "A" }), vec!["unknown_user@userId"]),
            ("editUfaConfig", json!({ "userId": user, "maxJobs": 1 }), vec!["unknown_user@userId"]),
            ("createMailbox", json!({ "userId": user, "name": "a" }), vec!["unknown_user@userId"]),
            ("endSessions", json!({ "userId": user }), vec!["unknown_user@userId"]),
        ]);
        let session = json!({ "sessionId": user });
        attempts.push(("endSession", session, vec!["unknown_session@sessionId"]));
        attempts.push(("closeGroup", json!({ "groupId": group }), vec!["unknown_group@groupId"]));
        attempts.push(("reopenGroup", json!({ "groupId": group }), vec!["unknown_group@groupId"]));
    }
    attempts
}

/// What the public is told: its own mistakes, and nothing of others.
async fn registrations(world: &World) {
    let nobody = world.administrator.nobody();
    let bad = json!({ "username": "root", "firstName": "", "lastName": "x".repeat(101), "email": "x", "phone": "x" });
    let payload = nobody.mutate("registerUser", bad, "accepted").await;
    let expected = [
        "reserved@username",
        "required@firstName",
        "too_long@lastName",
        "invalid_format@email",
        "invalid_format@phone",
    ];
    assert_eq!(refused(&payload), expected);
    assert_eq!(payload["accepted"], false);
}

async fn passwords(world: &World) {
    let change = |old: &str, new: &str| json!({ "currentPassword": old, "newPassword": new });
    let right = "a quiet harbour at dawn";
    let attempts = [
        (change("it is not this one", "another harbour at dusk"), "wrong_password@currentPassword"),
        (change(right, "short"), "too_short@newPassword"),
        (change(right, &"x y".repeat(50)), "too_long@newPassword"),
        (change(right, "passwordpassword"), "weak_password@newPassword"),
        (change(right, "administrator-administrator"), "weak_password@newPassword"),
    ];
    for (input, expected) in attempts {
        let payload = world.administrator.mutate("changePassword", input.clone(), "").await;
        assert_eq!(refused(&payload), [expected], "{input}");
    }
}

/// What is no request at all fails before anything runs.
async fn malformed(world: &World) {
    let World { administrator, alice, .. } = world;
    let suspend =
        "mutation($r: String!) { suspendUser(input: { userId: \"X\", reason: $r }) { userErrors { code } } }";
    let suspend = suspend.replace('X', alice);
    for variables in [json!({}), json!({ "r": null }), json!({ "r": 7 }), json!({ "r": ["x"] })] {
        let response = administrator.send(&suspend, variables.clone()).await;
        assert!(
            response["errors"].is_array() && response.get("data").is_none_or(Value::is_null),
            "{variables}: {response}"
        );
    }
    for document in ["mutation {", "{ nothing }", "mutation { suspendUser { userErrors { code } } }"] {
        let response = administrator.send(document, json!({})).await;
        assert!(response["errors"].is_array(), "{document}: {response}");
    }
    let nobody = administrator.nobody();
    let input = json!({ "userId": alice, "reason": "x" });
    let document =
        "mutation($input: SuspendUserInput!) { suspendUser(input: $input) { userErrors { code } } }";
    let response = nobody.send(document, json!({ "input": input })).await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{response}");
}
