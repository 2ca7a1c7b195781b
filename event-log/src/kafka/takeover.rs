//! Becoming the one writer of a partition: fence, commit a claim, read up to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::position::{Place, Stream};
use rdkafka::message::Message;

use super::DroppedElsewhere;
use super::error::Trouble;
use super::message::read_into;
use super::producer::{Outgoing, Transactions};
use super::read_back::ReadBack;
use super::settings::{Acknowledge, KafkaSettings};
use super::writer::{Chains, KafkaWriter};
use crate::reused::Reused;
use crate::{AppendError, ClaimError, Replay, claim};

/// How long a takeover may go without any progress.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the first `init_transactions` is given: the retry inside of librdkafka waits half a second, so a new
/// producer with more time is the faster way.
const FIRST_TRY: Duration = Duration::from_millis(100);
const LAST_TRY: Duration = Duration::from_secs(5);

pub(super) fn take_over(
    settings: &Arc<KafkaSettings>,
    partition: u32,
    replay: &mut Replay<'_>,
) -> Result<KafkaWriter, ClaimError> {
    let mut transactions = fence(settings, partition)?;
    // The user events come last: their claim record is the epoch.
    let groups = (partition == 0).then_some(Place::new(Stream::GroupEvents, 0));
    let own = [Stream::Claims, Stream::UserEvents].map(|stream| Place::new(stream, partition));
    let places: Vec<_> = groups.into_iter().chain(own).collect();
    let claims: Vec<_> = places.iter().map(|place| (settings.topic(place.stream), claim::fresh())).collect();
    let outgoing: Vec<_> = claims
        .iter()
        .zip(&places)
        .map(|((topic, record), place)| Outgoing { topic, partition: place.partition, record })
        .collect();
    let offsets = transactions.commit(&outgoing).map_err(|error| match error {
        AppendError::Fenced => ClaimError::Fenced,
        AppendError::Aborted(reason) | AppendError::Unknown(reason) => ClaimError::Unavailable(reason),
    })?;

    let mut chains = Chains::default();
    let mut epoch = 0;
    for (place, claimed) in places.into_iter().zip(offsets) {
        read_up_to(settings, place, claimed, replay, &mut chains)?;
        epoch = claimed;
    }
    let read_back = match settings.acknowledge {
        Acknowledge::Committed => None,
        Acknowledge::ReadBack => Some(read_back(settings, partition)?),
    };
    Ok(KafkaWriter::new(Arc::clone(settings), partition, epoch, transactions, chains, read_back))
}

fn read_back(settings: &Arc<KafkaSettings>, partition: u32) -> Result<ReadBack, ClaimError> {
    let written =
        [Stream::UserEvents, Stream::Credentials, Stream::Claims].map(|stream| Place::new(stream, partition));
    let groups = (partition == 0).then_some(Place::new(Stream::GroupEvents, 0));
    let begun = ReadBack::try_new(settings, written.into_iter().chain(groups));
    begun.map_err(|error| ClaimError::Unavailable(error.to_string()))
}

fn fence(settings: &KafkaSettings, partition: u32) -> Result<Transactions, ClaimError> {
    let deadline = Instant::now() + PATIENCE;
    let mut timeout = FIRST_TRY;
    loop {
        match Transactions::begin_owning(settings, partition, timeout) {
            Ok(transactions) => return Ok(transactions),
            Err(Trouble::Fenced) => return Err(ClaimError::Fenced),
            Err(Trouble::Again(_)) if Instant::now() < deadline => timeout = (timeout * 2).min(LAST_TRY),
            Err(Trouble::Fatal(reason) | Trouble::Abort(reason) | Trouble::Again(reason)) => {
                return Err(ClaimError::Unavailable(reason));
            }
        }
    }
}

/// Replays a place up to the claim record: a record of our own, because an end offset may be a marker's, which is
/// never delivered.
fn read_up_to(
    settings: &KafkaSettings,
    place: Place,
    claimed: u64,
    replay: &mut Replay<'_>,
    chains: &mut Chains,
) -> Result<(), ClaimError> {
    const FETCH_WAIT: Duration = Duration::from_millis(10);
    let unavailable = |error: rdkafka::error::KafkaError| ClaimError::Unavailable(error.to_string());
    let from = [(settings.topic(place.stream), place.partition, 0)];
    let consumer = DroppedElsewhere::new(settings.reader(FETCH_WAIT, &from).map_err(unavailable)?);
    let mut reused = Reused::new(place);
    // Since when nothing comes. Not looked up for every record: a clock costs a tenth of reading one.
    let mut idle: Option<Instant> = None;
    let mut trouble = None;
    loop {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) if message.topic() == from[0].0 => {
                idle = None;
                read_into(&mut reused, &message);
                let recorded = reused.present();
                let offset = recorded.offset;
                replay(recorded).map_err(|reason| ClaimError::Unreadable { place, offset, reason })?;
                if place.stream.is_chained() {
                    chains.of(place.stream).pass(&recorded.record);
                }
                if offset >= claimed {
                    return Ok(());
                }
                continue;
            }
            Some(Err(error)) => trouble = Some(error),
            Some(Ok(_)) | None => {}
        }
        if idle.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
            let reason = trouble.map_or("no records came".to_owned(), |error| error.to_string());
            return Err(ClaimError::Unavailable(format!("{place} could not be read: {reason}")));
        }
    }
}
