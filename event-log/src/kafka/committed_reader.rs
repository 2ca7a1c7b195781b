//! Reads a writer's own partitions as followers see them (`read_committed`): replays them for a claim, then
//! confirms each append.
//!
//! A record that was read back has its commit marker in the partition itself.
//! `docs/adr/0009-sharing-partitions.md` explains why an append waits for that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log_model::{Position, StreamPartition};
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::Offset;

use super::client::{DropOnThread, QuietConsumer};
use super::error::unavailable;
use super::message::{offset, read_into};
use super::settings::KafkaSettings;
use crate::chain::Chains;
use crate::error::{AppendError, ClaimError};
use crate::record_buffer::RecordBuffer;
use crate::replay::Replay;

/// How long a broker may hold a fetch while nothing is written. A record or marker is answered at once.
const FETCH_WAIT: Duration = Duration::from_millis(500);
/// How long one poll waits for records.
const POLL: Duration = Duration::from_millis(100);
/// How long a replay may make no progress. The next try uses a new client: one has been seen to receive
/// nothing from a broker that served all others.
const PATIENCE: Duration = Duration::from_secs(10);

/// A `read_committed` consumer of the stream partitions that one writer writes.
pub(super) struct CommittedReader {
    settings: Arc<KafkaSettings>,
    consumer: DropOnThread<QuietConsumer>,
    /// During replays: the lowest offset that the next record of each stream partition may have.
    next: BTreeMap<StreamPartition, u64>,
    /// While appends are read back: the last offset seen in each stream partition.
    seen: BTreeMap<StreamPartition, u64>,
}

impl CommittedReader {
    /// Starts each stream partition at an offset.
    pub(super) fn read_from(
        settings: &Arc<KafkaSettings>,
        from: impl IntoIterator<Item = (StreamPartition, u64)>,
    ) -> KafkaResult<Self> {
        let next: BTreeMap<_, _> = from.into_iter().collect();
        let topic =
            |(place, next): (&StreamPartition, &u64)| (settings.topic(place.stream), place.partition, *next);
        let topics: Vec<_> = next.iter().map(topic).collect();
        let consumer = DropOnThread::new(settings.reader(FETCH_WAIT, &topics)?);
        Ok(Self { settings: Arc::clone(settings), consumer, next, seen: BTreeMap::new() })
    }

    /// Replays every stream partition roughly up to the end that was just queried. The present owner may go
    /// on writing meanwhile.
    pub(super) fn replay_what_is_there(
        &mut self,
        ends: &[(StreamPartition, u64)],
        chains: Chains,
        replay: &mut dyn Replay,
    ) -> Result<Chains, ClaimError> {
        // The last record is a transaction's marker, which is never delivered. Noticing that the consumer has
        // passed it takes as long as a broker may hold a fetch.
        let ends: Vec<_> = ends.iter().map(|(place, end)| (*place, end.saturating_sub(1))).collect();
        self.replay(&ends, chains, replay)
    }

    /// Replays every stream partition up to this writer's claim record, after which nobody else writes.
    pub(super) fn replay_up_to(
        &mut self,
        claims: &[(StreamPartition, u64)],
        chains: Chains,
        replay: &mut dyn Replay,
    ) -> Result<Chains, ClaimError> {
        // A broker that lost the end of the log assigns its offsets again.
        let is_behind =
            |(place, claim): &&(StreamPartition, u64)| self.next.get(place).is_some_and(|next| claim < next);
        if let Some((place, claim)) = claims.iter().find(is_behind) {
            return Err(ClaimError::Unavailable(format!("{place} went back to offset {claim}")));
        }
        let ends: Vec<_> = claims.iter().map(|(place, claim)| (*place, claim + 1)).collect();
        self.replay(&ends, chains, replay)
    }

    /// Replays every stream partition up to its end, which is exclusive. Moves the chains on from their value
    /// at the first record.
    fn replay(
        &mut self,
        ends: &[(StreamPartition, u64)],
        mut chains: Chains,
        replay: &mut dyn Replay,
    ) -> Result<Chains, ClaimError> {
        let begin = |(place, end): &(StreamPartition, u64)| {
            let next = self.next.get(place).copied().unwrap_or_default();
            let topic = self.settings.topic(place.stream);
            ReplayedPartition {
                topic,
                next,
                end: Some(*end).filter(|end| next < *end),
                record_buffer: RecordBuffer::new(*place),
            }
        };
        let mut places: Vec<_> = ends.iter().map(begin).collect();
        let mut unfinished = places.iter().filter(|one| one.end.is_some()).count();
        // Since when nothing has arrived. Not looked up for every record, because a clock costs a tenth of
        // reading one.
        let mut idle: Option<Instant> = None;
        let mut last_error = None;
        while unfinished > 0 {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    let Some(one) = places.iter_mut().find(|one| one.topic == message.topic()) else {
                        continue;
                    };
                    read_into(&mut one.record_buffer, &message);
                    let recorded = one.record_buffer.current();
                    let (place, offset) = (recorded.place, recorded.offset);
                    // The client starts over when it finds the log shorter than before.
                    if offset < one.next {
                        return Err(ClaimError::Unavailable(format!("{place} went back to offset {offset}")));
                    }
                    one.next = offset + 1;
                    if !replay.is_skipped(recorded) {
                        replay.replay(recorded).map_err(|reason| ClaimError::Unreadable {
                            place,
                            offset,
                            reason,
                        })?;
                        chains.advance(recorded);
                    }
                    if one.end.is_some() {
                        idle = None;
                        unfinished -= usize::from(one.is_read_to(offset + 1));
                        continue;
                    }
                }
                // The position also moves past markers and aborted records, which are never delivered.
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    for position in self.consumer.position().map_err(unavailable)?.elements() {
                        let one = places.iter_mut().find(|one| one.topic == position.topic());
                        if let (Some(one), Offset::Offset(next)) = (one, position.offset()) {
                            unfinished -=
                                usize::from(one.is_read_to(u64::try_from(next).unwrap_or_default()));
                        }
                    }
                }
                None => {}
                Some(Err(error)) => last_error = Some(error),
            }
            if idle.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
                let reason = last_error.map_or("no records came".to_owned(), |error| error.to_string());
                let topics: Vec<_> =
                    places.into_iter().filter(|one| one.end.is_some()).map(|one| one.topic).collect();
                return Err(ClaimError::Unavailable(format!(
                    "{} could not be read: {reason}",
                    topics.join(" and ")
                )));
            }
        }
        self.next.extend(ends.iter().map(|(place, _)| *place).zip(places.into_iter().map(|one| one.next)));
        Ok(chains)
    }

    /// Waits until everything that the position covers was read back.
    pub(super) fn wait_for(&mut self, position: &Position, patience: Duration) -> Result<(), AppendError> {
        let deadline = Instant::now() + patience;
        while position.iter().any(|(place, last)| self.seen.get(&place).is_none_or(|seen| *seen < last)) {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    if let Some(place) = self.settings.place(message.topic(), message.partition()) {
                        self.seen.insert(place, offset(&message));
                    }
                }
                Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => {
                    return Err(AppendError::Unknown(error.to_string()));
                }
                // The client recovers by itself.
                Some(Err(_)) | None if Instant::now() < deadline => {}
                Some(Err(_)) | None => {
                    let reason = "the commit was acknowledged and its records can't be read back";
                    return Err(AppendError::Unknown(reason.to_owned()));
                }
            }
        }
        Ok(())
    }
}

/// A stream partition that is being replayed.
struct ReplayedPartition {
    topic: String,
    /// The lowest offset that the next record may have.
    next: u64,
    /// The exclusive end still to be reached; `None` once it is.
    end: Option<u64>,
    record_buffer: RecordBuffer,
}

impl ReplayedPartition {
    /// Notes that everything before `next` was read, and returns whether that reaches the end for the first
    /// time.
    fn is_read_to(&mut self, next: u64) -> bool {
        self.end.take_if(|end| next >= *end).is_some()
    }
}
