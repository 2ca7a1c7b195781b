//! Snapshots on a topic of their own: some records each, sent outside of transactions. What is not whole, or not made from
//! this history, is passed over, so no writer need be kept from writing; what a newer one replaces is deleted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::position::Stream;
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

use super::client::Reading;
use super::message::recorded;
use super::settings::{Acknowledge, KafkaSettings, number};
use super::{Asker, DroppedElsewhere};
use crate::snapshot::{Anchor, Snapshot, Turn, Turns};
use crate::{Keeping, Replay};

/// The header that says what a record is a part of.
const PART: &str = "muster-snapshot";
/// How long the brokers may take to say where the topic begins and ends, and to delete what is replaced.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a broker may hold a fetch: what is asked for is there.
const FETCH_WAIT: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(100);
/// How long reading may go without any progress. Replaying every record is the way out.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a part may wait for its place in the queue of what is sent.
const QUEUE: Duration = Duration::from_secs(10);

/// The snapshots of all partitions.
pub(super) struct Snapshots {
    pub(super) settings: Arc<KafkaSettings>,
    pub(super) asker: Arc<Asker>,
    pub(super) producer: Arc<DroppedElsewhere<FutureProducer>>,
    pub(super) runtime: Handle,
    pub(super) turns: Turns,
}

/// What a record is a part of.
#[derive(Serialize, Deserialize)]
struct Part {
    snapshot: Uuid,
    /// From 0.
    number: usize,
    of: usize,
    #[serde(flatten)]
    anchor: Anchor,
}

impl Snapshots {
    /// Leave to write one, unless another one is being written or what was committed might not stay.
    pub(super) fn turn(&self) -> Option<(Turn, Keeping)> {
        // A commit that nobody has read back may be lost to a fault of the broker. A log that lost it would get a
        // hole where a snapshot still has it.
        let is_certain = self.settings.acknowledge == Acknowledge::ReadBack;
        is_certain.then(|| self.turns.take()).flatten()
    }

    /// Writes one in the background.
    pub(super) fn keep(self: &Arc<Self>, partition: u32, snapshot: Snapshot, turn: Turn) {
        let this = Arc::clone(self);
        self.runtime.spawn(async move {
            let (offset, parts) = (snapshot.anchor.event, snapshot.parts.len());
            match this.write(partition, snapshot).await {
                Ok(()) => {
                    tracing::info!(kafka.partition = partition, offset, parts, "wrote a snapshot");
                    turn.finish();
                }
                Err(error) => {
                    tracing::warn!(kafka.partition = partition, %error, "a snapshot can't be written");
                }
            }
        });
    }

    async fn write(&self, partition: u32, snapshot: Snapshot) -> KafkaResult<()> {
        let topic = self.settings.snapshots_topic();
        let (id, of, anchor) = (Uuid::now_v7(), snapshot.parts.len(), snapshot.anchor);
        let mut first = None;
        for (at, body) in snapshot.parts.into_iter().enumerate() {
            let part = Part { snapshot: id, number: at, of, anchor };
            let part = serde_json::to_vec(&part).expect("a part is plain fields");
            let header = OwnedHeaders::new().insert(Header { key: PART, value: Some(&part) });
            let record =
                FutureRecord::<(), _>::to(&topic).partition(number(partition)).headers(header).payload(&body);
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
        before.add_partition_offset(&topic, number(partition), Offset::Offset(offset))?;
        let admin: AdminClient<DefaultClientContext> = self.settings.client().create()?;
        let options = AdminOptions::new().operation_timeout(Some(ANSWER)).request_timeout(Some(ANSWER));
        let deleted = admin.delete_records(&before, &options).await?;
        deleted.elements().iter().try_for_each(TopicPartitionListElem::error)
    }

    /// Hands over the newest snapshot of a partition, if there is one, and says up to where it reaches. Whatever goes
    /// wrong, every record can be replayed instead.
    pub(super) fn restore(&self, partition: u32, replay: &mut dyn Replay) -> Option<Anchor> {
        let begun = Instant::now();
        let restored = self.newest(partition).map_err(|error| error.to_string()).and_then(|newest| {
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

    fn newest(&self, partition: u32) -> Result<Option<Snapshot>, Unusable> {
        let topic = self.settings.snapshots_topic();
        let (begin, end) = self.asker.fetch_watermarks(&topic, number(partition), ANSWER)?;
        if begin >= end {
            return Ok(None);
        }
        let begin = u64::try_from(begin).unwrap_or_default();
        let from = [(topic, partition, begin)];
        let consumer = DroppedElsewhere::new(self.settings.bulk_reader(FETCH_WAIT, &from)?);
        let mut unfinished: HashMap<Uuid, Vec<Vec<u8>>> = HashMap::new();
        let mut newest: Option<Snapshot> = None;
        while let Some(message) = next(&consumer)? {
            if let Some(part) = part(&message) {
                let parts = unfinished.entry(part.snapshot).or_default();
                if parts.len() == part.number {
                    parts.push(message.payload().unwrap_or_default().to_vec());
                }
                if parts.len() == part.of
                    && let Some(parts) = unfinished.remove(&part.snapshot)
                    && newest.as_ref().is_none_or(|known| known.anchor.event < part.anchor.event)
                {
                    newest = Some(Snapshot { anchor: part.anchor, parts });
                }
            }
            if message.offset() + 1 >= end {
                break;
            }
        }
        let Some(newest) = newest else { return Ok(None) };
        // Another client: one that has fetched is slow to turn to something else, up to a second.
        let last = [(self.settings.topic(Stream::UserEvents), partition, newest.anchor.event)];
        let consumer = DroppedElsewhere::new(self.settings.reader(FETCH_WAIT, &last)?);
        let fits = next(&consumer)?.is_some_and(|message| {
            let place = self.settings.place(message.topic(), message.partition());
            place.is_some_and(|place| newest.anchor.fits(&recorded(place, &message)))
        });
        if fits { Ok(Some(newest)) } else { Err(Unusable::OfAnotherHistory) }
    }
}

/// Why there is no snapshot to begin with.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it can't be read: {0}")]
    Kafka(#[from] KafkaError),
    #[error("it could not be read in time")]
    TooSlow,
    #[error("it was made from another history")]
    OfAnotherHistory,
}

/// The next record, or none at the end.
fn next(consumer: &Reading) -> Result<Option<BorrowedMessage<'_>>, Unusable> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match consumer.poll(POLL) {
            Some(Ok(message)) => return Ok(Some(message)),
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(None),
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error.into()),
            // The client goes on by itself.
            Some(Err(_)) | None if Instant::now() < deadline => {}
            Some(Err(_)) | None => return Err(Unusable::TooSlow),
        }
    }
}

fn part(message: &BorrowedMessage<'_>) -> Option<Part> {
    let header = message.headers()?.iter().find(|header| header.key == PART)?;
    serde_json::from_slice(header.value?).ok()
}
