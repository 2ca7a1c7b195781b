//! The main job from end to end, and that it survives a kill.

use serde_json::{Value, json};

use crate::deployment::{Deployment, eventually};
use crate::portal::{Portal, refused};

const ADMINISTRATORS: &str = "a quiet harbour at dawn";
const ALICES: &str = "seven lamps along the pier";

/// What later steps need of earlier ones.
struct Made {
    administrator: Portal,
    alice: String,
    token: String,
    secret: String,
}

/// Registration, approval, first sign-in, reset, UFA config, token, suspension.
pub(crate) async fn main_job(mut deployment: Deployment) {
    let made = onboarded(&deployment).await;
    let Made { administrator, alice, token, secret } = &made;

    // The agent sees a change of its config, and only then.
    let (status, tag, before) = administrator.agent_config(token, secret, None).await;
    assert_eq!((status, &before["config"]["heartbeatInterval"]), (200, &json!(30)), "{before}");
    assert_eq!(administrator.agent_config(token, secret, Some(&tag)).await.0, 304);
    let input = json!({ "userId": alice, "heartbeatInterval": 60, "debug": true });
    let edited =
        administrator.must("editUfaConfig", input, "ufaConfig { heartbeatInterval debug version }").await;
    assert_eq!(edited["ufaConfig"]["heartbeatInterval"], 60);
    let (status, changed, after) = administrator.agent_config(token, secret, Some(&tag)).await;
    assert_eq!((status, &after["config"]["heartbeatInterval"]), (200, &json!(60)), "{after}");
    assert_ne!(tag, changed);

    rules_and_mailboxes(&made).await;

    // A token passes where its scope says.
    let passed = administrator.verified("sftp", token, secret).await;
    assert_eq!(passed.status(), 200);
    assert_eq!(passed.headers()["x-muster-username"], "alice");
    assert_eq!(passed.headers()["x-muster-user-id"], alice.as_str());
    assert_eq!(administrator.verify("gateway", token, secret).await, 403);
    assert_eq!(administrator.verify("sftp", token, "mst_wrong").await, 401);
    assert_eq!(administrator.verify("sftp", "alice", ALICES).await, 200);
    assert_eq!(administrator.verify("agent", "alice", ALICES).await, 403);

    reset(&made).await;

    // A suspension holds everywhere.
    let input = json!({ "userId": alice, "reason": "on leave" });
    let suspended = administrator.must("suspendUser", input, "user { state stateReason approved }").await;
    assert_eq!(
        suspended["user"],
        json!({ "state": "SUSPENDED", "stateReason": "on leave", "approved": true })
    );
    eventually("the token is refused", async || administrator.verify("sftp", token, secret).await == 403)
        .await;
    assert_eq!(administrator.agent_config(token, secret, None).await.0, 403);
    assert_eq!(refused(&administrator.sign_in("alice", ALICES).await), ["sign_in_failed@"]);

    audit(administrator, alice).await;
    deployment.stop();
    crate::wire::everything_is_described(&deployment).await;
}

/// An administrator who is signed in, and Alice: registered, approved, with her own password and a token.
async fn onboarded(deployment: &Deployment) -> Made {
    let (name, temporary) = &deployment.administrator;
    let nobody = deployment.portal.nobody();

    // The forced change comes before anything else.
    let signed_in = nobody.sign_in(name, temporary).await;
    let limited = nobody.with_session(signed_in["sessionToken"].as_str().unwrap());
    let early = limited.send("{ users { totalCount } }", json!({})).await;
    assert_eq!(early["errors"][0]["extensions"]["code"], "PASSWORD_CHANGE_REQUIRED", "{early}");
    let administrator = nobody.settle(name, temporary, ADMINISTRATORS).await;

    let register = json!({
        "username": "Alice", "firstName": "Alice", "lastName": "Archer",
        "email": "alice@Example.com", "phone": "+49 30 1234",
    });
    assert_eq!(nobody.must("registerUser", register.clone(), "accepted").await["accepted"], true);
    assert_eq!(
        nobody.must("registerUser", register, "accepted").await["accepted"],
        true,
        "a taken name looks alike"
    );
    assert_eq!(refused(&nobody.sign_in("alice", "anything at all").await), ["sign_in_failed@"]);

    let group = administrator.must("createGroup", json!({ "name": "staff" }), "group { id name }").await;
    let group = group["group"]["id"].as_str().unwrap().to_owned();
    let alice = pending(&administrator).await;
    let input = json!({ "userId": alice, "groupId": group, "commandId": "approve-alice" });
    let fields = "temporaryPassword expiresAt user { state group { name memberCount } }";
    let approved = administrator.must("approveUser", input.clone(), fields).await;
    assert_eq!(approved["user"]["state"], "ACTIVE", "{approved}");
    assert_eq!(approved["user"]["group"], json!({ "name": "staff", "memberCount": 1 }));
    let temporary = approved["temporaryPassword"].as_str().unwrap();
    let again = administrator.must("approveUser", input, fields).await;
    assert_eq!(again["temporaryPassword"], Value::Null, "a made secret is shown once");
    assert_eq!(
        administrator.verify("sftp", "alice", temporary).await,
        403,
        "it passes nowhere but the change"
    );
    nobody.settle("alice", temporary, ALICES).await;

    let input = json!({ "userId": alice, "name": "agent", "scopes": ["AGENT", "SFTP"] });
    let issued = administrator.must("issueAuthToken", input, "secret authToken { id name scopes }").await;
    let token = issued["authToken"]["id"].as_str().unwrap().to_owned();
    let secret = issued["secret"].as_str().unwrap().to_owned();
    Made { administrator, alice, token, secret }
}

/// The one user who waits, once the views show it: public mutations do not wait.
async fn pending(administrator: &Portal) -> String {
    let mut found = Value::Null;
    eventually("the registration is shown", async || {
        let query = "{ users(filter: { state: [PENDING], search: \"arch\" }) { totalCount nodes { id username email } } }";
        found = administrator.ask(query, json!({})).await["users"].clone();
        found["totalCount"] == 1
    })
    .await;
    assert_eq!(found["nodes"][0]["email"], "alice@example.com");
    found["nodes"][0]["id"].as_str().unwrap().to_owned()
}

async fn rules_and_mailboxes(made: &Made) {
    let Made { administrator, alice, token, secret } = made;
    let input = json!({ "userId": alice, "name": "orders" });
    let mailbox = administrator.must("createMailbox", input, "mailbox { id topic }").await;
    assert_eq!(mailbox["mailbox"]["topic"], "amps.mailbox.alice.orders");
    let rule = json!({ "download": { "name": "fetch", "mailbox": "orders" } });
    let fields = "rule { id name ... on DownloadRule { topic maxFiles mailbox { name } } }";
    let added = administrator.must("addAgentRule", json!({ "userId": alice, "rule": rule }), fields).await;
    assert_eq!(added["rule"]["maxFiles"], 20);
    let (_, _, config) = administrator.agent_config(token, secret, None).await;
    assert_eq!(config["rules"][0]["name"], "fetch", "{config}");
    let input = json!({ "userId": alice, "mailboxId": mailbox["mailbox"]["id"] });
    let kept = administrator.mutate("deleteMailbox", input, "deletedMailboxId").await;
    assert_eq!(refused(&kept), ["mailbox_in_use@mailboxId"]);
}

async fn reset(made: &Made) {
    let Made { administrator, alice, .. } = made;
    let signed_in = administrator.sign_in("alice", ALICES).await;
    let session = administrator.with_session(signed_in["sessionToken"].as_str().unwrap());
    assert_eq!(session.ask("{ viewer { username } }", json!({})).await["viewer"]["username"], "alice");
    let reset = administrator.must("resetPassword", json!({ "userId": alice }), "temporaryPassword").await;
    eventually("the session has ended", async || {
        let answer = session.send("{ viewer { username } }", json!({})).await;
        answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    })
    .await;
    assert_eq!(refused(&administrator.sign_in("alice", ALICES).await), ["sign_in_failed@"]);
    administrator.settle("alice", reset["temporaryPassword"].as_str().unwrap(), ALICES).await;
}

/// Everything stands in the audit log: who, what, and what it changed; also what was refused.
async fn audit(administrator: &Portal, alice: &str) {
    let query = "query($id: ID!) { auditLog(filter: { targetId: $id }, first: 100) {
        nodes { action outcome actorName changes { field old new } } } }";
    let wanted = [
        "muster.user.registered",
        "muster.user.approved",
        "muster.user.password_reset",
        "muster.user.password_changed",
        "muster.user.ufa_config_edited",
        "muster.user.auth_token_issued",
        "muster.user.mailbox_created",
        "muster.user.agent_rule_added",
        "muster.user.suspended",
        "RegisterUser",
    ];
    let mut entries = Value::Null;
    eventually("the audit log shows every step", async || {
        entries = administrator.ask(query, json!({ "id": alice })).await["auditLog"]["nodes"].clone();
        let actions: Vec<_> = entries.as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
        wanted.iter().all(|action| actions.iter().any(|shown| *shown == action))
    })
    .await;
    let edited =
        entries.as_array().unwrap().iter().find(|e| e["action"] == "muster.user.ufa_config_edited").unwrap();
    let change = json!({ "field": "heartbeatInterval", "old": "30", "new": "60" });
    assert!(edited["changes"].as_array().unwrap().contains(&change), "{edited}");
    assert_eq!(edited["actorName"], "administrator");
}

/// Kills everything, starts it again, and asks the same.
pub(crate) async fn survives_a_kill(mut deployment: Deployment) {
    let made = onboarded(&deployment).await;
    let input = json!({ "userId": made.alice, "heartbeatInterval": 77 });
    made.administrator.must("editUfaConfig", input, "ufaConfig { version }").await;
    let query = "query($id: ID!) { user(id: $id) { username state version email group { name } ufaConfig { heartbeatInterval version } } }";
    let before = made.administrator.ask(query, json!({ "id": made.alice })).await;
    deployment.kill();
    deployment.start().await;
    let signed_in = deployment.portal.sign_in("administrator", ADMINISTRATORS).await;
    let administrator = deployment.portal.with_session(signed_in["sessionToken"].as_str().unwrap());
    assert_eq!(administrator.ask(query, json!({ "id": made.alice })).await, before);
    assert_eq!(administrator.verify("sftp", &made.token, &made.secret).await, 200);
    let (_, _, config) = administrator.agent_config(&made.token, &made.secret, None).await;
    assert_eq!(config["config"]["heartbeatInterval"], 77);
    deployment.stop();
}
