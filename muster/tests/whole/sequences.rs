//! The sequence of an event sorts as text, also where a log begins with records of 0.1.0, whose sequence doesn't.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::portal::Portal;
use crate::replay::Topics;
use crate::upgrades::{read, unpacked, versions};

/// Digits of a sequence.
const DIGITS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn f26_an_embedded_log_of_0_1_0_goes_on_with_sequences_that_sort() {
    goes_on(Deployment::embedded_in(unpacked(&versions()[0])).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f26_topics_of_0_1_0_go_on_with_sequences_that_sort() {
    let topics = Topics::read(&versions()[0].join("kafka"));
    let partitions = topics.partitions("user-events");
    let fill = move |brokers: &str, prefix: &str| topics.write(brokers, prefix);
    if let Some(deployment) = Deployment::distributed_on(partitions, fill).await {
        goes_on(deployment).await;
    }
}

async fn goes_on(mut deployment: Deployment) {
    let checks = read(&versions()[0].join("embedded/checks.json"));
    let before = sequences(&deployment);
    assert!(before.values().flatten().any(|text| text.len() < DIGITS), "the log has old records");
    let administrator = signed_in(&deployment, &checks).await;
    let user = administrator.ask("{ user(username: \"bruno\") { id version } }", json!({})).await;
    let (id, version) = (user["user"]["id"].as_str().unwrap(), user["user"]["version"].as_u64().unwrap());
    for count in 1..4 {
        change(&administrator, id, count, version + count).await;
    }
    let group = json!({ "groupId": group(&administrator).await, "description": "Everybody on the pier" });
    administrator.must("editGroup", group, "").await;

    // Owners start with a snapshot, which holds what they remember of old and new events alike.
    deployment.stop();
    deployment.start().await;
    let administrator = signed_in(&deployment, &checks).await;
    change(&administrator, id, 1, version + 3).await;
    change(&administrator, id, 4, version + 4).await;
    let history = "query($id: ID!) { user(id: $id) { history(first: 100) { nodes { action } } } }";
    let history = administrator.ask(history, json!({ "id": id })).await;
    let shown = history["user"]["history"]["nodes"].as_array().unwrap().len() as u64;
    assert!(shown >= version + 4, "{shown} of {} events", version + 4);

    let after = sequences(&deployment);
    assert_eq!(after[id].len() as u64, version + 4, "the repeated command wrote nothing");
    for (key, texts) in &after {
        let numbers: Vec<u64> = texts.iter().map(|text| text.parse().unwrap()).collect();
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{key}: {texts:?}");
        let old = before.get(key).map_or(0, Vec::len);
        let new = texts[old..].iter().filter(|text| text.len() == DIGITS).count();
        assert_eq!(new, texts.len() - old, "{key}: {texts:?}");
    }
    let verified = deployment.run(&["log", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
}

async fn signed_in(deployment: &Deployment, checks: &Value) -> Portal {
    let text = |name: &str| checks["administrator"][name].as_str().unwrap().to_owned();
    let signed_in = deployment.portal.sign_in(&text("username"), &text("password")).await;
    deployment.portal.with_session(signed_in["sessionToken"].as_str().unwrap())
}

/// Changes a user and checks the version that is answered.
async fn change(administrator: &Portal, id: &str, count: u64, version: u64) {
    let command = format!("sequence-{count}");
    let input = json!({ "userId": id, "phone": format!("+49 40 {count}"), "commandId": command });
    let updated = administrator.must("updateProfile", input, "user { version }").await;
    assert_eq!(updated["user"]["version"], version, "change {count}");
}

async fn group(administrator: &Portal) -> Value {
    let mut found = administrator.ask("{ groups(first: 1) { nodes { id } } }", json!({})).await;
    found["groups"]["nodes"][0]["id"].take()
}

/// The sequences of every user and group, in the order of the log.
fn sequences(deployment: &Deployment) -> BTreeMap<String, Vec<String>> {
    let tail = deployment.run(&["log", "tail", "--until-end"]);
    let mut sequences = BTreeMap::<_, Vec<_>>::new();
    for line in String::from_utf8(tail.stdout).unwrap().lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let is_event = record["stream"] == "user-events" || record["stream"] == "group-events";
        if let Some(text) = record["headers"]["ce_sequence"].as_str().filter(|_| is_event) {
            let key = record["key"].as_str().unwrap().to_owned();
            sequences.entry(key).or_default().push(text.to_owned());
        }
    }
    sequences
}
