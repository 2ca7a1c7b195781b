//! Events arrive signed and in order, and what an administrator changes holds.

use serde_json::{Value, json};
use standardwebhooks::Webhook;

use super::Scene;
use super::receiver::Delivery;
use crate::deployment::{Deployment, eventually};
use crate::portal::refused;

/// Whether the official verifier accepts a delivery under this secret.
pub(super) fn verifies(secret: &str, delivery: &Delivery) -> bool {
    let mut headers = reqwest::header::HeaderMap::new();
    for (name, value) in &delivery.headers {
        let name: reqwest::header::HeaderName = name.parse().unwrap();
        headers.insert(name, value.parse().unwrap());
    }
    Webhook::new(secret).unwrap().verify(delivery.body.as_bytes(), &headers).is_ok()
}

/// Created, it sends what happens from then on, each event once, signed, in order per user.
pub(crate) async fn delivered(deployment: Deployment) {
    let scene = Scene::of(&deployment).await;
    let before = scene.user("before").await;
    let (id, secret) = scene.webhook(json!({ "commandId": "create-orders" })).await;
    assert!(secret.starts_with("whsec_") && secret.len() == 50 && !secret.contains('='));
    let again = json!({ "name": "Orders", "url": scene.receiver.url(), "commandId": "create-orders" });
    let again = scene.administrator.must("createWebhook", again, "secret webhook { id }").await;
    assert_eq!((&again["secret"], &again["webhook"]["id"]), (&Value::Null, &json!(id)));

    let (alice, bob) = (scene.user("alice").await, scene.user("bob").await);
    for interval in 31..=34 {
        scene.edit(&alice, interval).await;
        scene.edit(&bob, interval).await;
    }
    let all: Vec<u64> = (1..=7).collect();
    scene.arrived(&alice, &all).await;
    scene.arrived(&bob, &all).await;
    assert_eq!(scene.receiver.sequences(&before), [0_u64; 0], "it was created before");

    // On a slow machine an answer may come too late, and its event is sent again.
    let got = scene.receiver.got();
    assert!(got.len() >= 14);
    for delivery in &got {
        assert!(delivery.head.starts_with("POST /hook HTTP/1.1\r\n"), "{}", delivery.head);
        assert_eq!(delivery.headers["content-type"], "application/cloudevents+json");
        assert_eq!(delivery.headers["webhook-id"], delivery.event["id"]);
        assert!(verifies(&secret, delivery), "{delivery:?}");
        assert_eq!(delivery.event["specversion"], "1.0");
        assert_eq!(delivery.event["actorname"], "administrator");
    }
    assert!(!verifies("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &got[0]));

    let shown = scene.shows("everything is delivered", |it| it["behindEvents"] == 0).await;
    assert_eq!((&shown["state"], &shown["lastError"]), (&json!("ACTIVE"), &Value::Null));
    assert!(shown["lastSuccessAt"].is_string() && shown["position"].is_string(), "{shown}");
    assert_eq!(scene.deliveries("DELIVERED").await.len(), 14);
    audited(&scene, &id).await;

    // A webhook that begins at the position of an event gets what came after it.
    let position = got.iter().find(|it| it.event["subject"] == bob.as_str() && it.sequence() == 6);
    let position = position.unwrap().event["position"].clone();
    let rest = super::Receiver::start().await;
    let input = json!({ "name": "Rest", "url": rest.url(), "after": position });
    scene.administrator.must("createWebhook", input, "webhook { id }").await;
    eventually("the rest arrives", async || rest.sequences(&bob) == [7]).await;
    super::stop(deployment);
}

/// The audit log says who created it, and shows no secret.
async fn audited(scene: &Scene, id: &str) {
    let query = "query($id: ID!) { auditLog(filter: { targetId: $id }) { nodes { action actorName targetName
        changes { field old new } } } }";
    let entries = scene.administrator.ask(query, json!({ "id": id })).await["auditLog"]["nodes"].clone();
    assert_eq!(entries.as_array().unwrap().len(), 1, "{entries}");
    assert_eq!(entries[0]["action"], "muster.webhook.created");
    assert_eq!(
        (&entries[0]["actorName"], &entries[0]["targetName"]),
        (&json!("administrator"), &json!("Orders"))
    );
    let secret = json!({ "field": "secret", "old": null, "new": null });
    assert!(entries[0]["changes"].as_array().unwrap().contains(&secret), "{entries}");
}

/// Filters, edits, pause, rotation, replay, deletion; and nothing of it for others.
pub(crate) async fn changed(deployment: Deployment) {
    let scene = Scene::of(&deployment).await;
    let administrator = &scene.administrator;
    let bad = json!({ "name": "", "url": "ftp://x", "types": ["nothing"], "contentType": "text/plain" });
    let bad = administrator.mutate("createWebhook", bad, "webhook { id }").await;
    assert_eq!(
        refused(&bad),
        ["required@name", "invalid_format@url", "unknown_value@types.0", "unknown_value@contentType"]
    );
    let bad = json!({ "name": "Orders", "url": scene.receiver.url(), "after": "dTA6MA" });
    assert_eq!(
        refused(&administrator.mutate("createWebhook", bad, "secret").await),
        ["invalid_format@after"]
    );

    let types = json!({ "types": ["muster.user.registered"], "contentType": "application/json" });
    let (id, secret) = scene.webhook(types).await;
    let alice = scene.user("alice").await;
    scene.arrived(&alice, &[1]).await;
    assert_eq!(scene.receiver.got()[0].headers["content-type"], "application/json");

    // Paused, it reads and sends nothing; resumed, it has missed nothing.
    let input = json!({ "webhookId": id, "types": null, "groupId": scene.group });
    administrator.must("editWebhook", input, "webhook { types group { name } }").await;
    administrator.must("pauseWebhook", json!({ "webhookId": id }), "webhook { state }").await;
    let bob = scene.user("bob").await;
    // It may send on for a moment, until the process that delivers has noticed.
    let mut sequence = 3;
    eventually("it is behind", async || {
        sequence += 1;
        scene.edit(&bob, 100 + u32::try_from(sequence).unwrap()).await;
        scene.shown().await["behindEvents"].as_u64() > Some(0)
    })
    .await;
    assert_eq!(scene.shown().await["state"], "PAUSED");
    administrator.must("resumeWebhook", json!({ "webhookId": id }), "webhook { state }").await;
    // Registered, bob is in no group yet; approved, he is.
    scene.arrived(&bob, &(2..=sequence).collect::<Vec<_>>()).await;

    // While a rotation overlaps, both secrets verify; then the new one alone.
    let input = json!({ "webhookId": id, "overlapSeconds": 3_600 });
    let rotated = administrator.must("rotateWebhookSecret", input, "secret webhook { oldSecretUntil }").await;
    let second = rotated["secret"].as_str().unwrap().to_owned();
    assert!(rotated["webhook"]["oldSecretUntil"].is_string(), "{rotated}");
    let is_both = |it: &Delivery| verifies(&secret, it) && verifies(&second, it);
    let last = signed(&scene, &bob, &mut sequence, is_both).await;
    assert_eq!(last.headers["webhook-signature"].matches(' ').count(), 1);
    let input = json!({ "webhookId": id, "overlapSeconds": 0 });
    let rotated = administrator.must("rotateWebhookSecret", input, "secret").await;
    let third = rotated["secret"].as_str().unwrap();
    let is_third = |it: &Delivery| verifies(third, it) && !verifies(&second, it);
    signed(&scene, &bob, &mut sequence, is_third).await;

    let all: Vec<u64> = (2..=sequence).collect();
    replayed(&scene, &id, &bob, &all).await;
    let input = json!({ "webhookId": id });
    let deleted = administrator.must("deleteWebhook", input.clone(), "deletedWebhookId").await;
    assert_eq!(deleted["deletedWebhookId"], id);
    assert_eq!(
        refused(&administrator.mutate("pauseWebhook", input, "").await),
        ["unknown_webhook@webhookId"]
    );
    forbidden(&scene, &bob).await;
    super::stop(deployment);
}

/// Changes a user until a delivery is signed like this: the process that delivers notices a rotation after a moment.
async fn signed(
    scene: &Scene,
    user: &str,
    sequence: &mut u64,
    is_so: impl Fn(&Delivery) -> bool,
) -> Delivery {
    eventually("deliveries are signed like this", async || {
        *sequence += 1;
        scene.edit(user, 100 + u32::try_from(*sequence).unwrap()).await;
        scene.arrived(user, &(2..=*sequence).collect::<Vec<_>>()).await;
        is_so(scene.receiver.got().last().unwrap())
    })
    .await;
    scene.receiver.got().pop().unwrap()
}

async fn replayed(scene: &Scene, id: &str, bob: &str, all: &[u64]) {
    let both = json!({ "webhookId": id, "after": "start", "from": "2026-01-01T00:00:00Z" });
    let both = scene.administrator.mutate("replayWebhook", both, "").await;
    assert_eq!(refused(&both), ["not_applicable@from"]);
    for again in [json!({ "after": "start" }), json!({ "from": "2026-01-01T00:00:00Z" })] {
        let mut input = json!({ "webhookId": id });
        input.as_object_mut().unwrap().extend(again.as_object().unwrap().clone());
        scene.shows("everything is recorded", |it| it["behindEvents"] == 0).await;
        let from = scene.receiver.got().len();
        scene.administrator.must("replayWebhook", input, "webhook { version }").await;
        eventually("bob's events are sent once more, in order", async || {
            let got = scene.receiver.got();
            let again = got[from..].iter().filter(|it| it.event["subject"] == bob);
            let mut again: Vec<u64> = again.map(Delivery::sequence).collect();
            // At least once: a slow answer may bring a repeat.
            again.dedup();
            again == all
        })
        .await;
    }
}

/// Somebody who is no administrator sees and changes no webhook.
async fn forbidden(scene: &Scene, bob: &str) {
    let reset =
        scene.administrator.must("resetPassword", json!({ "userId": bob }), "temporaryPassword").await;
    let temporary = reset["temporaryPassword"].as_str().unwrap();
    let portal = scene.administrator.nobody().settle("bob", temporary, "seven lamps along the pier").await;
    let list = portal.send("{ webhooks { nodes { id } } }", json!({})).await;
    assert_eq!(list["errors"][0]["extensions"]["code"], "FORBIDDEN", "{list}");
    let create =
        "mutation { createWebhook(input: { name: \"x\", url: \"https://example.com\" }) { secret } }";
    let created = portal.send(create, json!({})).await;
    assert_eq!(created["errors"][0]["extensions"]["code"], "FORBIDDEN", "{created}");
}
