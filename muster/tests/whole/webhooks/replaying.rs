//! A replay to a point ahead of what a webhook has read.

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Scene;
use crate::deployment::Deployment;

/// Events that happened while it was paused arrive, although a replay begins after them.
pub(crate) async fn replayed_ahead(deployment: Deployment) {
    let scene = Scene::of(&deployment).await;
    let (id, _) = scene.webhook(json!({})).await;
    let alice = scene.user("alice").await;
    scene.arrived(&alice, &[1, 2, 3]).await;
    let mut sequence = 3;
    for is_from in [true, false] {
        scene.administrator.must("pauseWebhook", json!({ "webhookId": id }), "webhook { state }").await;
        // It may send on for a moment, until the process that delivers has noticed.
        let mut behind = 0;
        while behind < 3 {
            sequence += 1;
            scene.edit(&alice, 100 + u32::try_from(sequence).unwrap()).await;
            behind = scene.shown().await["behindEvents"].as_u64().unwrap();
        }
        let input = if is_from {
            let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap();
            json!({ "webhookId": id, "from": now })
        } else {
            let url = scene.receiver.url();
            let other = json!({ "name": "Other", "url": url, "types": ["muster.user.deleted"] });
            let other = scene.administrator.must("createWebhook", other, "webhook { id position }").await;
            let after = other["webhook"]["position"].clone();
            let other = json!({ "webhookId": other["webhook"]["id"] });
            scene.administrator.must("deleteWebhook", other, "deletedWebhookId").await;
            json!({ "webhookId": id, "after": after })
        };
        scene.administrator.must("replayWebhook", input, "webhook { id }").await;
        scene.administrator.must("resumeWebhook", json!({ "webhookId": id }), "webhook { id }").await;
        scene.arrived(&alice, &(1..=sequence).collect::<Vec<_>>()).await;
    }
    super::stop(deployment);
}
