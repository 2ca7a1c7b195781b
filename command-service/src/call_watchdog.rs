//! For how long an owner's thread has been inside one call of the log: a call that never returns has to be noticed by somebody else.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shared between a thread that calls and whoever watches it.
#[derive(Clone, Default)]
pub(crate) struct CallWatchdog(Arc<Mutex<Option<Instant>>>);

impl CallWatchdog {
    /// Makes a call that may block.
    pub(crate) fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        self.set(Some(Instant::now()));
        let answer = call();
        self.set(None);
        answer
    }

    /// Says, inside a long call, that it gets on.
    pub(crate) fn report_progress(&self) {
        self.set(Some(Instant::now()));
    }

    /// Time since the call was made or got on; zero outside of calls.
    pub(crate) fn silent_for(&self) -> Duration {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}
