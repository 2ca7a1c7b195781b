//! How Kafka is reached, and the client settings that the guarantees rest on.

use std::time::Duration;

use log_model::{Stream, StreamPartition};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::{QuietConsumer, QuietContext};

/// After this without a heartbeat the partitions of a process go to others. A stock broker allows no less.
const SESSION_TIMEOUT: Duration = Duration::from_secs(6);
/// How often a process says that it is alive, and the longest that it takes to hear of a change. Shorter does nothing
/// unless the client is woken as often (`group`).
const HEARTBEAT: Duration = Duration::from_millis(200);
/// By how much the lease is shorter than the session.
const LEASE_MARGIN: Duration = Duration::from_millis(1_500);
/// For how long a process may fail to attend the group before it counts as gone: it holds up the others meanwhile.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(30);

/// When a batch counts as appended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Acknowledge {
    /// When the broker has answered the commit: its decision is in the transaction log, on all replicas in sync.
    Committed,
    /// When the records were also read back by a reader of committed records: the commit is marked in the partitions
    /// themselves, where no fault of the transaction coordinator can take it away.
    #[default]
    ReadBack,
}

/// Where a deployment's log is on Kafka.
#[derive(Debug, Clone)]
pub struct KafkaSettings {
    /// `host:port[,host:port]`.
    pub brokers: String,
    /// What the names of all topics and transactional ids begin with; deployments on one broker differ in it.
    pub prefix: String,
    /// For how long after a commit a writer believes that it still owns its partition without asking. Shorter than the
    /// session timeout of the group by more than a heartbeat: a process that stopped right after a commit may have
    /// sent its last heartbeat before it, and from then on the group counts.
    pub lease: Duration,
    /// For how long the broker certainly remembers a transactional id that nobody uses, and with it whom it fences: less
    /// than its `transactional.id.expiration.ms`, 7 days unless it is told otherwise. A writer that has committed nothing
    /// for so long claims its partition again.
    pub transactional_id_expiry: Duration,
    /// When a batch counts as appended.
    pub acknowledge: Acknowledge,
    /// After this the broker aborts a transaction that is still open. Long, because a restart of the broker then
    /// passes without any error; a takeover doesn't wait for it.
    pub transaction_timeout: Duration,
}

impl KafkaSettings {
    /// With everything else at its default.
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

    /// The topic where owners announce themselves.
    pub(super) fn owners_topic(&self) -> String {
        format!("{}owners", self.prefix)
    }

    /// The topic where owners keep what the next one begins with.
    pub(super) fn snapshots_topic(&self) -> String {
        format!("{}snapshots", self.prefix)
    }

    /// The place that a partition of a topic is.
    pub(super) fn place(&self, topic: &str, partition: i32) -> Option<StreamPartition> {
        let stream = Stream::from_name(topic.strip_prefix(&self.prefix)?)?;
        Some(StreamPartition::new(stream, u32::try_from(partition).ok()?))
    }

    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "muster")
            // Come back quickly.
            .set("reconnect.backoff.max.ms", "500");
        config
    }

    pub(super) fn producer(&self, partition: u32) -> ClientConfig {
        let mut config = self.client();
        config
            // One id for all topics of the partition: whoever takes it over fences the producer before.
            .set("transactional.id", format!("{}user-events-{partition}", self.prefix))
            .set("transaction.timeout.ms", self.transaction_timeout.as_millis().to_string())
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // The batch is made already.
            .set("linger.ms", "0")
            .set("compression.type", "lz4");
        config
    }

    /// The group that shares the partitions.
    pub(super) fn group(&self) -> String {
        format!("{}command-service", self.prefix)
    }

    /// A member of the group that shares the partitions. The classic protocol: the newer one (KIP-848) leaves the
    /// session timeout to the broker, which does not go below 45 s.
    pub(super) fn member(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("group.id", self.group())
            // What stays where it was goes on while the rest moves.
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", SESSION_TIMEOUT.as_millis().to_string())
            .set("heartbeat.interval.ms", HEARTBEAT.as_millis().to_string())
            .set("max.poll.interval.ms", MAX_POLL_INTERVAL.as_millis().to_string())
            // It is told its partitions and reads nothing.
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "latest");
        config
    }

    /// A consumer that reads committed records from given offsets and never joins its group.
    pub(super) fn reader(
        &self,
        fetch_wait: Duration,
        from: &[(String, u32, u64)],
    ) -> KafkaResult<QuietConsumer> {
        self.reader_of(&mut self.client(), fetch_wait, from)
    }

    /// The same, for what is read once and at once: fetches bring 16 MiB and not one at a time.
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
            // Asked for by offset: `Beginning` costs half a second while the leader is unknown.
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", fetch_wait.as_millis().to_string())
            // A reader that is slower than the broker fills the queue; with the default the fetcher then rests for a
            // whole second, and the queue runs dry after a tenth of it.
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

    /// A consumer that reads nothing and is only asked what the brokers know. It has connections of its own, where
    /// a question doesn't wait behind a fetch.
    pub(super) fn metadata_client(&self, isolation: Isolation) -> KafkaResult<QuietConsumer> {
        let isolation = match isolation {
            Isolation::Committed => "read_committed",
            Isolation::Uncommitted => "read_uncommitted",
        };
        self.client().set("isolation.level", isolation).create_with_context(QuietContext)
    }
}

/// Which end of a place is meant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Isolation {
    /// Behind what is settled: committed, aborted or a marker. Where followers get to.
    Committed,
    /// Behind everything. A commit is acknowledged a moment before it is settled, so this one alone lies behind all
    /// that was acknowledged.
    Uncommitted,
}

/// A partition as Kafka numbers it.
pub(super) fn kafka_partition(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}
