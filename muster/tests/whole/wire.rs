//! What lies in the log is what `schemas` says: each record is exactly one of the messages of its topic.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::{Draft, Validator};
use log_model::StreamPartition;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::raw_topics;
use crate::upgrades::versions;

/// A record as readers in any language get it.
#[derive(Debug)]
pub(crate) struct WireRecord {
    /// Without prefix.
    pub(crate) topic: String,
    pub(crate) key: Value,
    pub(crate) headers: Value,
    /// Its JSON; null for a tombstone, and any text for bytes.
    pub(crate) body: Value,
}

/// The messages of `schemas/asyncapi.yaml` by topic.
struct Described(BTreeMap<String, Vec<Message>>);

struct Message {
    name: String,
    key: Validator,
    headers: Validator,
    payload: Validator,
}

impl Described {
    fn read() -> Self {
        let text = fs::read_to_string(schemas().join("asyncapi.yaml")).unwrap();
        let (comment, text) = text.split_once('\n').unwrap();
        assert!(comment.starts_with('#'));
        let document: Value = serde_json::from_str(text).unwrap();
        let channels = document["channels"].as_object().unwrap().values();
        Self(channels.map(|channel| Self::channel(&document, channel)).collect())
    }

    fn channel(document: &Value, channel: &Value) -> (String, Vec<Message>) {
        let topic = channel["address"].as_str().unwrap().strip_prefix("{prefix}").unwrap().to_owned();
        let names = channel["messages"].as_object().unwrap().keys();
        let messages = names.map(|name| Message::read(document, name)).collect();
        (topic, messages)
    }

    fn check(&self, record: &WireRecord) {
        let fits = |message: &&Message| {
            message.key.is_valid(&record.key)
                && message.headers.is_valid(&record.headers)
                && message.payload.is_valid(&record.body)
        };
        let found: Vec<_> = self.0[&record.topic].iter().filter(fits).map(|message| &message.name).collect();
        assert_eq!(found.len(), 1, "{found:?} for {record:?}{}", self.complaints(record));
        if let Some(wire_name) = record.headers["ce_type"].as_str() {
            assert_eq!(found[0], wire_name);
        }
    }

    /// What each message of the topic says against the headers and the body.
    fn complaints(&self, record: &WireRecord) -> String {
        let complain = |message: &Message| {
            let of = [
                ("key", &message.key, &record.key),
                ("headers", &message.headers, &record.headers),
                ("body", &message.payload, &record.body),
            ];
            let said = of.map(|(part, validator, value)| {
                let errors = validator.iter_errors(value);
                errors.map(|error| format!("\n  {part}: {error}")).collect::<Vec<_>>().concat()
            });
            format!("\n{}:{}", message.name, said.concat())
        };
        self.0[&record.topic].iter().map(complain).collect()
    }
}

impl Message {
    fn read(document: &Value, name: &str) -> Self {
        let message = &document["components"]["messages"][name];
        let inline = |schema: &Value| {
            let schema = json!({ "allOf": [schema], "components": document["components"] });
            jsonschema::options().with_draft(Draft::Draft7).build(&schema).unwrap()
        };
        let payload = match message["payload"]["$ref"].as_str().and_then(|it| it.strip_prefix("./events/")) {
            Some(file) => event_schema(file.trim_end_matches(".json")),
            None => inline(&message["payload"]),
        };
        let (key, headers) = (inline(&message["bindings"]["kafka"]["key"]), inline(&message["headers"]));
        Self { name: name.to_owned(), key, headers, payload }
    }
}

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

/// The validator of an event's data. The schema itself says which draft it follows.
fn event_schema(name: &str) -> Validator {
    let text = fs::read_to_string(schemas().join(format!("events/{name}.json"))).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// Checks everything that a deployment has written: on Kafka the bytes of every topic, else what the log reads.
pub(crate) async fn everything_is_described(deployment: &Deployment) {
    let described = Described::read();
    let records = match deployment.topics() {
        Some((brokers, prefix)) => {
            tokio::task::spawn_blocking(move || raw_topics::read(&brokers, &prefix)).await.unwrap()
        }
        None => embedded(deployment).await,
    };
    assert!(records.len() > 30, "{} records", records.len());
    for record in &records {
        described.check(record);
    }
}

async fn embedded(deployment: &Deployment) -> Vec<WireRecord> {
    let log = deployment.open_log().await;
    let mut scan = log_consumer::Scan::new(&*log, StreamPartition::all(log.partitions()));
    let mut records = Vec::new();
    while let Some(read) = scan.next().await.unwrap() {
        records.extend(read.into_iter().map(|recorded| WireRecord {
            topic: recorded.place.stream.to_string(),
            key: recorded.record.key.into(),
            headers: recorded.record.headers.into_iter().collect(),
            body: recorded.record.body.map_or(Value::Null, |body| serde_json::from_slice(&body).unwrap()),
        }));
    }
    records
}

#[test]
fn f43_every_golden_event_fits_its_schema() {
    let mut smaller = 0;
    for entry in fs::read_dir(schemas().join("fixtures")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let schema = event_schema(stem.split('@').next().unwrap());
        let golden: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let complaints: Vec<_> = schema.iter_errors(&golden).map(|error| error.to_string()).collect();
        assert_eq!(complaints, [""; 0], "{stem}");
        // Some fields are optional. If no event lacked any, the schemas would ask for nothing.
        let fields = golden.as_object().unwrap();
        let is_asked_for = |name: &String| {
            let mut without = fields.clone();
            without.remove(name);
            !schema.is_valid(&Value::Object(without))
        };
        smaller += u32::from(fields.keys().any(is_asked_for));
    }
    assert!(smaller > 20, "only {smaller} schemas ask for a field");
}

#[test]
fn f43_every_record_of_earlier_versions_is_described() {
    let described = Described::read();
    for version in versions() {
        let text = fs::read_to_string(version.join("kafka/records.ndjson")).unwrap();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let headers = line["headers"].as_array().unwrap().iter();
            let body = match (&line["bodyBase64"], &line["body"]) {
                // A snapshot may happen to be text.
                (bytes @ Value::String(_), _) => bytes.clone(),
                (_, text @ Value::String(_)) if line["topic"] == "snapshots" => text.clone(),
                (_, Value::String(text)) => serde_json::from_str(text).unwrap(),
                _ => Value::Null,
            };
            described.check(&WireRecord {
                topic: line["topic"].as_str().unwrap().to_owned(),
                key: line["key"].clone(),
                headers: headers.map(|pair| (pair[0].as_str().unwrap(), pair[1].clone())).collect(),
                body,
            });
        }
    }
}
