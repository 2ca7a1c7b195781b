//! What does not arrive is tried again, holds up its own user alone, and is given up at last.

use serde_json::json;

use super::Scene;
use super::receiver::Reply;
use crate::deployment::{Deployment, eventually};
use crate::portal::refused;

/// One user's events fail in every way that there is; the others' go on.
pub(crate) async fn held_up(deployment: Deployment) {
    let scene = Scene::of(&deployment).await;
    scene.webhook(json!({})).await;
    let alice = scene.user("alice").await;
    scene.arrived(&alice, &[1, 2, 3]).await;

    // A redirect is not followed, and a failure names its status.
    for (reply, error) in [
        (Reply::Redirect, "302"),
        (Reply::Status(415), "415"),
        (Reply::Status(500), "500"),
        (Reply::Stall, "no answer"),
        (Reply::Close, ""),
    ] {
        let failing = alice.clone();
        scene.receiver.answers(move |delivery| {
            if delivery.event["subject"] == failing.as_str() { reply } else { Reply::Status(200) }
        });
        let dead = scene.deliveries("DEAD").await.len();
        scene.edit(&alice, 100 + u32::try_from(dead).unwrap()).await;
        scene.edit(&alice, 200 + u32::try_from(dead).unwrap()).await;
        let other = scene.user(&format!("other{dead}")).await;
        scene.arrived(&other, &[1, 2, 3]).await;
        eventually("both are given up", async || scene.deliveries("DEAD").await.len() == dead + 2).await;
        let newest = scene.deliveries("DEAD").await[0].clone();
        assert_eq!(newest["attempts"], 3, "{newest}");
        assert!(newest["error"].as_str().unwrap().contains(error), "{newest}");
    }
    let elsewhere = scene.receiver.got().iter().any(|delivery| delivery.head.contains("/elsewhere"));
    assert!(!elsewhere, "a redirect was followed");
    let sent: Vec<u64> = scene.receiver.sequences(&alice);
    assert_eq!(sent, (1..=13).collect::<Vec<_>>(), "in order, although they fail");

    // What was given up is sent again when somebody asks for it.
    scene.receiver.answers(|_| Reply::Status(202));
    let shown = scene.shows("ten are given up", |it| it["deadLetters"] == 10).await;
    assert_eq!(shown["behindEvents"], 0, "{shown}");
    let delivery = scene.deliveries("DEAD").await[0].clone();
    let retried = json!({ "deliveryId": delivery["id"], "commandId": "again" });
    scene.administrator.must("retryDelivery", retried.clone(), "delivery { id outcome }").await;
    eventually("it arrives", async || {
        scene.deliveries("DELIVERED").await.iter().any(|it| it["id"] == delivery["id"])
    })
    .await;
    assert_eq!(scene.deliveries("DEAD").await.len(), 9);
    let once_more = json!({ "deliveryId": delivery["id"] });
    let once_more = scene.administrator.mutate("retryDelivery", once_more, "delivery { id }").await;
    assert_eq!(refused(&once_more), ["not_applicable@deliveryId"]);
    let unknown = json!({ "deliveryId": "delivery_0b9f4c1e-6f0e-5d7a-9a43-1f2c3d4e5f60" });
    let unknown = scene.administrator.mutate("retryDelivery", unknown, "delivery { id }").await;
    assert_eq!(refused(&unknown), ["unknown_delivery@deliveryId"]);
    super::stop(deployment);
}

/// A receiver that says that it is gone is left alone until somebody resumes the webhook.
pub(crate) async fn disabled(deployment: Deployment) {
    let scene = Scene::of(&deployment).await;
    let (id, _) = scene.webhook(json!({})).await;
    scene.receiver.answers(|_| Reply::Status(410));
    let alice = scene.user("alice").await;
    let shown = scene.shows("it is disabled", |it| it["state"] == "DISABLED").await;
    assert!(shown["lastError"].as_str().unwrap().starts_with("410"), "{shown}");
    let sent = scene.receiver.got().len();
    let bob = scene.user("bob").await;
    scene.shows("events wait", |it| it["behindEvents"].as_u64() >= Some(6)).await;
    assert_eq!(scene.receiver.got().len(), sent, "it was left alone");

    scene.receiver.answers(|_| Reply::Status(200));
    scene.administrator.must("resumeWebhook", json!({ "webhookId": id }), "webhook { id }").await;
    scene.arrived(&alice, &[1, 2, 3]).await;
    scene.arrived(&bob, &[1, 2, 3]).await;
    scene.shows("it is active", |it| it["state"] == "ACTIVE" && it["behindEvents"] == 0).await;
    super::stop(deployment);
}
