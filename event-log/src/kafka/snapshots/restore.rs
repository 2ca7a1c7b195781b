//! Finds the newest complete snapshot of a partition and checks that the log still has the history it was
//! made from.

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

/// How long a broker may hold a fetch. The records are already there.
const FETCH_WAIT: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(100);
/// How long reading may take. After that, every record is replayed instead.
const PATIENCE: Duration = Duration::from_secs(20);

impl Snapshots {
    /// Gives the newest snapshot of a partition to `replay` and returns the point that it covers. `None` if
    /// there is none or anything goes wrong: every record is then replayed.
    pub(crate) fn restore(&self, partition: u32, replay: &mut dyn Replay) -> Option<SnapshotAnchor> {
        let begun = Instant::now();
        let found = self.newest(partition, begun + PATIENCE, replay);
        let restored = found.map_err(|error| error.to_string()).and_then(|newest| {
            let Some(Snapshot { anchor, parts }) = newest else { return Ok(None) };
            tracing::debug!(kafka.partition = partition, duration = ?begun.elapsed(), "a snapshot was read");
            replay.restore(&mut parts.into_iter().map(Ok)).map(|()| Some(anchor))
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
            // A newer snapshot may have replaced it meanwhile.
            let (begins, ends) = watermarks()?;
            if begins == begin {
                return Ok(None);
            }
            (begin, end) = (begins, ends);
        };
        // Asked after the snapshot was read, because the present owner may have saved it a moment ago.
        let reservations = std::iter::once(StreamPartition::new(Stream::Reservations, partition));
        let known = ends::query(&self.metadata, &self.settings, reservations, ANSWER)?;
        let is_known = known.iter().any(|(_, end)| newest.anchor.reservations <= *end);
        if is_known && self.fits(partition, &newest.anchor, deadline)? {
            return Ok(Some(newest));
        }
        // Once the log has grown past the snapshot's end again, the mismatch would no longer show.
        if let Err(error) = self.runtime.block_on(self.delete_before(partition, end)) {
            tracing::warn!(kafka.partition = partition, %error, "a snapshot of another history can't be deleted");
        }
        Err(RestoreError::OfAnotherHistory)
    }

    /// The newest complete snapshot between two offsets.
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

    /// Whether the log still has the event that the snapshot ends with.
    fn fits(&self, partition: u32, anchor: &SnapshotAnchor, deadline: Instant) -> Result<bool, RestoreError> {
        // A client of its own: one that has fetched takes up to a second to turn to another partition.
        let last = [(self.settings.topic(Stream::UserEvents), partition, anchor.event)];
        let consumer = DropOnThread::new(self.settings.reader(FETCH_WAIT, &last)?);
        Ok(next(&consumer, deadline)?.is_some_and(|message| {
            let place = self.settings.place(message.topic(), message.partition());
            place.is_some_and(|place| anchor.fits(&recorded(place, &message)))
        }))
    }
}

/// Why no snapshot can be restored.
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

/// The next record; `None` at the end.
fn next(consumer: &QuietConsumer, deadline: Instant) -> Result<Option<BorrowedMessage<'_>>, RestoreError> {
    loop {
        match consumer.poll(POLL) {
            Some(Ok(message)) if Instant::now() < deadline => return Ok(Some(message)),
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(None),
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error.into()),
            // The client recovers by itself.
            Some(Err(_)) | None if Instant::now() < deadline => {}
            Some(_) | None => return Err(RestoreError::TooSlow),
        }
    }
}
