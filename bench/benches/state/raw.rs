//! The limit of a replay: the same records, read and not looked at.

use std::ops::Range;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};

/// Offset, key, headers, body.
type Row = (i64, Vec<u8>, Vec<u8>, Option<Vec<u8>>);

/// Reads every user event of an embedded log, a thousand at a time; says how many there are.
pub(crate) async fn sqlite(directory: &Path) -> Result<u64> {
    const SQL: &str =
        "SELECT offset, key, headers, body FROM user_events WHERE offset >= $1 ORDER BY offset LIMIT 1000";
    let file = directory.join("log.db");
    let options = SqliteConnectOptions::new().filename(file).read_only(true).row_buffer_size(1_000);
    let mut connection: SqliteConnection = options.disable_statement_logging().connect().await?;
    let (mut next, mut count) = (0, 0);
    loop {
        let rows: Vec<Row> = sqlx::query_as(SQL).bind(next).fetch_all(&mut connection).await?;
        let Some(last) = rows.last() else { return Ok(count) };
        next = last.0 + 1;
        count += rows.len() as u64;
    }
}

/// Reads every record of some partitions of a topic, each on a thread of its own as owners do; says how many there are.
pub(crate) async fn kafka(brokers: &str, topic: &str, partitions: Range<u32>) -> Result<u64> {
    let reading: Vec<_> = partitions
        .map(|partition| {
            let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
            thread::spawn(move || read(&brokers, &topic, partition))
        })
        .collect();
    let joined = tokio::task::spawn_blocking(|| {
        reading.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a reader panicked"))?).sum()
    });
    joined.await?
}

fn read(brokers: &str, topic: &str, partition: u32) -> Result<u64> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", format!("{topic}-raw"))
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "10")
        .set("fetch.queue.backoff.ms", "10")
        .set("enable.partition.eof", "true")
        .set("check.crcs", "true")
        .create()?;
    let mut from = TopicPartitionList::new();
    from.add_partition_offset(topic, i32::try_from(partition)?, Offset::Offset(0))?;
    consumer.assign(&from)?;
    let mut count = 0;
    loop {
        match consumer.poll(Duration::from_secs(30)) {
            Some(Ok(_)) => count += 1,
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(count),
            Some(Err(error)) => return Err(error.into()),
            None => return Err(anyhow!("no records came")),
        }
    }
}
