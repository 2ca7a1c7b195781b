//! What a loop came to: latencies, answers, failures.

use std::sync::Mutex;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest latency that is told apart, in microseconds.
const LONGEST: u64 = 120_000_000;

/// What a loop came to. Latencies are those of answered requests.
pub struct Measured {
    /// For how long it was measured.
    pub duration: Duration,
    /// Latencies in microseconds.
    pub latency: Histogram<u64>,
    /// Requests that failed or got no answer.
    pub failed: u64,
    /// What the first of them said.
    pub first_failure: Option<String>,
}

impl Measured {
    /// Nothing yet, of a loop that is measured for so long.
    pub fn new(duration: Duration) -> Self {
        Self { duration, latency: histogram(), failed: 0, first_failure: None }
    }

    /// Takes in one request.
    pub fn take(&mut self, latency: Duration, outcome: anyhow::Result<()>) {
        match outcome {
            Ok(()) => {
                self.latency.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(LONGEST).max(1));
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Counts one that failed.
    pub(crate) fn fail(&mut self, error: &anyhow::Error) {
        self.failed += 1;
        self.first_failure.get_or_insert_with(|| format!("{error:#}"));
    }

    /// Takes in what another part of the same loop came to.
    pub fn add(&mut self, other: Self) {
        self.latency.add(other.latency).expect("both have the same bounds");
        self.failed += other.failed;
        self.first_failure = self.first_failure.take().or(other.first_failure);
    }

    /// Requests answered per second.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn per_second(&self) -> f64 {
        self.latency.len() as f64 / self.duration.as_secs_f64()
    }

    /// A percentile in milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 microseconds")]
    pub fn millis(&self, percentile: f64) -> f64 {
        self.latency.value_at_percentile(percentile) as f64 / 1_000.0
    }
}

/// What several tasks measure together.
pub(crate) type Shared = Mutex<Measured>;

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are in order")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_and_have_no_latency() {
        let mut measured = Measured::new(Duration::from_secs(2));
        measured.take(Duration::from_millis(3), Ok(()));
        measured.take(Duration::from_millis(5), Ok(()));
        measured.take(Duration::from_secs(9), Err(anyhow::anyhow!("no").context("asked")));
        assert_eq!((measured.latency.len(), measured.failed), (2, 1));
        assert_eq!(measured.first_failure.as_deref(), Some("asked: no"));
        assert!((measured.per_second() - 1.0).abs() < 1e-9);
        assert!((measured.millis(100.0) - 5.0).abs() < 0.01);
    }
}
