//! Finding the newest whole snapshot of a partition, and checking that the log still has what it was made from.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use log_model::{Stream, StreamPartition};
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use uuid::Uuid;

use super::chunk::{ChunkHeader, PartialSnapshot};
use super::store::{ANSWER, Snapshots};
use crate::kafka::client::{DropOnThread, QuietConsumer};
use crate::kafka::ends;
use crate::kafka::message::recorded;
use crate::kafka::settings::kafka_partition;
use crate::replay::Replay;
use crate::snapshot::{Snapshot, SnapshotAnchor};

/// How long a broker may hold a fetch: what is asked for is there.
const FETCH_WAIT: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(100);
/// How long reading may take. Replaying every record is the way out.
const PATIENCE: Duration = Duration::from_secs(20);

impl Snapshots {
    /// Hands over the newest snapshot of a partition, if there is one, and says up to where it reaches. Whatever goes wrong,
    /// every record can be replayed instead.
    pub(crate) fn restore(
        &self,
        partition: u32,
        replay: &mut dyn Replay,
    ) -> Option<SnapshotAnchor> {
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
        if let Err(error) = self.runtime.block_on(self.delete_before(partition, end)) {
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
            if let Some(chunk) = ChunkHeader::of(&message) {
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
