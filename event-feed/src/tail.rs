//! The tail: one reading of the feeds' stream partitions for all live readers of the process.

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use event_log::{EventLog, Read};
use log_model::record::Recorded;
use log_model::{LogId, StreamPartition};
use tokio::sync::watch;

use crate::cloud_event::CloudEvent;
use crate::error::FeedError;
use crate::kind::FeedKind;
use crate::position::FeedPosition;
use crate::ring::Ring;

/// Why a log without records has no name.
const EMPTY: &str = "nobody has written to it yet";
/// Why a log that begins with something else has no name.
const NAMELESS: &str = "its first record has no id";

/// The name of a log, for those who show positions in it and open no reader.
///
/// # Errors
///
/// The log can't be read now, or nobody has written to it yet. A later attempt may succeed.
pub async fn identify(log: &dyn EventLog) -> Result<LogId, FeedError> {
    let mut follow = log.follow(vec![(StreamPartition::new(FeedKind::Groups.stream(), 0), 0)]);
    let reason = match follow.next().await {
        Some(Read::Records(_, records)) => match named(&records) {
            Some(id) => return Ok(id),
            None => NAMELESS.to_owned(),
        },
        Some(Read::End(..)) => EMPTY.to_owned(),
        Some(Read::Unreachable(reason)) => reason,
        None => "it was closed".to_owned(),
    };
    Err(FeedError::Unavailable(reason))
}

/// The name of the log whose group events begin with these.
fn named(records: &[Recorded]) -> Option<LogId> {
    records.first().and_then(|first| LogId::of_first(&first.record))
}

/// What the tail has of one feed, and the signal that it has more.
pub(crate) struct SharedRing {
    kind: FeedKind,
    state: RwLock<TailState>,
    grown: watch::Sender<u64>,
}

enum TailState {
    /// The end of the log has not been met yet, for this reason if one is known.
    Starting(Option<String>),
    /// Readers can join.
    Open(Ring),
    /// A record can't be shown. Readers get what is before it.
    Stopped(Ring, FeedError),
}

impl SharedRing {
    fn new(kind: FeedKind) -> Self {
        Self { kind, state: RwLock::new(TailState::Starting(None)), grown: watch::Sender::new(0) }
    }

    /// Changes whenever there is more to see.
    pub(crate) fn grown(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    /// Looks at the ring. The second value is why nothing comes after it.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Ring, Option<&FeedError>) -> T) -> Result<T, FeedError> {
        match &*self.read() {
            TailState::Open(ring) => Ok(look(ring, None)),
            TailState::Stopped(ring, error) => Ok(look(ring, Some(error))),
            TailState::Starting(reason) => {
                let reason = reason.clone().unwrap_or_else(|| "it has not been read yet".to_owned());
                Err(FeedError::Unavailable(reason))
            }
        }
    }

    /// Waits until readers can join, for `patience` at most.
    pub(crate) async fn opened(&self, patience: Duration) -> Result<(), FeedError> {
        let mut grown = self.grown();
        let opening = async {
            while matches!(&*self.read(), TailState::Starting(_)) {
                // It fails only without a sender, which `self` is.
                if grown.changed().await.is_err() {
                    return;
                }
            }
        };
        // What is missing is said by the look that follows.
        let _late = tokio::time::timeout(patience, opening).await;
        self.look(|_, _| ())
    }

    fn read(&self) -> RwLockReadGuard<'_, TailState> {
        self.state.read().expect("nothing panics while it holds the lock")
    }

    fn change(&self, change: impl FnOnce(&mut RwLockWriteGuard<'_, TailState>)) {
        change(&mut self.state.write().expect("nothing panics while it holds the lock"));
        self.grown.send_modify(|version| *version += 1);
    }

    fn open(&self, seen: FeedPosition) {
        self.change(|state| **state = TailState::Open(Ring::new(seen)));
    }

    fn starts_later(&self, reason: &str) {
        self.change(|state| {
            if let TailState::Starting(known) = &mut **state {
                *known = Some(reason.to_owned());
            }
        });
    }

    /// Takes in what was read of one partition.
    fn take(&self, partition: u32, records: &[Recorded]) {
        self.change(|state| {
            let TailState::Open(ring) = &mut **state else { return };
            for recorded in records {
                if !self.kind.shows(&recorded.record) {
                    ring.see(partition, recorded.next_offset());
                    continue;
                }
                let mut after = ring.seen().clone();
                after.advance(partition, recorded.next_offset());
                match CloudEvent::of(recorded, &after.to_string()) {
                    Ok(event) => ring.push(event),
                    Err(error) => {
                        tracing::error!(error = %error, "a record can't be shown; its feed stops there");
                        let ring = std::mem::replace(ring, Ring::new(after));
                        **state = TailState::Stopped(ring, error.into());
                        return;
                    }
                }
            }
        });
    }

    fn meet_end(&self, partition: u32, next: u64) {
        let is_news = self.look(|ring, _| ring.seen().next().get(partition as usize) < Some(&next));
        if is_news.unwrap_or(false) {
            self.change(|state| {
                if let TailState::Open(ring) = &mut **state {
                    ring.see(partition, next);
                }
            });
        }
    }
}

/// The rings of all feeds.
pub(crate) struct FeedTail {
    rings: [SharedRing; FeedKind::ALL.len()],
}

impl FeedTail {
    pub(crate) fn new() -> Self {
        Self { rings: FeedKind::ALL.map(SharedRing::new) }
    }

    pub(crate) fn ring(&self, kind: FeedKind) -> &SharedRing {
        &self.rings[kind as usize]
    }

    /// Reads until the log is closed.
    pub(crate) async fn run(self: Arc<Self>, log: Weak<dyn EventLog>) {
        let Some((id, ends)) = self.begin(&log).await else { return };
        let Some(partitions) = log.upgrade().map(|log| log.partitions()) else { return };
        let mut starts = FeedKind::ALL.map(|kind| FeedPosition::start(id, kind, partitions));
        for (place, end) in &ends {
            if let Some(kind) = FeedKind::of(place.stream) {
                starts[kind as usize].advance(place.partition, *end);
            }
        }
        // Readers may join once every end was met: a transaction that was open when the ends were asked for is over then.
        let mut unmet: BTreeSet<StreamPartition> = ends.iter().map(|(place, _)| *place).collect();
        let Some(mut follow) = log.upgrade().map(|log| log.follow(ends)) else { return };
        drop(log);
        let mut early = Vec::new();
        while let Some(read) = follow.next().await {
            match read {
                Read::Records(place, records) if unmet.is_empty() => self.take(place, &records),
                Read::Records(place, records) => early.push((place, records)),
                Read::End(place, next) => {
                    if unmet.remove(&place) && unmet.is_empty() {
                        for start in starts.clone() {
                            self.ring(start.kind()).open(start);
                        }
                        for (place, records) in std::mem::take(&mut early) {
                            self.take(place, &records);
                        }
                    }
                    if let Some(kind) = FeedKind::of(place.stream).filter(|_| unmet.is_empty()) {
                        self.ring(kind).meet_end(place.partition, next);
                    }
                }
                Read::Unreachable(reason) => self.starts_later(&reason),
            }
        }
    }

    fn take(&self, place: StreamPartition, records: &[Recorded]) {
        if let Some(kind) = FeedKind::of(place.stream) {
            self.ring(kind).take(place.partition, records);
        }
    }

    fn starts_later(&self, reason: &str) {
        for ring in &self.rings {
            ring.starts_later(reason);
        }
    }

    /// The name of the log and where the feeds' stream partitions end, as soon as the log can be asked. `None` when it was
    /// closed.
    async fn begin(&self, log: &Weak<dyn EventLog>) -> Option<(LogId, Vec<(StreamPartition, u64)>)> {
        let first = vec![(StreamPartition::new(FeedKind::Groups.stream(), 0), 0)];
        let mut follow = log.upgrade()?.follow(first);
        let mut id = None;
        loop {
            // It says something at least once a second. What has failed is tried again then.
            match follow.next().await? {
                Read::Records(_, records) if id.is_none() => id = Some(named(&records)),
                Read::Records(..) | Read::End(..) => {}
                Read::Unreachable(reason) => {
                    self.starts_later(&reason);
                    continue;
                }
            }
            match id {
                None => self.starts_later(EMPTY),
                Some(None) => self.starts_later(NAMELESS),
                Some(Some(id)) => {
                    let open = log.upgrade()?;
                    match open.ends().await {
                        Ok(mut ends) => {
                            ends.retain(|(place, _)| FeedKind::of(place.stream).is_some());
                            return Some((id, ends));
                        }
                        Err(error) => self.starts_later(&FeedError::from(error).to_string()),
                    }
                }
            }
        }
    }
}
