//! What a deleted webhook left is deleted beside the work.

use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::Scene;
use crate::deployment::{Deployment, eventually};

/// While the deliveries of a deleted webhook can't be deleted, another webhook is begun and delivers.
pub(crate) async fn beside_a_slow_delete(deployment: Deployment) {
    let scene = Scene::of(&deployment).await;
    let (id, _) = scene.webhook(json!({})).await;
    let alice = scene.user("alice").await;
    scene.arrived(&alice, &[1, 2, 3]).await;
    scene.shows("everything is recorded", |it| it["behindEvents"] == 0).await;

    let mut database = PgConnection::connect(&deployment.views().unwrap()).await.unwrap();
    let mut lock = database.begin().await.unwrap();
    let locked = "SELECT id FROM operational.webhook_deliveries FOR UPDATE";
    let rows = sqlx::query(locked).fetch_all(&mut *lock).await.unwrap();
    assert_eq!(rows.len(), 3);
    scene.administrator.must("deleteWebhook", json!({ "webhookId": id }), "deletedWebhookId").await;
    let input = json!({ "name": "Other", "url": format!("{}?other", scene.receiver.url()) });
    scene.administrator.must("createWebhook", input, "webhook { id }").await;
    let bob = scene.user("bob").await;
    eventually("the other webhook delivers", async || {
        let got = scene.receiver.got();
        let of = got.iter().filter(|it| it.event["subject"] == bob.as_str() && it.head.contains("?other"));
        of.map(super::receiver::Delivery::sequence).max() == Some(3)
    })
    .await;
    lock.rollback().await.unwrap();
    let left = "SELECT count(*) FROM operational.webhook_deliveries WHERE webhook_id <> \
        (SELECT id FROM views.webhooks WHERE name = 'Other')";
    eventually("what the first left is deleted", async || {
        sqlx::query_scalar::<_, i64>(left).fetch_one(&mut database).await.unwrap() == 0
    })
    .await;
    super::stop(deployment);
}
