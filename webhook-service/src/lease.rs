//! How long this process may believe that it holds what it took.
//!
//! Others take a process for dead when its beat has stood still for a lease. So a send begins only if it will have ended
//! before that could happen. No two processes send the same webhook's events at a time, whatever their clocks say.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;

/// What a lease lasts beyond one send: several beats, so that a slow one does no harm.
const BEYOND_SEND: Duration = Duration::from_secs(5);

/// The lease of this process on everything that it holds.
#[derive(Debug)]
pub(crate) struct WorkerLease {
    /// When the last beat that is known to have been written began.
    beaten: Mutex<Option<Instant>>,
    send: Duration,
}

impl WorkerLease {
    /// A lease that doesn't hold before the first beat. `send` is how long a send takes at most.
    pub(crate) fn new(send: Duration) -> Self {
        Self { beaten: Mutex::new(None), send }
    }

    /// After how long a beat that stands still means death.
    pub(crate) fn lasts(&self) -> Duration {
        self.send + BEYOND_SEND
    }

    /// A beat that began at this instant was written.
    pub(crate) fn beat(&self, begun: Instant) {
        *self.beaten.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
    }

    /// Whether a send that begins now ends before anybody else may take over.
    pub(crate) fn may_send(&self) -> bool {
        let beaten = *self.beaten.lock().unwrap_or_else(PoisonError::into_inner);
        beaten.is_some_and(|beaten| beaten.elapsed() < BEYOND_SEND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_send_begins_only_if_it_ends_before_others_may_take_over() {
        let lease = WorkerLease::new(Duration::from_secs(15));
        assert!(!lease.may_send());
        let begun = Instant::now();
        lease.beat(begun);
        assert!(lease.may_send());
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(!lease.may_send(), "it would end with the lease");
        assert_eq!(lease.lasts(), Duration::from_secs(20));
    }
}
