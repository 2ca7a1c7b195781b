//! Reads every topic of a deployment as a consumer that knows nothing of Muster does.

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;

use crate::deployment::PATIENCE;
use crate::wire::WireRecord;

/// Every committed record of the topics with this prefix.
pub(crate) fn read(brokers: &str, prefix: &str) -> Vec<WireRecord> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", format!("{prefix}raw"))
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(None, PATIENCE).unwrap();
    let mut places = TopicPartitionList::new();
    for topic in metadata.topics().iter().filter(|topic| topic.name().starts_with(prefix)) {
        for partition in topic.partitions() {
            places.add_partition_offset(topic.name(), partition.id(), Offset::Beginning).unwrap();
        }
    }
    consumer.assign(&places).unwrap();
    let (mut records, mut open) = (Vec::new(), places.count());
    while open > 0 {
        match consumer.poll(PATIENCE).expect("the brokers answer") {
            Ok(message) => records.push(record(&message, prefix)),
            Err(KafkaError::PartitionEOF(_)) => open -= 1,
            Err(error) => panic!("{error}"),
        }
    }
    records
}

fn record(message: &BorrowedMessage<'_>, prefix: &str) -> WireRecord {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    let topic = message.topic().strip_prefix(prefix).unwrap().to_owned();
    let body = message.payload().map(|body| match topic.as_str() {
        "snapshots" => Value::from(text(body)),
        _ => serde_json::from_slice(body).unwrap(),
    });
    WireRecord {
        key: message.key().map(text).into(),
        headers: headers.map(|header| (header.key, text(header.value.unwrap_or_default()))).collect(),
        body: body.unwrap_or_default(),
        topic,
    }
}
