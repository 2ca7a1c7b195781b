//! What is outstanding of a webhook, between the part that reads and the part that sends.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use domain::timestamp::Timestamp;
use tokio::sync::Notify;

/// Most events that a webhook has outstanding. Then it reads no more until some have arrived or were given up; what it
/// has not read stays in the log.
const MOST: u64 = 100_000;

/// What is outstanding of a webhook, as its process counts it.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    outstanding: AtomicU64,
    /// When the end of the log was last read, in microseconds since 1970; 0 if never.
    confirmed: AtomicI64,
    is_lost: AtomicBool,
    /// Something was added, or the webhook was lost.
    changed: Notify,
    /// Something has ended.
    room: Notify,
}

impl Backlog {
    pub(crate) fn new(outstanding: u64) -> Self {
        Self { outstanding: outstanding.into(), ..Self::default() }
    }

    /// Events were read.
    pub(crate) fn added(&self, events: u64) {
        self.outstanding.fetch_add(events, Ordering::AcqRel);
        if events > 0 {
            self.changed.notify_one();
        }
    }

    /// Events have arrived or were given up.
    pub(crate) fn ended(&self, events: u64) {
        let less = |outstanding: u64| Some(outstanding.saturating_sub(events));
        // Without a new value there is nothing to do.
        let _ = self.outstanding.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        self.room.notify_one();
    }

    /// Another process holds the webhook now.
    pub(crate) fn lost(&self) {
        self.is_lost.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }

    /// The end of the log was read at this instant.
    pub(crate) fn confirmed(&self, at: Timestamp) {
        self.confirmed.store(at.micros(), Ordering::Release);
    }

    /// When the end of the log was last read.
    pub(crate) fn confirmed_at(&self) -> Option<Timestamp> {
        Some(self.confirmed.load(Ordering::Acquire)).filter(|at| *at != 0).map(Timestamp::from_micros)
    }

    /// Waits until something was added, or the webhook was lost.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Waits until there is room for more.
    pub(crate) async fn wait_for_room(&self) {
        while self.outstanding.load(Ordering::Acquire) >= MOST {
            self.room.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_full_backlog_takes_no_more_until_something_has_ended() {
        let backlog = Arc::new(Backlog::new(MOST));
        let waiting = tokio::spawn({
            let backlog = backlog.clone();
            async move { backlog.wait_for_room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        backlog.ended(1);
        waiting.await.unwrap();
    }
}
