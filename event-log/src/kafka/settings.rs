//! How to reach Kafka, and the client settings that the guarantees rest on.

use std::time::Duration;

use log_model::{Stream, StreamPartition};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::{QuietConsumer, QuietContext};

/// Without a heartbeat for this long, a process loses its partitions. A stock broker allows no less.
const SESSION_TIMEOUT: Duration = Duration::from_secs(6);
/// The interval of heartbeats, and the longest time until a process hears of a change. A shorter one has no
/// effect unless the client is also woken as often (`group`).
const HEARTBEAT: Duration = Duration::from_millis(200);
/// How much shorter the lease is than the session timeout.
const LEASE_MARGIN: Duration = Duration::from_millis(1_500);
/// How long a process may fail to poll the group before it counts as gone. The others wait for it meanwhile.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(30);

/// When a batch counts as appended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Acknowledge {
    /// When the broker has acknowledged the commit: the decision is in the transaction log, on all in-sync
    /// replicas.
    Committed,
    /// When a `read_committed` consumer has also read the records back. Then the commit markers are in the
    /// partitions, where no fault of the transaction coordinator can undo them.
    #[default]
    ReadBack,
}

/// Where a deployment's log is on Kafka, and how its writers behave.
#[derive(Debug, Clone)]
pub struct KafkaSettings {
    /// The bootstrap brokers, `host:port[,host:port]`.
    pub brokers: String,
    /// Prefix of all topics and transactional ids. It must differ between deployments on the same brokers.
    pub prefix: String,
    /// How long after a commit a writer may assume that it still owns its partition.
    ///
    /// It must be shorter than the group's session timeout by more than a heartbeat: a process that stopped
    /// right after a commit may have sent its last heartbeat before it. `docs/adr/0009-sharing-partitions.md`
    /// explains the decision.
    pub lease: Duration,
    /// How long the broker certainly remembers an unused transactional id and its fence. A writer that has committed nothing for this long claims its partition again.
    ///
    /// It must be less than the broker's `transactional.id.expiration.ms`, by default 7 days.
    pub transactional_id_expiry: Duration,
    /// When a batch counts as appended.
    pub acknowledge: Acknowledge,
    /// How long a transaction may stay open before the broker aborts it. It is long
    /// enough for a restart of the broker. A takeover doesn't wait for it.
    pub transaction_timeout: Duration,
}

impl KafkaSettings {
    /// Settings with the default of everything else.
    pub fn new(brokers: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            prefix: prefix.into(),
            lease: SESSION_TIMEOUT.saturating_sub(LEASE_MARGIN),
            transactional_id_expiry: Duration::from_hours(5 * 24),
            acknowledge: Acknowledge::default(),
            transaction_timeout: Duration::from_mins(1),
        }
    }

    /// The topic of a stream.
    pub(super) fn topic(&self, stream: Stream) -> String {
        format!("{}{stream}", self.prefix)
    }

    /// The topic of owners' announcements.
    pub(super) fn owners_topic(&self) -> String {
        format!("{}owners", self.prefix)
    }

    /// The topic of snapshots.
    pub(super) fn snapshots_topic(&self) -> String {
        format!("{}snapshots", self.prefix)
    }

    /// The stream partition that a topic's partition holds; `None` for another topic.
    pub(super) fn place(&self, topic: &str, partition: i32) -> Option<StreamPartition> {
        let stream = Stream::from_name(topic.strip_prefix(&self.prefix)?)?;
        Some(StreamPartition::new(stream, u32::try_from(partition).ok()?))
    }

    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "muster")
            // Reconnect quickly.
            .set("reconnect.backoff.max.ms", "500");
        config
    }

    pub(super) fn producer(&self, partition: u32) -> ClientConfig {
        let mut config = self.client();
        config
            // One id for all topics of the partition, so that the next owner fences this producer.
            .set("transactional.id", format!("{}user-events-{partition}", self.prefix))
            .set("transaction.timeout.ms", self.transaction_timeout.as_millis().to_string())
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // The batch is already complete.
            .set("linger.ms", "0")
            .set("compression.type", "lz4");
        config
    }

    /// The name of the group that shares the partitions.
    pub(super) fn group(&self) -> String {
        format!("{}command-service", self.prefix)
    }

    /// Settings of a member of the group. It uses the classic protocol. With the newer one (KIP-848) the broker
    /// sets the session timeout, and allows no less than 45 s.
    pub(super) fn member(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("group.id", self.group())
            // A partition that stays with its member is served during the rebalance.
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", SESSION_TIMEOUT.as_millis().to_string())
            .set("heartbeat.interval.ms", HEARTBEAT.as_millis().to_string())
            .set("max.poll.interval.ms", MAX_POLL_INTERVAL.as_millis().to_string())
            // A member only learns its partitions and reads nothing.
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "latest");
        config
    }

    /// A `read_committed` consumer that starts at these offsets (topic, partition, offset) and never joins
    /// its group.
    pub(super) fn reader(
        &self,
        fetch_wait: Duration,
        from: &[(String, u32, u64)],
    ) -> KafkaResult<QuietConsumer> {
        self.reader_of(&mut self.client(), fetch_wait, from)
    }

    /// Like [`KafkaSettings::reader`], for reading much at once: a fetch may bring 16 MiB.
    pub(super) fn bulk_reader(
        &self,
        fetch_wait: Duration,
        from: &[(String, u32, u64)],
    ) -> KafkaResult<QuietConsumer> {
        self.reader_of(self.client().set("max.partition.fetch.bytes", "16777216"), fetch_wait, from)
    }

    fn reader_of(
        &self,
        client: &mut ClientConfig,
        fetch_wait: Duration,
        from: &[(String, u32, u64)],
    ) -> KafkaResult<QuietConsumer> {
        let consumer: QuietConsumer = client
            .set("group.id", format!("{}readers", self.prefix))
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            // Every start is given as an offset: `Beginning` costs half a second while the leader is unknown.
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", fetch_wait.as_millis().to_string())
            // A reader slower than the broker fills the queue. With the default the fetcher then rests for a
            // second, and the queue is empty after a tenth of it.
            .set("fetch.queue.backoff.ms", "10")
            .set("enable.partition.eof", "true")
            .set("check.crcs", "true")
            .create_with_context(QuietContext)?;
        let mut places = TopicPartitionList::with_capacity(from.len());
        for (topic, partition, offset) in from {
            let offset = Offset::Offset(i64::try_from(*offset).unwrap_or(i64::MAX));
            places.add_partition_offset(topic, kafka_partition(*partition), offset)?;
        }
        consumer.assign(&places)?;
        Ok(consumer)
    }

    /// A consumer that reads nothing and only queries metadata. On connections of its own, a query doesn't
    /// wait behind a fetch.
    pub(super) fn metadata_client(&self, isolation: Isolation) -> KafkaResult<QuietConsumer> {
        let isolation = match isolation {
            Isolation::Committed => "read_committed",
            Isolation::Uncommitted => "read_uncommitted",
        };
        self.client().set("isolation.level", isolation).create_with_context(QuietContext)
    }
}

/// Which end of a partition a metadata query sees.
#[derive(Debug, Clone, Copy)]
pub(super) enum Isolation {
    /// Behind every settled record: committed, aborted or a marker. This is as far as followers get.
    Committed,
    /// Behind every record. A commit is acknowledged a moment before it is settled, so only this end is
    /// behind everything that was acknowledged.
    Uncommitted,
}

/// A partition number as Kafka's clients take it.
pub(super) fn kafka_partition(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}
