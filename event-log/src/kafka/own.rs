//! The places that one writer writes, read as every follower reads them: first what is there and up to its claim, so that it
//! knows that, and then what it has written itself. What was met there is committed in every broker's book, marker and all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::position::{Place, Position};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message;

use super::DroppedElsewhere;
use super::client::Reading;
use super::message::{offset, read_into};
use super::settings::KafkaSettings;
use super::writer::Chains;
use crate::reused::Reused;
use crate::{AppendError, ClaimError, Replay};

/// How long a broker may hold a fetch while nothing is written. It answers at once when a record or a marker is.
const FETCH_WAIT: Duration = Duration::from_millis(500);
/// One look for records.
const POLL: Duration = Duration::from_millis(100);
/// How long a replay may go without any progress. The next try has a new client: one has been seen to get nothing from
/// a broker that served all others.
const PATIENCE: Duration = Duration::from_secs(10);

/// A committed-only reader of the places that one writer writes.
pub(super) struct Own {
    settings: Arc<KafkaSettings>,
    consumer: DroppedElsewhere<Reading>,
    /// Per place the least offset that the next record may have, as long as it is replayed.
    next: BTreeMap<Place, u64>,
    /// Per place the last offset that was met.
    met: BTreeMap<Place, u64>,
}

impl Own {
    /// Begins each place at an offset.
    pub(super) fn read_from(
        settings: &Arc<KafkaSettings>,
        from: impl IntoIterator<Item = (Place, u64)>,
    ) -> KafkaResult<Self> {
        let next: BTreeMap<_, _> = from.into_iter().collect();
        let topic = |(place, next): (&Place, &u64)| (settings.topic(place.stream), place.partition, *next);
        let topics: Vec<_> = next.iter().map(topic).collect();
        let consumer = DroppedElsewhere::new(settings.reader(FETCH_WAIT, &topics)?);
        Ok(Self { settings: Arc::clone(settings), consumer, next, met: BTreeMap::new() })
    }

    /// Replays every place roughly up to where it ended when somebody asked. Whoever writes there may go on meanwhile.
    pub(super) fn replay_what_is_there(
        &mut self,
        ends: &[(Place, u64)],
        chains: Chains,
        replay: &mut dyn Replay,
    ) -> Result<Chains, ClaimError> {
        // The last offset is most often a marker's, which is never delivered.
        let goals: Vec<_> = ends.iter().map(|(place, end)| (*place, end.checked_sub(2))).collect();
        self.replay(&goals, Until::TheEnd, chains, replay)
    }

    /// Replays every place up to the claim record in it: a record of our own, after which nobody else writes.
    pub(super) fn replay_up_to(
        &mut self,
        claims: &[(Place, u64)],
        chains: Chains,
        replay: &mut dyn Replay,
    ) -> Result<Chains, ClaimError> {
        let goals: Vec<_> = claims.iter().map(|(place, claim)| (*place, Some(*claim))).collect();
        self.replay(&goals, Until::Met, chains, replay)
    }

    /// Replays every place until all have reached their goals, if they have one. Moves the chains on from where they are
    /// at the first record.
    fn replay(
        &mut self,
        goals: &[(Place, Option<u64>)],
        until: Until,
        mut chains: Chains,
        replay: &mut dyn Replay,
    ) -> Result<Chains, ClaimError> {
        let begin = |(place, goal): &(Place, Option<u64>)| {
            let next = self.next.get(place).copied().unwrap_or_default();
            let topic = self.settings.topic(place.stream);
            Replayed { topic, next, goal: goal.filter(|goal| next <= *goal), reused: Reused::new(*place) }
        };
        let mut places: Vec<_> = goals.iter().map(begin).collect();
        let mut open = places.iter().filter(|one| one.goal.is_some()).count();
        // At most so many ends are still to be met, if each place meets one.
        let mut ends = self.next.len();
        // Since when nothing comes. Not looked up for every record: a clock costs a tenth of reading one.
        let mut idle: Option<Instant> = None;
        let mut trouble = None;
        while open > 0 && ends > 0 {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    idle = None;
                    let Some(one) = places.iter_mut().find(|one| one.topic == message.topic()) else {
                        continue;
                    };
                    read_into(&mut one.reused, &message);
                    let recorded = one.reused.present();
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
                    if place.stream.is_chained() {
                        chains.of(place.stream).pass(&recorded.record);
                    }
                    if one.goal.take_if(|goal| offset >= *goal).is_some() {
                        open -= 1;
                    }
                    continue;
                }
                // One place may be read to its end while another is not.
                Some(Err(KafkaError::PartitionEOF(_))) if until == Until::TheEnd => ends -= 1,
                Some(Err(KafkaError::PartitionEOF(_))) | None => {}
                Some(Err(error)) => trouble = Some(error),
            }
            if idle.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
                let reason = trouble.map_or("no records came".to_owned(), |error| error.to_string());
                let topics: Vec<_> =
                    places.into_iter().filter(|one| one.goal.is_some()).map(|one| one.topic).collect();
                return Err(ClaimError::Unavailable(format!(
                    "{} could not be read: {reason}",
                    topics.join(" and ")
                )));
            }
        }
        self.next.extend(goals.iter().map(|(place, _)| *place).zip(places.into_iter().map(|one| one.next)));
        Ok(chains)
    }

    /// Waits until everything that the position covers was met.
    pub(super) fn wait(&mut self, position: &Position, patience: Duration) -> Result<(), AppendError> {
        let deadline = Instant::now() + patience;
        while position.iter().any(|(place, last)| self.met.get(&place).is_none_or(|met| *met < last)) {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    if let Some(place) = self.settings.place(message.topic(), message.partition()) {
                        self.met.insert(place, offset(&message));
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

/// When a replay is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// When every goal was met.
    Met,
    /// Or else when each place may have been read to its end: a goal that no record has is never met.
    TheEnd,
}

/// A place while it is replayed.
struct Replayed {
    topic: String,
    /// The least offset that the next record may have.
    next: u64,
    /// What is to be met still: a record with this offset or a greater one.
    goal: Option<u64>,
    reused: Reused,
}
