//! Records that Muster did not write: they halt what they concern, and an operator skips them.

use std::time::Duration;

use domain::id::UserId;
use domain::names::Username;
use log_model::{Stream, StreamPartition, partition};
use rdkafka::ClientConfig;
use rdkafka::message::{Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::deployment::{Deployment, eventually};
use crate::portal::Portal;

const PLACES: [StreamPartition; 4] = [
    StreamPartition::new(Stream::UserEvents, 0),
    StreamPartition::new(Stream::GroupEvents, 0),
    StreamPartition::new(Stream::Credentials, 0),
    StreamPartition::new(Stream::Access, 0),
];
const PASSWORD: &str = "a quiet harbour at dawn";

/// Strays on every stream that views and owners read: halted, refused to skip what is healthy, skipped, audited, passed
/// over by a rebuild.
pub(crate) async fn are_skipped(mut deployment: Deployment) {
    let (name, temporary) = deployment.administrator.clone();
    let administrator = deployment.portal.settle(&name, &temporary, PASSWORD).await;
    administrator.must("createGroup", json!({ "name": "staff" }), "group { id }").await;
    deployment.stop();
    let mut strays = Vec::new();
    for place in PLACES {
        strays.push((place, deployment.stray(place).await));
    }
    assert_eq!(deployment.run(&["log", "verify"]).status.code(), Some(1));
    refuses_what_is_no_stray(&deployment, &strays).await;
    if deployment.views().is_none() {
        let unsigned = String::from_utf8(deployment.run(&["log", "checkpoint"]).stderr).unwrap();
        assert!(unsigned.contains("has to be skipped first"), "{unsigned}");
    }

    deployment.start_halted().await;
    let halted = async || status(&deployment).matches("HALTED").count() == PLACES.len();
    eventually("every stray halts its place", halted).await;
    // The embedded log belongs to its one process, so that ends first.
    if deployment.views().is_none() {
        deployment.stop();
    }
    for (place, offset) in &strays {
        let skipped = deployment.skip(&place.to_string(), *offset, &format!("stray on {place}"));
        assert_eq!(skipped, (Some(0), format!("{place} offset {offset} is skipped.")));
    }
    if deployment.views().is_none() {
        deployment.start().await;
    }
    eventually("the views go on", async || !status(&deployment).contains("HALTED")).await;
    serves(&deployment, &strays, "bo").await;

    deployment.stop();
    deployment.remove_what_is_derived().await;
    deployment.start().await;
    serves(&deployment, &strays, "cy").await;
    deployment.stop();
    for (place, offset) in &strays {
        let again = deployment.skip(&place.to_string(), *offset, "once more");
        assert_eq!(again, (Some(0), format!("{place} offset {offset} was skipped before")));
    }
}

/// Nothing is written where there is nothing to skip, and each answer names what was asked for.
async fn refuses_what_is_no_stray(deployment: &Deployment, strays: &[(StreamPartition, u64)]) {
    let log = deployment.open_log().await;
    let before = log.ends().await.unwrap();
    let (_, stray) = strays[0];
    // Offset 0 of every log is a claim record.
    for (place, offset, reason, code, said) in [
        ("user-events-0", 0, "x", 1, "user-events-0 offset 0 can be read (a claim record)"),
        ("user-events-0", 1_000_000, "x", 1, "user-events-0 has no record at offset 1000000"),
        ("user-events-99", 0, "x", 1, "the log has no user-events-99"),
        ("group-events-1", 0, "x", 1, "the log has no group-events-1: group-events has 1 partitions"),
        ("users-0", 0, "x", 2, "`users-0` is not a partition such as user-events-3"),
        ("user-events-0", stray, " ", 1, "This must be given."),
    ] {
        let (found, answer) = deployment.skip(place, offset, reason);
        assert_eq!(found, Some(code), "{answer}");
        assert!(answer.contains(said), "{answer}");
    }
    assert_eq!(log.ends().await.unwrap(), before);
}

/// The owners of partition 0 write, the audit log and the verification show every skip.
async fn serves(deployment: &Deployment, strays: &[(StreamPartition, u64)], prefix: &str) {
    let partitions = deployment.open_log().await.partitions();
    let is_first =
        |name: &String| partition::of(UserId::of(&Username::parse(name).unwrap()).uuid(), partitions) == 0;
    let signed_in = deployment.portal.sign_in("administrator", PASSWORD).await;
    let administrator = deployment.portal.with_session(signed_in["sessionToken"].as_str().unwrap());
    let group = json!({ "name": format!("{prefix}-group") });
    administrator.must("createGroup", group, "group { id }").await;
    let username = (0..1_000).map(|number| format!("{prefix}{number:03}")).find(is_first).unwrap();
    let user = json!({ "username": username, "firstName": "A", "lastName": "B", "email": format!("{username}@mail.example") });
    deployment.portal.nobody().must("registerUser", user, "accepted").await;
    let known = async || users(&administrator).await.contains(&username);
    eventually("the user is shown", known).await;

    let mut expected: Vec<_> = strays
        .iter()
        .map(|(place, offset)| (format!("{place} offset {offset}"), format!("stray on {place}")))
        .collect();
    let mut audited = skips(&administrator).await;
    expected.sort();
    audited.sort();
    assert_eq!(audited, expected);
    if deployment.views().is_none() {
        let note = deployment.directory.path().join("note").to_str().unwrap().to_owned();
        std::fs::write(&note, deployment.run(&["log", "checkpoint"]).stdout).unwrap();
        let verified = deployment.run(&["log", "verify", "--checkpoint", &note]);
        assert!(verified.status.success(), "{verified:?}");
    }
    let verified = deployment.run(&["log", "verify"]);
    let said = String::from_utf8(verified.stdout).unwrap();
    assert_eq!(verified.status.code(), Some(0), "{said}");
    for (place, offset) in strays {
        assert!(said.contains(&format!("{place}: offset {offset} is skipped: stray on {place}")), "{said}");
    }
}

async fn users(administrator: &Portal) -> Vec<String> {
    let data = administrator.ask("{ users(first: 100) { nodes { username } } }", json!({})).await;
    let nodes = data["users"]["nodes"].as_array().unwrap().clone();
    nodes.iter().map(|node| node["username"].as_str().unwrap().to_owned()).collect()
}

/// The record and the reason of every skip in the audit log.
async fn skips(administrator: &Portal) -> Vec<(String, String)> {
    let query = "{ auditLog(first: 50, filter: { action: [\"muster.deployment.record_skipped\"] }) {
        nodes { actorName changes { field new } } } }";
    let data = administrator.ask(query, json!({})).await;
    let nodes = data["auditLog"]["nodes"].as_array().unwrap().clone();
    let text = |node: &Value, field: &str| {
        let changes = node["changes"].as_array().unwrap();
        let change = changes.iter().find(|change| change["field"] == field).unwrap();
        change["new"].as_str().unwrap().to_owned()
    };
    assert!(nodes.iter().all(|node| node["actorName"] == "system"), "{nodes:?}");
    nodes.iter().map(|node| (text(node, "record"), text(node, "reason"))).collect()
}

fn status(deployment: &Deployment) -> String {
    String::from_utf8(deployment.run(&["projection", "status"]).stdout).unwrap()
}

impl Deployment {
    /// Runs `muster projection skip`. Returns the exit code, and the first sentence of what it says.
    pub(crate) fn skip(&self, place: &str, offset: u64, reason: &str) -> (Option<i32>, String) {
        let offset = offset.to_string();
        let output = self.run(&["projection", "skip", place, &offset, "--reason", reason]);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap().trim().to_owned();
        let first = said.split(" It could not").next().unwrap().to_owned();
        (output.status.code(), first)
    }

    /// Writes a record as no release of Muster does. Returns its offset. The deployment must be stopped.
    pub(crate) async fn stray(&self, place: StreamPartition) -> u64 {
        let Some(log) = self.setting("MUSTER_LOG") else { return self.stray_row(place.stream).await };
        let producer: FutureProducer = ClientConfig::new()
            .set("bootstrap.servers", log.trim_start_matches("kafka://"))
            .create()
            .unwrap();
        let topic = format!("{}{}", self.setting("MUSTER_TOPIC_PREFIX").unwrap(), place.stream);
        let record = FutureRecord::to(&topic).partition(i32::try_from(place.partition).unwrap());
        let record = record.payload("hello").headers(OwnedHeaders::new());
        // The broker refuses a record without a key where a key counts.
        let record = if place.stream.is_compacted() { record.key("key") } else { record };
        let sent = producer.send::<str, str, _>(record, Duration::from_secs(30)).await;
        let delivered = sent.map_err(|(error, message)| format!("{error}: {:?}", message.topic())).unwrap();
        u64::try_from(delivered.offset).unwrap()
    }

    async fn stray_row(&self, stream: Stream) -> u64 {
        let file = format!("sqlite://{}", self.directory.path().join("data/log.db").display());
        let mut connection = SqliteConnection::connect(&file).await.unwrap();
        let table = stream.name().replace('-', "_");
        let insert = format!(
            "INSERT INTO {table} (offset, key, headers, body)
             SELECT coalesce(max(offset) + 1, 0), 'key', '{{', x'68656c6c6f' FROM {table} RETURNING offset"
        );
        let offset: i64 = sqlx::query_scalar(AssertSqlSafe(insert)).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        u64::try_from(offset).unwrap()
    }

    /// Removes the views and, where they are files, the snapshots.
    async fn remove_what_is_derived(&self) {
        if let Some(views) = self.views() {
            let mut connection = PgConnection::connect(&views).await.unwrap();
            sqlx::raw_sql("DROP SCHEMA views CASCADE").execute(&mut connection).await.unwrap();
            return;
        }
        let data = self.directory.path().join("data");
        for file in ["views.db", "views.db-wal", "views.db-shm", "snapshot"].map(|name| data.join(name)) {
            // A clean end may leave a journal behind, or none.
            if file.exists() {
                std::fs::remove_file(file).unwrap();
            }
        }
    }
}
