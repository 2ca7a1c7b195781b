//! The places that one writer writes, read as every follower reads them: first what is there and up to its claim, so that it
//! knows that, and then what it has written itself. What was met there is committed in every broker's book, marker and all.

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

/// How long a broker may hold a fetch while nothing is written. It answers at once when a record or a marker is.
const FETCH_WAIT: Duration = Duration::from_millis(500);
/// One look for records.
const POLL: Duration = Duration::from_millis(100);
/// How long a replay may go without any progress. The next try has a new client: one has been seen to get nothing from
/// a broker that served all others.
const PATIENCE: Duration = Duration::from_secs(10);

/// A committed-only reader of the places that one writer writes.
pub(super) struct CommittedReader {
    settings: Arc<KafkaSettings>,
    consumer: DropOnThread<QuietConsumer>,
    /// Per place the least offset that the next record may have, as long as it is replayed.
    next: BTreeMap<StreamPartition, u64>,
    /// Per place the last offset that was met.
    seen: BTreeMap<StreamPartition, u64>,
}

impl CommittedReader {
    /// Begins each place at an offset.
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

    /// Replays every place roughly up to where it ended when somebody asked. Whoever writes there may go on meanwhile.
    pub(super) fn replay_what_is_there(
        &mut self,
        ends: &[(StreamPartition, u64)],
        chains: Chains,
        replay: &mut dyn Replay,
    ) -> Result<Chains, ClaimError> {
        // The last of each is the marker of a transaction. It is never delivered, and to hear that it was passed over takes as
        // long as a broker may hold a fetch.
        let ends: Vec<_> = ends.iter().map(|(place, end)| (*place, end.saturating_sub(1))).collect();
        self.replay(&ends, chains, replay)
    }

    /// Replays every place up to the claim record in it: a record of our own, after which nobody else writes.
    pub(super) fn replay_up_to(
        &mut self,
        claims: &[(StreamPartition, u64)],
        chains: Chains,
        replay: &mut dyn Replay,
    ) -> Result<Chains, ClaimError> {
        // A broker that lost the end of the log gives its offsets out again.
        let is_behind =
            |(place, claim): &&(StreamPartition, u64)| self.next.get(place).is_some_and(|next| claim < next);
        if let Some((place, claim)) = claims.iter().find(is_behind) {
            return Err(ClaimError::Unavailable(format!("{place} went back to offset {claim}")));
        }
        let ends: Vec<_> = claims.iter().map(|(place, claim)| (*place, claim + 1)).collect();
        self.replay(&ends, chains, replay)
    }

    /// Replays every place until all are read to an end, which is the first offset that need not be. Moves the chains on
    /// from where they are at the first record.
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
        // Since when nothing comes. Not looked up for every record: a clock costs a tenth of reading one.
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
                    // The client begins anew where it finds the log shorter than it was.
                    if offset < one.next {
                        return Err(ClaimError::Unavailable(format!("{place} went back to offset {offset}")));
                    }
                    one.next = offset + 1;
                    replay.replay(recorded).map_err(|reason| ClaimError::Unreadable {
                        place,
                        offset,
                        reason,
                    })?;
                    chains.advance(recorded);
                    if one.end.is_some() {
                        idle = None;
                        unfinished -= usize::from(one.is_read_to(offset + 1));
                        continue;
                    }
                }
                // The position moves over markers and aborted records too, which are never delivered.
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

    /// Waits until everything that the position covers was met.
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
                // The client goes on by itself.
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

/// A place while it is replayed.
struct ReplayedPartition {
    topic: String,
    /// The least offset that the next record may have.
    next: u64,
    /// Up to where it is to be read still.
    end: Option<u64>,
    record_buffer: RecordBuffer,
}

impl ReplayedPartition {
    /// Whether this is what was wanting.
    fn is_read_to(&mut self, next: u64) -> bool {
        self.end.take_if(|end| next >= *end).is_some()
    }
}
