//! Saves snapshots: each is several records, sent outside of transactions, and replaces the one before.
//!
//! Saving needs no fence: a claim ignores a snapshot that is incomplete or made from another history.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaResult;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};
use rdkafka::util::Timeout;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::chunk::{ChunkHeader, HEADER, chunks};
use crate::kafka::client::{DropOnThread, MetadataClient};
use crate::kafka::settings::{Acknowledge, KafkaSettings, kafka_partition};
use crate::snapshot::{HeldPermit, PendingSnapshot, Snapshot, SnapshotPermit};

/// How long the brokers may take to report where the topic starts and ends, and to delete replaced records.
pub(super) const ANSWER: Duration = Duration::from_secs(5);
/// How long a chunk may wait for a place in the producer's queue.
const QUEUE: Duration = Duration::from_secs(10);

/// The snapshots of all partitions.
pub(crate) struct Snapshots {
    pub(crate) settings: Arc<KafkaSettings>,
    pub(crate) metadata: Arc<MetadataClient>,
    pub(crate) producer: Arc<DropOnThread<FutureProducer>>,
    pub(crate) runtime: Handle,
    pub(crate) permit: SnapshotPermit,
}

impl Snapshots {
    /// A permit to save one, unless another is being written or committed records might still be lost.
    pub(crate) fn permit(&self) -> Option<(HeldPermit, PendingSnapshot)> {
        // A broker's fault may lose a commit that nobody has read back. The log would then lack records that
        // the snapshot has.
        let is_certain = self.settings.acknowledge == Acknowledge::ReadBack;
        is_certain.then(|| self.permit.try_acquire()).flatten()
    }

    /// Saves a snapshot in the background.
    pub(crate) fn save(self: &Arc<Self>, partition: u32, snapshot: Snapshot, permit: HeldPermit) {
        let this = Arc::clone(self);
        self.runtime.spawn(async move {
            let (offset, parts) = (snapshot.anchor.event, snapshot.parts.len());
            match this.write(partition, snapshot).await {
                Ok(()) => {
                    tracing::info!(kafka.partition = partition, offset, parts, "wrote a snapshot");
                    permit.finish();
                }
                Err(error) => {
                    tracing::warn!(kafka.partition = partition, %error, "a snapshot can't be written");
                }
            }
        });
    }

    async fn write(&self, partition: u32, snapshot: Snapshot) -> KafkaResult<()> {
        let topic = self.settings.snapshots_topic();
        let (id, anchor) = (Uuid::now_v7(), snapshot.anchor);
        let all = || snapshot.parts.iter().flat_map(|part| chunks(part));
        let of = all().count();
        let mut first = None;
        for (at, (body, open)) in all().enumerate() {
            let chunk = ChunkHeader { snapshot: id, number: at, of, open, anchor };
            let chunk = serde_json::to_vec(&chunk).expect("a piece is plain fields");
            let header = OwnedHeaders::new().insert(Header { key: HEADER, value: Some(&chunk) });
            let record = FutureRecord::<(), _>::to(&topic)
                .partition(kafka_partition(partition))
                .headers(header)
                .payload(body);
            // One at a time: nobody waits for the snapshot, and commands written meanwhile shouldn't queue
            // behind it.
            let sent = self.producer.send(record, Timeout::After(QUEUE)).await;
            first = first.or(Some(sent.map_err(|(error, _)| error)?.offset));
        }
        if let Some(first) = first
            && let Err(error) = self.delete_before(partition, first).await
        {
            // Old records only take up room, and time of the next reader.
            tracing::warn!(kafka.partition = partition, %error, "replaced snapshots can't be deleted");
        }
        Ok(())
    }

    pub(super) async fn delete_before(&self, partition: u32, offset: i64) -> KafkaResult<()> {
        let mut before = TopicPartitionList::new();
        let topic = self.settings.snapshots_topic();
        before.add_partition_offset(&topic, kafka_partition(partition), Offset::Offset(offset))?;
        let admin: AdminClient<DefaultClientContext> = self.settings.client().create()?;
        // Closing it must not block this task.
        let admin = DropOnThread::new(admin);
        let options = AdminOptions::new().operation_timeout(Some(ANSWER)).request_timeout(Some(ANSWER));
        let deleted = admin.delete_records(&before, &options).await?;
        deleted.elements().iter().try_for_each(TopicPartitionListElem::error)
    }
}
