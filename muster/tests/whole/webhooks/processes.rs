//! What was owed to a webhook survives every death.

use serde_json::json;

use super::Scene;
use super::receiver::{Delivery, Reply};
use crate::deployment::{Deployment, eventually};

/// Killed in the middle, it goes on where it was: it repeats, and loses nothing.
pub(crate) async fn survives_a_kill(mut deployment: Deployment) {
    let mut scene = Scene::of(&deployment).await;
    scene.webhook(json!({})).await;
    let users = [scene.user("alice").await, scene.user("bob").await];
    for user in &users {
        scene.arrived(user, &[1, 2, 3]).await;
    }
    // It dies with deliveries on their way, failed and queued.
    let stuck = users[1].clone();
    scene.receiver.answers(move |delivery| {
        if delivery.event["subject"] == stuck.as_str() { Reply::Stall } else { Reply::Status(200) }
    });
    for interval in 31..=34 {
        for user in &users {
            scene.edit(user, interval).await;
        }
    }
    eventually("one is on its way", async || scene.receiver.sequences(&users[1]).contains(&4)).await;
    deployment.kill();
    scene.receiver.answers(|_| Reply::Status(200));
    deployment.start().await;
    scene.administrator = scene.administrator.moved_to(&deployment.portal);
    for user in &users {
        scene.edit(user, 35).await;
        scene.arrived(user, &(1..=8).collect::<Vec<_>>()).await;
    }
    scene.shows("everything is delivered", |it| it["behindEvents"] == 0 && it["deadLetters"] == 0).await;
    super::stop(deployment);
}

/// Two processes share three webhooks; when one dies, the other delivers for both.
pub(crate) async fn shared(mut deployment: Deployment) {
    deployment.start_role("webhook-service").await;
    let scene = Scene::of(&deployment).await;
    for name in ["First", "Second", "Third"] {
        let url = format!("{}?{name}", scene.receiver.url());
        let input = json!({ "name": name, "url": url });
        scene.administrator.must("createWebhook", input, "webhook { id }").await;
    }
    let sent = |user: &str, name: &str| {
        let got = scene.receiver.got();
        let of = got.iter().filter(|it| it.event["subject"] == user && it.head.contains(name));
        let mut sequences: Vec<u64> = of.map(Delivery::sequence).collect();
        // On a slow machine an answer may come too late, and its event is sent again.
        sequences.dedup();
        sequences
    };
    let alice = scene.user("alice").await;
    for name in ["First", "Second", "Third"] {
        eventually("each gets its events", async || sent(&alice, name) == [1, 2, 3]).await;
    }
    deployment.kill_one("webhook-service");
    scene.edit(&alice, 31).await;
    for name in ["First", "Second", "Third"] {
        eventually("the other takes over", async || sent(&alice, name).contains(&4)).await;
    }
    super::stop(deployment);
}
