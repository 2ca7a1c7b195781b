//! Writes the records of a fixture into topics so that each lies where it lay.
//!
//! Offsets matter: that of a claim record is the epoch of an owner, and a snapshot names the last record it covers. The end of a
//! transaction takes an offset of its own, so a gap shows where one ended.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::Value;

/// How long a call of the brokers may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// Offsets may change in these, because nothing refers to them. In `owners` the transactions of several owners overlap, and
/// replaced snapshots are missing at the beginning of `snapshots`.
const OFFSETS_CHANGE: [&str; 2] = ["owners", "snapshots"];

/// The records of a fixture, by topic and partition.
pub(crate) struct Topics(BTreeMap<(String, i32), Partition>);

struct Partition {
    begin: i64,
    end: i64,
    records: Vec<Value>,
}

impl Topics {
    pub(crate) fn read(directory: &Path) -> Self {
        let lines = |name: &str| -> Vec<Value> {
            let text = fs::read_to_string(directory.join(name)).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let place = |line: &Value| (text(&line["topic"]).to_owned(), partition(line));
        let mut topics = BTreeMap::new();
        for line in lines("partitions.ndjson") {
            let (begin, end) = (number(&line, "begin"), number(&line, "end"));
            topics.insert(place(&line), Partition { begin, end, records: Vec::new() });
        }
        for line in lines("records.ndjson") {
            topics.get_mut(&place(&line)).unwrap().records.push(line);
        }
        Self(topics)
    }

    /// How many partitions a topic has.
    pub(crate) fn partitions(&self, topic: &str) -> usize {
        self.0.keys().filter(|(name, _)| name == topic).count()
    }

    /// Writes all of them, with transactions where there were some.
    pub(crate) fn write(&self, brokers: &str, prefix: &str) {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", brokers);
        let plain: Sender = client.clone().set("enable.idempotence", "true").create().unwrap();
        let owning: Sender =
            client.clone().set("transactional.id", format!("{prefix}fixture")).create().unwrap();
        owning.init_transactions(PATIENCE).unwrap();

        let mut transactions: BTreeMap<usize, Vec<(String, &Value)>> = BTreeMap::new();
        for ((topic, _), partition) in &self.0 {
            let topic = format!("{prefix}{topic}");
            for (nth, run) in
                partition.records.chunk_by(|one, next| offset(one) + 1 == offset(next)).enumerate()
            {
                for record in run {
                    if partition.is_transactional() {
                        transactions.entry(nth).or_default().push((topic.clone(), record));
                    } else {
                        send(&plain, &topic, record);
                    }
                }
            }
        }
        plain.flush(PATIENCE).unwrap();
        for records in transactions.values() {
            owning.begin_transaction().unwrap();
            for (topic, record) in records {
                send(&owning, topic, record);
            }
            owning.commit_transaction(PATIENCE).unwrap();
        }
        self.check_ends(&client, prefix);
    }

    fn check_ends(&self, client: &ClientConfig, prefix: &str) {
        let consumer: BaseConsumer = client.create().unwrap();
        for ((topic, partition), written) in &self.0 {
            if !OFFSETS_CHANGE.contains(&topic.as_str()) {
                let (_, end) =
                    consumer.fetch_watermarks(&format!("{prefix}{topic}"), *partition, PATIENCE).unwrap();
                assert_eq!(end, written.end, "{topic}-{partition} ends where it did");
            }
        }
    }
}

impl Partition {
    fn is_transactional(&self) -> bool {
        self.end - self.begin > i64::try_from(self.records.len()).unwrap()
    }
}

type Sender = ThreadedProducer<DefaultProducerContext>;

/// Sends one record with the present time. Only the broker reads that time, and it deletes access records that are too old.
fn send(producer: &Sender, topic: &str, record: &Value) {
    let body = match &record["bodyBase64"] {
        Value::String(encoded) => Some(BASE64_STANDARD.decode(encoded).unwrap()),
        _ => record["body"].as_str().map(|body| body.as_bytes().to_vec()),
    };
    let headers = record["headers"].as_array().unwrap();
    let headers = headers.iter().fold(OwnedHeaders::new(), |headers, header| {
        headers.insert(Header { key: text(&header[0]), value: Some(text(&header[1])) })
    });
    let mut message = BaseRecord::<str, [u8]>::to(topic).partition(partition(record)).headers(headers);
    if let Some(key) = record["key"].as_str() {
        message = message.key(key);
    }
    if let Some(body) = &body {
        message = message.payload(body);
    }
    producer.send(message).map_err(|(error, _)| error).unwrap();
}

fn partition(line: &Value) -> i32 {
    i32::try_from(number(line, "partition")).unwrap()
}

fn offset(record: &Value) -> i64 {
    number(record, "offset")
}

fn number(line: &Value, name: &str) -> i64 {
    line[name].as_i64().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
