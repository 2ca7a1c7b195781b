//! Raw transactions on Kafka: one producer per partition, with the settings that were measured to be best.

use std::time::{Duration, Instant};

use anyhow::Result;
use rdkafka::config::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};

use super::{Job, Jobs, KEY, Limit, MOST, Row, answer, rows};

/// Pause after a commit to one topic: shorter ones meet a back-off of the client library.
const GAP: Duration = Duration::from_millis(2);
/// The same after a commit to two topics.
const WIDE_GAP: Duration = Duration::from_micros(3_500);
const TIMEOUT: Duration = Duration::from_secs(30);

/// What the log on Kafka could do at most. Topics begin with `prefix`. Blocks.
pub fn kafka(brokers: &str, prefix: &str, partitions: u32) -> Result<Limit> {
    let mut lanes = Vec::new();
    for partition in 0..partitions {
        let producer: ThreadedProducer<_> = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("transactional.id", format!("{prefix}user-events-{partition}"))
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "0")
            .set("compression.type", "lz4")
            .create()?;
        producer.init_transactions(TIMEOUT)?;
        let topics = [format!("{prefix}user-events"), format!("{prefix}credentials")];
        let writer = Writer { producer, topics, partition: i32::try_from(partition)?, key: "k".repeat(KEY) };
        let (sender, mut jobs) = Jobs::lane(MOST);
        std::thread::spawn(move || {
            let mut free_at = Instant::now();
            while let Some(batch) = jobs.blocking_waiting() {
                std::thread::sleep(free_at.saturating_duration_since(Instant::now()));
                if writer.commit(&batch).is_err() {
                    return;
                }
                let is_wide = rows(&batch).any(|row| row.credential);
                free_at = Instant::now() + if is_wide { WIDE_GAP } else { GAP };
                answer(batch);
            }
        });
        lanes.push(sender);
    }
    Ok(Limit::new(lanes))
}

struct Writer {
    producer: ThreadedProducer<rdkafka::producer::DefaultProducerContext>,
    topics: [String; 2],
    partition: i32,
    key: String,
}

impl Writer {
    fn commit(&self, batch: &[Job]) -> Result<()> {
        self.producer.begin_transaction()?;
        for row in rows(batch) {
            self.send(row)?;
        }
        // A commit with something in flight stalls for 100 ms.
        while self.producer.in_flight_count() > 0 {
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(self.producer.commit_transaction(TIMEOUT)?)
    }

    fn send(&self, row: Row) -> Result<()> {
        let count = if row.credential { 1 } else { 16 };
        let header = "h".repeat(row.headers() / count);
        let headers = (0..count).fold(OwnedHeaders::new(), |headers, _| {
            headers.insert(Header { key: "ce_attribute", value: Some(&header) })
        });
        let body = vec![b'b'; row.body];
        let record = BaseRecord::to(&self.topics[usize::from(row.credential)])
            .partition(self.partition)
            .key(&self.key)
            .headers(headers)
            .payload(&body);
        self.producer.send(record).map_err(|(error, _)| error.into())
    }
}
