//! Private networks are not reached unless the operator allows them, however they are named.

use serde_json::json;

use super::Scene;
use crate::deployment::Deployment;

/// The address that would be connected to is judged: of literals, in odd spellings, and of names that resolve to it.
pub(crate) async fn private_is_refused(deployment: Deployment) {
    let scene = Scene::of(&deployment).await;
    let port = scene.receiver.port;
    let (id, _) = scene.webhook(json!({ "types": ["muster.user.registered"] })).await;
    for (number, host) in ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]", "2130706433"]
        .into_iter()
        .enumerate()
    {
        let url = format!("http://{host}:{port}/");
        scene
            .administrator
            .must("editWebhook", json!({ "webhookId": id, "url": url }), "webhook { url }")
            .await;
        scene.user(&format!("user{number}")).await;
        let shown = scene.shows("it was given up", |it| it["deadLetters"] == number + 1).await;
        let error = shown["lastError"].as_str().unwrap();
        assert!(error.contains("--webhook-networks"), "{host}: {error}");
    }
    assert_eq!(scene.receiver.connections(), 0, "nobody may have connected");
    super::stop(deployment);
}
