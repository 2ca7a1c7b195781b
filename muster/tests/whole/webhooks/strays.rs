//! A record that nobody can read stops a webhook there, and skipping it lets the webhook go on.

use domain::id::UserId;
use domain::names::Username;
use log_model::{Stream, StreamPartition, partition};
use serde_json::{Value, json};

use super::Scene;
use crate::deployment::Deployment;

/// What comes before the record arrives, the webhook says where it stands, and what comes after a skip arrives, too.
pub(crate) async fn stops_at_a_stray(mut deployment: Deployment) {
    let mut scene = Scene::of(&deployment).await;
    scene.webhook(json!({})).await;
    let partitions = deployment.open_log().await.partitions();
    let is_first =
        |name: &String| partition::of(UserId::of(&Username::parse(name).unwrap()).uuid(), partitions) == 0;
    let mut names = (0..1_000).map(|number| format!("user{number:03}")).filter(is_first);
    let alice = scene.user(&names.next().unwrap()).await;
    scene.arrived(&alice, &[1, 2, 3]).await;
    deployment.stop();

    let place = StreamPartition::new(Stream::UserEvents, 0);
    let offset = deployment.stray(place).await;
    deployment.start_halted().await;
    scene.administrator = scene.administrator.moved_to(&deployment.portal);
    let said = format!("user-events-0 can't be read further: offset {offset}");
    scene
        .shows("it stops at the record", |it| {
            let is_said = it["lastError"].as_str().is_some_and(|error| error.starts_with(&said));
            is_said && it["state"] == "FAILING"
        })
        .await;
    // The embedded log belongs to its one process, so that ends first.
    if deployment.views().is_none() {
        deployment.stop();
    }
    let (code, answer) = deployment.skip("user-events-0", offset, "a stray");
    assert_eq!(code, Some(0), "{answer}");
    if deployment.views().is_none() {
        deployment.start().await;
        scene.administrator = scene.administrator.moved_to(&deployment.portal);
    }
    scene.shows("it goes on", |it| it["lastError"] == Value::Null && it["state"] == "ACTIVE").await;
    let bob = scene.user(&names.next().unwrap()).await;
    scene.arrived(&bob, &[1, 2, 3]).await;
    assert_eq!(scene.receiver.sequences(&alice), [1, 2, 3], "nothing was lost");
    super::stop(deployment);
}
