//! Lets an answer that wrote nothing take as long as one that did: its time must not tell who exists.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How many of the last times are remembered.
const REMEMBERED: usize = 128;
/// What is taken for a time until there is one.
const GUESS: Duration = Duration::from_millis(5);
/// Every answer leaves at a multiple of this: timers are not exact, and so they are it for both kinds alike.
const GRID: Duration = Duration::from_millis(2);

/// How long answers took that wrote something.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    took: Mutex<VecDeque<Duration>>,
}

/// An answer on its way.
pub(crate) struct Begun<'a> {
    pace: &'a Pace,
    at: Instant,
}

impl Pace {
    pub(crate) fn begin(&self) -> Begun<'_> {
        Begun { pace: self, at: Instant::now() }
    }

    /// One of the remembered times, so that the times of both kinds of answers are spread alike.
    fn any(&self) -> Duration {
        let took = self.took.lock().expect("nothing panics while it remembers");
        let random = getrandom::u32().expect("a running operating system has randomness") as usize;
        took.get(random % took.len().max(1)).copied().unwrap_or(GUESS)
    }
}

impl Begun<'_> {
    /// Something was written. Ready when the answer may leave.
    pub(crate) async fn written(self) {
        let took = self.at.elapsed();
        {
            let mut remembered = self.pace.took.lock().expect("nothing panics while it remembers");
            if remembered.len() == REMEMBERED {
                remembered.pop_front();
            }
            remembered.push_back(took);
        }
        self.leave(took).await;
    }

    /// Nothing was written. Ready when something could have been.
    pub(crate) async fn not_written(self) {
        let took = self.at.elapsed().max(self.pace.any());
        self.leave(took).await;
    }

    async fn leave(&self, took: Duration) {
        let steps = took.as_micros().div_ceil(GRID.as_micros());
        sleep_until(self.at + GRID * u32::try_from(steps).unwrap_or(u32::MAX)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_without_effect_takes_as_long_as_one_with() {
        let pace = Pace::default();
        pace.took.lock().unwrap().push_back(Duration::from_millis(30));
        let begun = Instant::now();
        pace.begin().not_written().await;
        assert!(begun.elapsed() >= Duration::from_millis(30));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_times_alone_are_remembered() {
        let pace = Pace::default();
        for _ in 0..200 {
            pace.begin().written().await;
        }
        assert_eq!(pace.took.lock().unwrap().len(), REMEMBERED);
    }
}
