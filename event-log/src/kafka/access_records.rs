//! Appending access records: outside of transactions, each to the partition of its key.

use std::time::Duration;

use log_model::Stream;
use log_model::partition;
use log_model::record::Record;
use rdkafka::error::KafkaResult;
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::message::headers;
use super::settings::{KafkaSettings, kafka_partition};
use crate::error::Unavailable;

/// How long records may wait for a broker before the append fails.
const GIVE_UP: Duration = Duration::from_secs(10);

/// A producer whose retries neither reorder nor duplicate records.
pub(super) fn producer(settings: &KafkaSettings) -> KafkaResult<FutureProducer> {
    settings
        .client()
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "5")
        .set("compression.type", "lz4")
        .set("message.timeout.ms", GIVE_UP.as_millis().to_string())
        .create()
}

/// Sends all records and waits until every one is acknowledged.
pub(super) async fn send(
    producer: &FutureProducer,
    settings: &KafkaSettings,
    partitions: u32,
    records: Vec<Record>,
) -> Result<(), Unavailable> {
    let topic = settings.topic(Stream::Access);
    let mut deliveries = Vec::with_capacity(records.len());
    for record in &records {
        let mut message = FutureRecord::to(&topic)
            .partition(kafka_partition(partition::of_key(&record.key, partitions)))
            .key(record.key.as_str())
            .headers(headers(record));
        if let Some(body) = &record.body {
            message = message.payload(body.as_slice());
        }
        deliveries.push(producer.send_result(message).map_err(|(error, _)| Unavailable(error.to_string()))?);
    }
    for delivery in deliveries {
        match delivery.await {
            Ok(Ok(_)) => {}
            Ok(Err((error, _))) => return Err(Unavailable(error.to_string())),
            Err(_) => return Err(Unavailable("the log was closed".to_owned())),
        }
    }
    Ok(())
}
