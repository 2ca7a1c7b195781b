//! Delays answers that wrote nothing until they take as long as those that wrote: time must not tell who exists.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How many durations are kept.
const KEPT: usize = 128;
/// The duration until one is measured.
const GUESS: Duration = Duration::from_millis(5);
/// Answers leave at a multiple of this, so that timer jitter is the same for both kinds.
const GRID: Duration = Duration::from_millis(2);

/// How long the last answers took that wrote something.
#[derive(Debug, Default)]
pub(crate) struct ResponsePacer {
    durations: Mutex<VecDeque<Duration>>,
}

/// An answer that has begun.
pub(crate) struct PacedResponse<'a> {
    pacer: &'a ResponsePacer,
    started: Instant,
}

impl ResponsePacer {
    pub(crate) fn begin(&self) -> PacedResponse<'_> {
        PacedResponse { pacer: self, started: Instant::now() }
    }

    /// A random one of the kept durations, so that both kinds of answers have the same distribution.
    fn random_duration(&self) -> Duration {
        let durations = self.durations.lock().expect("nothing panics while it holds the lock");
        let random = getrandom::u32().expect("a running operating system has randomness") as usize;
        durations.get(random % durations.len().max(1)).copied().unwrap_or(GUESS)
    }
}

impl PacedResponse<'_> {
    /// Something was written. Completes when the answer may leave.
    pub(crate) async fn written(self) {
        let took = self.started.elapsed();
        {
            let mut durations = self.pacer.durations.lock().expect("nothing panics while it holds the lock");
            if durations.len() == KEPT {
                durations.pop_front();
            }
            durations.push_back(took);
        }
        self.leave(took).await;
    }

    /// Nothing was written. Completes when a write could have completed.
    pub(crate) async fn not_written(self) {
        let took = self.started.elapsed().max(self.pacer.random_duration());
        self.leave(took).await;
    }

    async fn leave(&self, took: Duration) {
        let steps = took.as_micros().div_ceil(GRID.as_micros());
        sleep_until(self.started + GRID * u32::try_from(steps).unwrap_or(u32::MAX)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_without_effect_takes_as_long_as_one_with() {
        let pacer = ResponsePacer::default();
        pacer.durations.lock().unwrap().push_back(Duration::from_millis(30));
        let started = Instant::now();
        pacer.begin().not_written().await;
        assert!(started.elapsed() >= Duration::from_millis(30));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_times_alone_are_remembered() {
        let pacer = ResponsePacer::default();
        for _ in 0..200 {
            pacer.begin().written().await;
        }
        assert_eq!(pacer.durations.lock().unwrap().len(), KEPT);
    }
}
