//! A reader of a feed: on the shared tail while it keeps up, and on a reading of its own while it is behind.
//!
//! A reader on the tail is an index into the ring. When the ring no longer keeps what comes next, the reader goes to the log
//! with its own position, reads at its own pace, and joins the ring again where the ring begins: what it has seen already it
//! passes over there, so nothing is missed and nothing comes twice.

use std::sync::{Arc, Weak};
use std::time::Duration;

use event_log::{EventLog, Follow, Read, Skips};
use log_model::StreamPartition;
use log_model::record::{Recorded, SUBJECT, TYPE};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::cloud_event::CloudEvent;
use crate::error::FeedError;
use crate::kind::FeedKind;
use crate::position::FeedPosition;
use crate::ring::RingContent;
use crate::selection::Selection;
use crate::tail::FeedTail;

/// How long a reader waits before it asks again for a log that could not be read.
const AGAIN: Duration = Duration::from_secs(1);
/// Most events that a reader takes from the ring at once.
const PORTION: usize = 100;

/// The next part of a feed.
#[derive(Debug, Clone)]
pub struct Portion {
    /// The events that the reader wants, in order.
    pub events: Vec<Arc<CloudEvent>>,
    /// How many events after the last of them, or of all if there is none, were passed over.
    pub passed_over: usize,
    /// The position after all of it.
    pub position: Arc<str>,
}

/// A reader of a feed.
pub struct FeedReader {
    log: Weak<dyn EventLog>,
    tail: Arc<FeedTail>,
    behind: Arc<Semaphore>,
    grown: watch::Receiver<u64>,
    kind: FeedKind,
    selection: Selection,
    place: Place,
    /// The text of where the reader stands.
    position: Arc<str>,
}

enum Place {
    /// At an index of the ring. `own` is where the reader stands while that is not where the tail stood there.
    Tail { index: u64, own: Option<FeedPosition> },
    /// At a position of its own.
    Log { own: FeedPosition, reading: Option<Reading> },
}

/// A reading of the log for one reader.
struct Reading {
    follow: Follow,
    /// The records that operators have taken out of the log, as of the beginning of the reading.
    skips: Skips,
    _permit: OwnedSemaphorePermit,
    _counted: Counted,
}

/// What was taken in of a reading.
struct Taken {
    /// The events that pass the first filter.
    met: Vec<Arc<CloudEvent>>,
    /// How many did not since the last one that did.
    passed_over: usize,
    /// Why the rest was not taken in.
    stopped: Option<FeedError>,
}

/// Counts the readings while they last.
struct Counted;

impl Counted {
    fn new() -> Self {
        metrics::gauge!("muster_feed_readers_behind").increment(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("muster_feed_readers_behind").decrement(1.0);
    }
}

impl FeedReader {
    /// A reader that begins after `position`, or with what comes from now on.
    pub(crate) fn open(
        log: Weak<dyn EventLog>,
        tail: Arc<FeedTail>,
        behind: Arc<Semaphore>,
        kind: FeedKind,
        position: Option<FeedPosition>,
        selection: Selection,
    ) -> Result<Self, FeedError> {
        let ring = tail.ring(kind);
        let (place, text) = ring.look(|ring, _| match position {
            None => (Place::Tail { index: ring.head(), own: None }, ring.text()),
            Some(own) => {
                let text = own.to_string().into();
                match ring.join(own.next()) {
                    Some(index) => (Place::Tail { index, own: Some(own) }, text),
                    None => (Place::Log { own, reading: None }, text),
                }
            }
        })?;
        let grown = ring.grown();
        Ok(Self { log, tail, behind, grown, kind, selection, place, position: text })
    }

    /// The text of where the reader stands.
    pub fn position(&self) -> Arc<str> {
        Arc::clone(&self.position)
    }

    /// Waits for the next part. It may hold no event that the reader wants.
    ///
    /// # Errors
    ///
    /// After [`FeedError::Unavailable`] the reader may go on: it asks again where it stands.
    pub async fn next(&mut self) -> Result<Portion, FeedError> {
        loop {
            if let Some(portion) = self.step().await? {
                return Ok(portion);
            }
        }
    }

    /// The next part, however long the log can't be read meanwhile.
    ///
    /// # Errors
    ///
    /// Any but [`FeedError::Unavailable`].
    pub async fn next_patiently(&mut self) -> Result<Portion, FeedError> {
        loop {
            match self.next().await {
                Err(FeedError::Unavailable(reason)) => {
                    tracing::debug!(reason, "A reader waits for the log.");
                    // Nothing tells that the log is back.
                    tokio::time::sleep(AGAIN).await;
                }
                portion => return portion,
            }
        }
    }

    /// The next part until `end`, the offset after the last wanted record of each partition; `None` once everything before it
    /// was seen. The last part may reach beyond it.
    pub async fn next_before(&mut self, end: &[u64]) -> Result<Option<Portion>, FeedError> {
        loop {
            if self.covers(end)? {
                return Ok(None);
            }
            if let Some(portion) = self.step().await? {
                return Ok(Some(portion));
            }
        }
    }

    /// Gives up the reading of its own, if it has one, until the next part is asked for: whoever takes a long time to write a
    /// part somewhere doesn't keep others from reading.
    pub fn rest(&mut self) {
        if let Place::Log { reading, .. } = &mut self.place {
            *reading = None;
        }
    }

    fn covers(&self, end: &[u64]) -> Result<bool, FeedError> {
        match &self.place {
            Place::Log { own, .. } | Place::Tail { own: Some(own), .. } => Ok(own.covers(end)),
            Place::Tail { index, own: None } => {
                self.tail.ring(self.kind).look(|ring, _| ring.head() == *index && ring.seen().covers(end))
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Portion>, FeedError> {
        match self.place {
            Place::Tail { .. } => self.step_on_tail().await,
            Place::Log { .. } => self.step_in_log().await,
        }
    }

    async fn step_on_tail(&mut self) -> Result<Option<Portion>, FeedError> {
        let Place::Tail { index, own } = &self.place else { return Ok(None) };
        let (index, mut own) = (*index, own.clone());
        self.grown.borrow_and_update();
        let ring = self.tail.ring(self.kind);
        let (found, end) = ring.look(|ring, stopped| {
            let found = ring.from(index, PORTION);
            let is_at_head = matches!(found, RingContent::Nothing);
            let aligned = is_at_head && own.as_ref().is_some_and(|own| ring.seen().covers(own.next()));
            let aligned = aligned.then(|| ring.text());
            (found, (aligned, stopped.filter(|_| is_at_head).cloned()))
        })?;
        match (found, end) {
            (RingContent::TooLate, _) => {
                let own = match own {
                    Some(own) => own,
                    None => self.position.parse().map_err(|_| FeedError::Gone)?,
                };
                self.place = Place::Log { own, reading: None };
                Ok(None)
            }
            (RingContent::Nothing, (_, Some(error))) => Err(error),
            (RingContent::Nothing, (Some(text), None)) => {
                self.position = text;
                self.place = Place::Tail { index, own: None };
                Ok(None)
            }
            (RingContent::Nothing, (None, None)) => {
                if self.grown.changed().await.is_err() {
                    return Err(FeedError::Unavailable("it was closed".to_owned()));
                }
                Ok(None)
            }
            (RingContent::Events(events), _) => {
                let next = index + events.len() as u64;
                let mut met = Vec::with_capacity(events.len());
                for event in events {
                    match &mut own {
                        Some(own) if own.next()[event.partition as usize] > event.offset => {}
                        Some(own) => {
                            own.advance(event.partition, event.offset + 1);
                            met.push(Arc::new(event.at(&own.to_string())));
                        }
                        None => met.push(event),
                    }
                }
                let portion = self.chosen(met, None).await?;
                self.place = Place::Tail { index: next, own };
                Ok(self.stand(portion))
            }
        }
    }

    async fn step_in_log(&mut self) -> Result<Option<Portion>, FeedError> {
        let Place::Log { own, reading } = &mut self.place else { return Ok(None) };
        // Put back at the end: a reading that has given records to nobody would leave a gap.
        let Some(mut current) = reading.take() else {
            let ring = self.tail.ring(self.kind);
            if let Some(index) = ring.look(|ring, _| ring.join(own.next()))? {
                self.place = Place::Tail { index, own: Some(own.clone()) };
                return Ok(None);
            }
            let permit = Arc::clone(&self.behind).acquire_owned().await;
            let (Ok(permit), Some(log)) = (permit, self.log.upgrade()) else {
                return Err(FeedError::Unavailable("it was closed".to_owned()));
            };
            let skips = Skips::read(&*log).await?;
            let places = self.kind.places(log.partitions());
            let from: Vec<(StreamPartition, u64)> = places.zip(own.next().iter().copied()).collect();
            let follow = log.follow(from);
            *reading = Some(Reading { follow, skips, _permit: permit, _counted: Counted::new() });
            return Ok(None);
        };
        let mut own = own.clone();
        match current.follow.next().await {
            Some(Read::Records(_, records)) => {
                let before = own.clone();
                let Taken { met, passed_over, stopped } = self.take(&mut own, &records, &current.skips);
                let current = Some(current).filter(|_| stopped.is_none());
                if own == before
                    && let Some(error) = stopped
                {
                    return Err(error);
                }
                let portion = self.chosen(met, Some((passed_over, own.to_string().into()))).await?;
                // What comes before a record that can't be shown is given first. A new reading then meets it again.
                self.come_to(own, current)?;
                Ok(self.stand(portion))
            }
            Some(Read::End(place, next)) => {
                own.advance(place.partition, next);
                self.come_to(own, Some(current))?;
                Ok(None)
            }
            Some(Read::Unreachable(reason)) => Err(FeedError::Unavailable(reason)),
            None => Err(FeedError::Unavailable("it was closed".to_owned())),
        }
    }

    /// Takes in records, as far as they can be shown. Skipped ones are passed over.
    fn take(&self, own: &mut FeedPosition, records: &[Recorded], skips: &Skips) -> Taken {
        let mut taken = Taken { met: Vec::new(), passed_over: 0, stopped: None };
        for recorded in records {
            let mut after = own.clone();
            after.advance(recorded.place.partition, recorded.next_offset());
            if !self.kind.shows(&recorded.record) || skips.of(recorded).is_some() {
                *own = after;
                continue;
            }
            let header = |name| recorded.record.header(name);
            let passes = match (header(TYPE), header(SUBJECT)) {
                (Some(event_type), Some(subject)) => self.selection.events.passes(event_type, subject),
                _ => true,
            };
            if passes {
                match CloudEvent::of(recorded, &after.to_string()) {
                    Ok(event) => taken.met.push(Arc::new(event)),
                    Err(error) => {
                        taken.stopped = Some(error.into());
                        return taken;
                    }
                }
                taken.passed_over = 0;
            } else {
                taken.passed_over += 1;
            }
            *own = after;
        }
        taken
    }

    /// Stands at a position, on the ring if that keeps what comes next, else where the reading goes on.
    fn come_to(&mut self, own: FeedPosition, reading: Option<Reading>) -> Result<(), FeedError> {
        self.position = own.to_string().into();
        self.place = match self.tail.ring(self.kind).look(|ring, _| ring.join(own.next()))? {
            Some(index) => Place::Tail { index, own: Some(own) },
            None => Place::Log { own, reading },
        };
        Ok(())
    }

    /// Applies the filters to events. `rest` says how many events after the last one were passed over already, and the
    /// position after them.
    async fn chosen(
        &self,
        met: Vec<Arc<CloudEvent>>,
        rest: Option<(usize, Arc<str>)>,
    ) -> Result<Portion, FeedError> {
        let wanted = |met: &Arc<CloudEvent>| self.selection.events.passes(&met.event_type, &met.subject);
        let mut is_wanted: Vec<bool> = met.iter().map(wanted).collect();
        if let Some(group) = self.selection.group.as_ref().filter(|_| is_wanted.contains(&true)) {
            let all: Vec<_> = met.iter().map(|met| (&*met.subject, met.partition, met.offset)).collect();
            let of_group = group.of_group(&all).await;
            let of_group = of_group.map_err(|error| FeedError::Unavailable(error.to_string()))?;
            is_wanted.iter_mut().zip(of_group).for_each(|(wanted, is_of)| *wanted &= is_of);
        }
        let last = met.last().map_or_else(|| self.position(), |met| met.position().into());
        let (rest, position) = rest.unwrap_or((0, last));
        let trailing = is_wanted.iter().rev().take_while(|wanted| !**wanted).count();
        let chosen = met.into_iter().zip(is_wanted).filter(|(_, wanted)| *wanted).map(|(met, _)| met);
        Ok(Portion { events: chosen.collect(), passed_over: trailing + rest, position })
    }

    /// Notes where the reader stands; `None` if nothing was met on the way.
    fn stand(&mut self, portion: Portion) -> Option<Portion> {
        self.position = Arc::clone(&portion.position);
        (!portion.events.is_empty() || portion.passed_over > 0).then_some(portion)
    }
}
