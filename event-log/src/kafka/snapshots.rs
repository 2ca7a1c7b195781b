//! Snapshots on a topic of their own: some records each, sent outside of transactions. What is not whole, or not made from
//! this history, is passed over, so no writer need be kept from writing; what a newer one replaces is deleted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log_model::{Stream, StreamPartition};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};
use rdkafka::util::Timeout;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::client::{DropOnThread, MetadataClient, QuietConsumer};
use super::ends;
use super::message::recorded;
use super::settings::{Acknowledge, KafkaSettings, kafka_partition};
use crate::replay::Replay;
use crate::snapshot::{HeldPermit, PendingSnapshot, Snapshot, SnapshotAnchor, SnapshotPermit};

/// The header that says what a record is a piece of.
const CHUNK_HEADER: &str = "muster-snapshot";
/// How long the brokers may take to say where the topic begins and ends, and to delete what is replaced.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a broker may hold a fetch: what is asked for is there.
const FETCH_WAIT: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(100);
/// How long reading may take. Replaying every record is the way out.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a part may wait for its place in the queue of what is sent.
const QUEUE: Duration = Duration::from_secs(10);

/// The snapshots of all partitions.
pub(super) struct Snapshots {
    pub(super) settings: Arc<KafkaSettings>,
    pub(super) metadata: Arc<MetadataClient>,
    pub(super) producer: Arc<DropOnThread<FutureProducer>>,
    pub(super) runtime: Handle,
    pub(super) permit: SnapshotPermit,
}

/// Most bytes of one record: half of what clients and brokers take when they are told nothing else.
const MAX_CHUNK_BYTES: usize = 512 * 1024;

/// What a record is a piece of.
#[derive(Serialize, Deserialize)]
struct Chunk {
    snapshot: Uuid,
    /// From 0.
    number: usize,
    of: usize,
    /// Whether the part that it is of goes on in the next one.
    open: bool,
    #[serde(flatten)]
    anchor: SnapshotAnchor,
}

/// Pieces that were read so far.
#[derive(Default)]
struct PartialSnapshot {
    chunks: usize,
    open: bool,
    parts: Vec<Vec<u8>>,
}

impl PartialSnapshot {
    /// Adds the next piece; another one is passed over.
    fn add(&mut self, chunk: &Chunk, body: &[u8]) {
        if self.chunks != chunk.number {
            return;
        }
        match self.parts.last_mut() {
            Some(part) if self.open => part.extend_from_slice(body),
            _ => self.parts.push(body.to_vec()),
        }
        self.chunks += 1;
        self.open = chunk.open;
    }
}

impl Snapshots {
    /// Leave to write one, unless another one is being written or what was committed might not stay.
    pub(super) fn permit(&self) -> Option<(HeldPermit, PendingSnapshot)> {
        // A commit that nobody has read back may be lost to a fault of the broker. A log that lost it would get a
        // hole where a snapshot still has it.
        let is_certain = self.settings.acknowledge == Acknowledge::ReadBack;
        is_certain.then(|| self.permit.try_acquire()).flatten()
    }

    /// Writes one in the background.
    pub(super) fn save(self: &Arc<Self>, partition: u32, snapshot: Snapshot, permit: HeldPermit) {
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
            let chunk = Chunk { snapshot: id, number: at, of, open, anchor };
            let chunk = serde_json::to_vec(&chunk).expect("a piece is plain fields");
            let header = OwnedHeaders::new().insert(Header { key: CHUNK_HEADER, value: Some(&chunk) });
            let record = FutureRecord::<(), _>::to(&topic)
                .partition(kafka_partition(partition))
                .headers(header)
                .payload(body);
            // One at a time: nobody waits for it, and commands that are written meanwhile shouldn't wait behind it.
            let sent = self.producer.send(record, Timeout::After(QUEUE)).await;
            first = first.or(Some(sent.map_err(|(error, _)| error)?.offset));
        }
        if let Some(first) = first
            && let Err(error) = self.forget_before(partition, first).await
        {
            // It takes room, and time of whoever reads.
            tracing::warn!(kafka.partition = partition, %error, "replaced snapshots can't be deleted");
        }
        Ok(())
    }

    async fn forget_before(&self, partition: u32, offset: i64) -> KafkaResult<()> {
        let mut before = TopicPartitionList::new();
        let topic = self.settings.snapshots_topic();
        before.add_partition_offset(&topic, kafka_partition(partition), Offset::Offset(offset))?;
        let admin: AdminClient<DefaultClientContext> = self.settings.client().create()?;
        // Its end waits for a thread of its own.
        let admin = DropOnThread::new(admin);
        let options = AdminOptions::new().operation_timeout(Some(ANSWER)).request_timeout(Some(ANSWER));
        let deleted = admin.delete_records(&before, &options).await?;
        deleted.elements().iter().try_for_each(TopicPartitionListElem::error)
    }

    /// Hands over the newest snapshot of a partition, if there is one, and says up to where it reaches. Whatever goes wrong,
    /// every record can be replayed instead.
    pub(super) fn restore(&self, partition: u32, replay: &mut dyn Replay) -> Option<SnapshotAnchor> {
        let begun = Instant::now();
        let found = self.newest(partition, begun + PATIENCE, replay);
        let restored = found.map_err(|error| error.to_string()).and_then(|newest| {
            let Some(Snapshot { anchor, parts }) = newest else { return Ok(None) };
            tracing::debug!(kafka.partition = partition, duration = ?begun.elapsed(), "a snapshot was read");
            replay.restore(&parts).map(|()| Some(anchor))
        });
        restored.unwrap_or_else(|reason| {
            tracing::warn!(
                kafka.partition = partition,
                reason,
                "the snapshot is of no use; every record is replayed"
            );
            None
        })
    }

    fn newest(
        &self,
        partition: u32,
        deadline: Instant,
        replay: &mut dyn Replay,
    ) -> Result<Option<Snapshot>, RestoreError> {
        let topic = self.settings.snapshots_topic();
        let watermarks = || self.metadata.fetch_watermarks(&topic, kafka_partition(partition), ANSWER);
        let (mut begin, mut end) = watermarks()?;
        let newest = loop {
            if begin >= end {
                return Ok(None);
            }
            if let Some(newest) = self.read(partition, (begin, end), deadline, replay)? {
                break newest;
            }
            // Somebody may have put a newer one in its place meanwhile.
            let (begins, ends) = watermarks()?;
            if begins == begin {
                return Ok(None);
            }
            (begin, end) = (begins, ends);
        };
        // Asked after it was read: whoever writes the partition may have kept it a moment ago.
        let reservations = std::iter::once(StreamPartition::new(Stream::Reservations, partition));
        let known = ends::query(&self.metadata, &self.settings, reservations, ANSWER)?;
        let is_known = known.iter().any(|(_, end)| newest.anchor.reservations <= *end);
        if is_known && self.fits(partition, &newest.anchor, deadline)? {
            return Ok(Some(newest));
        }
        // Once the log has grown over its end again, that would not show any more.
        if let Err(error) = self.runtime.block_on(self.forget_before(partition, end)) {
            tracing::warn!(kafka.partition = partition, %error, "a snapshot of another history can't be deleted");
        }
        Err(RestoreError::OfAnotherHistory)
    }

    /// The newest snapshot that is whole between two offsets.
    fn read(
        &self,
        partition: u32,
        (begin, end): (i64, i64),
        deadline: Instant,
        replay: &mut dyn Replay,
    ) -> Result<Option<Snapshot>, RestoreError> {
        let from = [(self.settings.snapshots_topic(), partition, u64::try_from(begin).unwrap_or_default())];
        let consumer = DropOnThread::new(self.settings.bulk_reader(FETCH_WAIT, &from)?);
        let mut partial: HashMap<Uuid, PartialSnapshot> = HashMap::new();
        let mut newest: Option<Snapshot> = None;
        while let Some(message) = next(&consumer, deadline)? {
            replay.on_progress().map_err(RestoreError::Stopped)?;
            if let Some(chunk) = chunk(&message) {
                let known = partial.entry(chunk.snapshot).or_default();
                known.add(&chunk, message.payload().unwrap_or_default());
                if known.chunks == chunk.of
                    && let Some(PartialSnapshot { parts, .. }) = partial.remove(&chunk.snapshot)
                    && newest.as_ref().is_none_or(|known| known.anchor.event < chunk.anchor.event)
                {
                    newest = Some(Snapshot { anchor: chunk.anchor, parts });
                }
            }
            if message.offset() + 1 >= end {
                break;
            }
        }
        Ok(newest)
    }

    /// Whether the log has, where a snapshot ends, the event that it ends with.
    fn fits(&self, partition: u32, anchor: &SnapshotAnchor, deadline: Instant) -> Result<bool, RestoreError> {
        // Another client: one that has fetched is slow to turn to something else, up to a second.
        let last = [(self.settings.topic(Stream::UserEvents), partition, anchor.event)];
        let consumer = DropOnThread::new(self.settings.reader(FETCH_WAIT, &last)?);
        Ok(next(&consumer, deadline)?.is_some_and(|message| {
            let place = self.settings.place(message.topic(), message.partition());
            place.is_some_and(|place| anchor.fits(&recorded(place, &message)))
        }))
    }
}

/// Why there is no snapshot to begin with.
#[derive(Debug, thiserror::Error)]
enum RestoreError {
    #[error("it can't be read: {0}")]
    Kafka(#[from] KafkaError),
    #[error("it could not be read in time")]
    TooSlow,
    #[error("{0}")]
    Stopped(String),
    #[error("it was made from another history")]
    OfAnotherHistory,
}

/// The next record, or none at the end.
fn next(consumer: &QuietConsumer, deadline: Instant) -> Result<Option<BorrowedMessage<'_>>, RestoreError> {
    loop {
        match consumer.poll(POLL) {
            Some(Ok(message)) if Instant::now() < deadline => return Ok(Some(message)),
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(None),
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error.into()),
            // The client goes on by itself.
            Some(Err(_)) | None if Instant::now() < deadline => {}
            Some(_) | None => return Err(RestoreError::TooSlow),
        }
    }
}

/// A part cut to the size of records, and whether each piece is not its last.
fn chunks(part: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    let last = part.len().div_ceil(MAX_CHUNK_BYTES).saturating_sub(1);
    part.chunks(MAX_CHUNK_BYTES).enumerate().map(move |(at, chunk)| (chunk, at < last))
}

fn chunk(message: &BorrowedMessage<'_>) -> Option<Chunk> {
    let header = message.headers()?.iter().find(|header| header.key == CHUNK_HEADER)?;
    serde_json::from_slice(header.value?).ok()
}
