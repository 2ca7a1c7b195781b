//! The places that one writer writes, read as every follower reads them: up to its claim first, so that it knows what is
//! there, and then what it has written itself. What was met there is committed in every broker's book, marker and all.

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
    /// Per place the offset at which reading began.
    from: BTreeMap<Place, u64>,
    /// Per place the last offset that was met.
    met: BTreeMap<Place, u64>,
}

impl Own {
    /// Begins each place at an offset.
    pub(super) fn read_from(
        settings: &Arc<KafkaSettings>,
        from: impl IntoIterator<Item = (Place, u64)>,
    ) -> KafkaResult<Self> {
        let from: BTreeMap<_, _> = from.into_iter().collect();
        let topic = |(place, next): (&Place, &u64)| (settings.topic(place.stream), place.partition, *next);
        let topics: Vec<_> = from.iter().map(topic).collect();
        let consumer = DroppedElsewhere::new(settings.reader(FETCH_WAIT, &topics)?);
        Ok(Self { settings: Arc::clone(settings), consumer, from, met: BTreeMap::new() })
    }

    /// Replays every place up to the claim record in it: a record of our own, because an end offset may be a marker's,
    /// which is never delivered. Moves the chains on from where they are at the first record.
    pub(super) fn replay(
        &mut self,
        claims: &[(Place, u64)],
        mut chains: Chains,
        replay: &mut dyn Replay,
    ) -> Result<Chains, ClaimError> {
        let begin = |(place, claim): &(Place, u64)| Replayed {
            topic: self.settings.topic(place.stream),
            next: self.from.get(place).copied().unwrap_or_default(),
            claim: *claim,
            reused: Reused::new(*place),
        };
        let mut open: Vec<_> = claims.iter().map(begin).collect();
        // Since when nothing comes. Not looked up for every record: a clock costs a tenth of reading one.
        let mut idle: Option<Instant> = None;
        let mut trouble = None;
        while !open.is_empty() {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    idle = None;
                    let Some(index) = open.iter().position(|one| one.topic == message.topic()) else {
                        continue;
                    };
                    let Replayed { next, claim, reused, .. } = &mut open[index];
                    read_into(reused, &message);
                    let recorded = reused.present();
                    let (place, offset) = (recorded.place, recorded.offset);
                    // The client begins anew where it finds the log shorter than it was.
                    if offset < *next {
                        return Err(ClaimError::Unavailable(format!("{place} went back to offset {offset}")));
                    }
                    *next = offset + 1;
                    replay.replay(recorded).map_err(|reason| ClaimError::Unreadable {
                        place,
                        offset,
                        reason,
                    })?;
                    if place.stream.is_chained() {
                        chains.of(place.stream).pass(&recorded.record);
                    }
                    if offset >= *claim {
                        open.swap_remove(index);
                    }
                    continue;
                }
                // One place may be read to its end while another is not.
                Some(Err(KafkaError::PartitionEOF(_))) | None => {}
                Some(Err(error)) => trouble = Some(error),
            }
            if idle.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
                let reason = trouble.map_or("no records came".to_owned(), |error| error.to_string());
                let topics: Vec<_> = open.into_iter().map(|one| one.topic).collect();
                return Err(ClaimError::Unavailable(format!(
                    "{} could not be read: {reason}",
                    topics.join(" and ")
                )));
            }
        }
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

/// A place while it is replayed.
struct Replayed {
    topic: String,
    /// The least offset that the next record may have.
    next: u64,
    /// Offset of the record that ends the replay.
    claim: u64,
    reused: Reused,
}
