//! How far the views are, as this process knows it, and the wait for a position. Nothing here asks the database.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::timestamp::Timestamp;
use log_model::{Position, StreamPartition};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::checkpoint::Checkpoint;

/// How far the views are. Fed by the writer of this process and, on PostgreSQL, by notifications of other processes.
/// Clones share what is known.
#[derive(Debug, Clone)]
pub struct Progress {
    known: watch::Sender<BTreeMap<StreamPartition, Checkpoint>>,
}

/// The views did not cover the position in time. They may later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the views have not seen this point of the log yet")]
pub struct NotYetVisible;

/// Whether the views of one stream partition are up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// The projection stood at the end recently enough.
    Confirmed,
    /// The last confirmation is too old, or there was none.
    Stale(Option<Timestamp>),
    /// The log can't be reached since this instant. Before, the views were up to date.
    Unreachable(Timestamp),
    /// A record could not be applied.
    Halted,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { known: watch::Sender::new(BTreeMap::new()) }
    }

    /// Waits until the views cover a position, until a deadline at most.
    pub async fn wait(&self, position: &Position, until: Instant) -> Result<(), NotYetVisible> {
        let mut known = self.known.subscribe();
        let is_covered = |known: &BTreeMap<StreamPartition, Checkpoint>| {
            position.iter().all(|(place, offset)| known.get(&place).is_some_and(|seen| seen.next > offset))
        };
        match tokio::time::timeout_at(until, known.wait_for(is_covered)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(NotYetVisible),
        }
    }

    /// The checkpoint of one stream partition.
    pub fn checkpoint(&self, place: StreamPartition) -> Option<Checkpoint> {
        self.known.borrow().get(&place).cloned()
    }

    /// Every known checkpoint.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        self.known.borrow().values().cloned().collect()
    }

    /// The position that the views cover.
    pub fn position(&self) -> Position {
        let mut position = Position::new();
        for seen in self.known.borrow().values() {
            if let Some(last) = seen.next.checked_sub(1) {
                position.cover(seen.place, last);
            }
        }
        position
    }

    /// Whether a stream partition is up to date at `now`. A confirmation counts for as long as `tolerated`.
    pub fn health(&self, place: StreamPartition, now: Timestamp, tolerated: Duration) -> Health {
        let known = self.known.borrow();
        let Some(seen) = known.get(&place) else { return Health::Stale(None) };
        match (&seen.halted, seen.confirmed_at, seen.unreachable_since) {
            (Some(_), _, _) => Health::Halted,
            (None, Some(at), _) if at + tolerated >= now => Health::Confirmed,
            // Views that were stale before the outage of the log stay stale.
            (None, Some(at), Some(since)) if at + tolerated >= since => Health::Unreachable(since),
            (None, at, _) => Health::Stale(at),
        }
    }

    /// Waits for the next change of any checkpoint.
    pub async fn changed(&self) {
        // It fails only without a sender, which `self` is.
        let _ = self.known.subscribe().changed().await;
    }

    /// The checkpoints as they change.
    pub(crate) fn watch(&self) -> watch::Receiver<BTreeMap<StreamPartition, Checkpoint>> {
        self.known.subscribe()
    }

    /// Adopts checkpoints read from the database. None moves back: a notification may have overtaken the read.
    pub(crate) fn set(&self, checkpoints: Vec<Checkpoint>) {
        self.known.send_if_modified(|known| {
            let mut is_new = false;
            for mut read in checkpoints {
                if let Some(seen) = known.get(&read.place) {
                    read.next = read.next.max(seen.next);
                    if *seen == read {
                        continue;
                    }
                }
                is_new = true;
                known.insert(read.place, read);
            }
            is_new
        });
    }

    /// Adopts that the views cover a position.
    pub(crate) fn cover(&self, position: &Position) {
        self.known.send_if_modified(|known| {
            let mut is_new = false;
            for (place, offset) in position.iter() {
                if let Some(seen) = known.get_mut(&place).filter(|seen| seen.next <= offset) {
                    seen.next = offset + 1;
                    is_new = true;
                }
            }
            is_new
        });
    }
}

#[cfg(test)]
mod tests {
    use log_model::Stream;

    use super::*;
    use crate::checkpoint::Halt;

    const PLACE: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn checkpoint(next: u64) -> Checkpoint {
        Checkpoint {
            place: PLACE,
            next,
            anchor: None,
            latest_at: None,
            confirmed_at: None,
            unreachable_since: None,
            halted: None,
        }
    }

    #[tokio::test]
    async fn a_wait_ends_when_the_place_is_passed_or_the_time_is_over() {
        let progress = Progress::new();
        progress.set(vec![checkpoint(3)]);
        let soon = Instant::now() + Duration::from_secs(1);
        assert_eq!(progress.wait(&Position::at(PLACE, 2), soon).await, Ok(()));
        let now = Instant::now();
        assert_eq!(progress.wait(&Position::at(PLACE, 3), now).await, Err(NotYetVisible));
        let later = Instant::now() + Duration::from_mins(1);
        let position = Position::at(PLACE, 3);
        let waiting = progress.wait(&position, later);
        let ((), waited) = tokio::join!(async { progress.cover(&Position::at(PLACE, 3)) }, waiting);
        assert_eq!(waited, Ok(()));
    }

    #[test]
    fn a_place_never_goes_back() {
        let progress = Progress::new();
        progress.set(vec![checkpoint(9)]);
        progress.set(vec![checkpoint(4)]);
        assert_eq!(progress.checkpoint(PLACE).unwrap().next, 9);
    }

    #[test]
    fn health_follows_from_the_checkpoint() {
        let health = |checkpoint| {
            let progress = Progress::new();
            progress.set(vec![checkpoint]);
            progress.health(PLACE, at(100), Duration::from_secs(5))
        };
        let confirmed = |seconds| Checkpoint { confirmed_at: Some(at(seconds)), ..checkpoint(1) };
        assert_eq!(health(checkpoint(1)), Health::Stale(None));
        assert_eq!(health(confirmed(95)), Health::Confirmed);
        assert_eq!(health(confirmed(94)), Health::Stale(Some(at(94))));
        let unreachable = Checkpoint { unreachable_since: Some(at(96)), ..confirmed(94) };
        assert_eq!(health(unreachable.clone()), Health::Unreachable(at(96)));
        let halted = Halt { offset: 1, reason: String::new(), at: at(1) };
        assert_eq!(health(Checkpoint { halted: Some(halted), ..unreachable }), Health::Halted);
    }
}
