//! Reads own records back as every follower will: what was met there is committed in every broker's book, marker and all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::position::{Place, Position};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message;

use super::client::Reading;
use super::message::offset;
use super::settings::{KafkaSettings, Sees};
use super::{DroppedElsewhere, ends};
use crate::AppendError;

/// How long a broker may hold a fetch while nothing is written. It answers at once when a marker is.
const FETCH_WAIT: Duration = Duration::from_millis(500);
/// One look for records.
const POLL: Duration = Duration::from_millis(100);
/// How long the brokers may take to say where the places end.
const ANSWER: Duration = Duration::from_secs(5);

/// A committed-only reader of the places that one writer writes.
pub(super) struct ReadBack {
    settings: Arc<KafkaSettings>,
    consumer: DroppedElsewhere<Reading>,
    /// Per place the last offset that was met.
    met: BTreeMap<Place, u64>,
}

impl ReadBack {
    /// Begins behind everything that the places hold.
    pub(super) fn try_new(
        settings: &Arc<KafkaSettings>,
        places: impl Iterator<Item = Place>,
    ) -> KafkaResult<Self> {
        let ends = ends::ask(&settings.asker(Sees::Written)?, settings, places, ANSWER)?;
        let from: Vec<_> =
            ends.iter().map(|(place, end)| (settings.topic(place.stream), place.partition, *end)).collect();
        let consumer = DroppedElsewhere::new(settings.reader(FETCH_WAIT, &from)?);
        Ok(Self { settings: Arc::clone(settings), consumer, met: BTreeMap::new() })
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
