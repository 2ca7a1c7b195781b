//! Shows how long an owner has been inside one call of the log, so that others notice a call that never returns.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shared by the threads that call the log for one owner and the task that watches them.
#[derive(Clone, Default)]
pub(crate) struct CallWatchdog(Arc<Mutex<Option<Instant>>>);

impl CallWatchdog {
    /// Makes a call that may block.
    pub(crate) fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        self.set(Some(Instant::now()));
        let result = call();
        self.set(None);
        result
    }

    /// Reports progress from inside a long call.
    pub(crate) fn report_progress(&self) {
        self.set(Some(Instant::now()));
    }

    /// Time since the current call began or last made progress; zero outside of calls.
    pub(crate) fn silent_for(&self) -> Duration {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}
