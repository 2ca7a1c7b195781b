//! The log on Kafka: one topic per stream, one transactional producer per partition.
//!
//! Every call of librdkafka blocks or runs its callbacks on the polling thread. It therefore gets threads of
//! its own, away from the async runtime.
//!
//! Two decisions guard against faults of the client and the brokers: the version of Kafka
//! (`docs/adr/0002-kafka-4.2.1.md`) and the zeroed memory of librdkafka
//! (`docs/adr/0012-zeroed-memory-of-librdkafka.md`).

mod access_records;
mod client;
mod committed_reader;
mod ends;
mod error;
mod group;
mod message;
mod owners;
mod producer;
mod reader;
mod settings;
mod snapshots;
mod stall_detector;
mod takeover;
mod topic_spec;
mod topics;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use log_model::StreamPartition;
use log_model::record::Record;
use rdkafka::producer::FutureProducer;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use self::client::{CloseSignal, DropOnThread, MetadataClient};
pub use self::error::OpenError;
use self::settings::Isolation;
pub use self::settings::{Acknowledge, KafkaSettings};
use self::snapshots::Snapshots;
pub use self::topic_spec::{TopicSpec, wanted as wanted_topics};
pub use self::topics::{Topic, ensure_topics};
use crate::error::{ClaimError, Unavailable};
use crate::follow::Follow;
use crate::membership::Membership;
use crate::owners::Owners;
use crate::port::{EventLog, Writer};
use crate::replay::Replay;
use crate::snapshot::SnapshotPermit;

/// How often to check whether the topics exist.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// How long the brokers may take to answer where the log ends.
const ANSWER: Duration = Duration::from_secs(5);

/// The log on Kafka.
pub struct KafkaLog {
    settings: Arc<KafkaSettings>,
    partitions: u32,
    /// Asks for ends of committed records: what followers reach, and what a claim reads before it fences.
    committed: Arc<MetadataClient>,
    /// Asks for the ends behind all records, and who is in the group.
    uncommitted: Arc<MetadataClient>,
    /// Sends records outside of transactions.
    plain_producer: Arc<DropOnThread<FutureProducer>>,
    snapshots: Arc<Snapshots>,
    owners: watch::Receiver<Owners>,
    close_signal: CloseSignal,
}

impl KafkaLog {
    /// Connects to the log. The topics decide the number of partitions.
    ///
    /// Waits until a broker answers and all topics exist, and logs what it waits for. To stop waiting, drop
    /// the future.
    ///
    /// # Errors
    ///
    /// The settings are invalid, or a topic has the wrong number of partitions.
    pub async fn connect(settings: KafkaSettings) -> Result<Arc<Self>, OpenError> {
        let settings = Arc::new(settings);
        let committed = Arc::new(DropOnThread::new(
            settings.metadata_client(Isolation::Committed).map_err(OpenError::Client)?,
        ));
        let uncommitted = Arc::new(DropOnThread::new(
            settings.metadata_client(Isolation::Uncommitted).map_err(OpenError::Client)?,
        ));
        let plain_producer =
            Arc::new(DropOnThread::new(access_records::producer(&settings).map_err(OpenError::Client)?));
        let partitions = wait_for_topics(&committed, &settings).await?;
        let close_signal = CloseSignal::default();
        let owners = owners::follow(Arc::clone(&settings), close_signal.clone());
        let snapshots = Snapshots {
            settings: Arc::clone(&settings),
            metadata: Arc::clone(&uncommitted),
            producer: Arc::clone(&plain_producer),
            runtime: Handle::current(),
            permit: SnapshotPermit::default(),
        };
        let snapshots = Arc::new(snapshots);
        Ok(Arc::new(Self {
            settings,
            partitions,
            committed,
            uncommitted,
            plain_producer,
            snapshots,
            owners,
            close_signal,
        }))
    }
}

impl Drop for KafkaLog {
    fn drop(&mut self) {
        self.close_signal.close();
    }
}

#[async_trait]
impl EventLog for KafkaLog {
    fn partitions(&self) -> u32 {
        self.partitions
    }

    fn claim(&self, partition: u32, replay: &mut dyn Replay) -> Result<Box<dyn Writer>, ClaimError> {
        if partition >= self.partitions {
            return Err(ClaimError::Unavailable(format!("there is no partition {partition}")));
        }
        Ok(Box::new(takeover::take_over(
            &self.settings,
            &self.committed,
            &self.snapshots,
            partition,
            replay,
        )?))
    }

    fn join(&self) -> Membership {
        group::join(Arc::clone(&self.settings), Arc::clone(&self.uncommitted), self.close_signal.clone())
    }

    async fn append_access(&self, records: Vec<Record>) -> Result<(), Unavailable> {
        access_records::send(&self.plain_producer, &self.settings, self.partitions, records).await
    }

    fn follow(&self, from: Vec<(StreamPartition, u64)>) -> Follow {
        reader::follow(
            Arc::clone(&self.settings),
            Arc::clone(&self.committed),
            self.close_signal.clone(),
            from,
        )
    }

    async fn ends(&self) -> Result<Vec<(StreamPartition, u64)>, Unavailable> {
        let (settings, partitions) = (Arc::clone(&self.settings), self.partitions);
        let metadata = Arc::clone(&self.uncommitted);
        let asking = spawn_blocking(move || {
            ends::query(&metadata, &settings, StreamPartition::followed(partitions), ANSWER)
        });
        let answer = asking.await.map_err(|stopped| Unavailable(stopped.to_string()))?;
        answer.map_err(|error| Unavailable(error.to_string()))
    }

    fn owners(&self) -> watch::Receiver<Owners> {
        self.owners.clone()
    }
}

async fn wait_for_topics(
    metadata: &Arc<MetadataClient>,
    settings: &Arc<KafkaSettings>,
) -> Result<u32, OpenError> {
    let mut reported = String::new();
    loop {
        let (metadata, known) = (Arc::clone(metadata), Arc::clone(settings));
        let checking = spawn_blocking(move || topics::partitions(&metadata, &known));
        let missing = match checking.await.expect("looking at topics does not panic") {
            Ok(Ok(partitions)) => return Ok(partitions),
            Ok(Err(missing)) => missing,
            Err(OpenError::Unreachable { .. }) => "a broker to answer".to_owned(),
            Err(wrong) => return Err(wrong),
        };
        if missing != reported {
            tracing::info!(kafka.brokers = settings.brokers, "waiting for {missing}");
            reported = missing;
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}
