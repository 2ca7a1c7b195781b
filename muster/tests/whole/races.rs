//! Many at once.

use futures_util::future::join_all;
use serde_json::json;

use crate::deployment::{Deployment, eventually};

/// A thousand registrations of names that fold to one: one wins, and nobody learns who.
pub(crate) async fn thousand_registrations(deployment: Deployment) {
    let (name, temporary) = &deployment.administrator;
    let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
    let nobody = deployment.portal.nobody();
    let spellings = ["alice", "ALICE", "Alice", "aLiCe"];
    let attempts = (0..1_000).map(|n| {
        let input = json!({
            "username": spellings[n % 4], "firstName": format!("A{n}"), "lastName": "Archer", "email": "a@b.example",
        });
        let nobody = nobody.clone();
        async move { nobody.must("registerUser", input, "accepted").await["accepted"] == true }
    });
    assert!(join_all(attempts).await.into_iter().all(|accepted| accepted));
    let query = "{ users(filter: { search: \"alice\" }) { totalCount nodes { username version } }
        auditLog(filter: { action: [\"muster.user.registered\"] }) { nodes { targetName } } }";
    let mut shown = serde_json::Value::Null;
    eventually("the winner is shown", async || {
        shown = administrator.ask(query, json!({})).await;
        shown["users"]["totalCount"] == 1
    })
    .await;
    assert_eq!(shown["users"]["nodes"], json!([{ "username": "alice", "version": 1 }]));
    let registered = shown["auditLog"]["nodes"].as_array().unwrap();
    assert_eq!(registered.iter().filter(|entry| entry["targetName"] == "alice").count(), 1, "{shown}");
}
