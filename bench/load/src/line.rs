//! One line of a table: who did what under which load, and what it came to.

use serde::{Deserialize, Serialize};

use crate::Measured;

/// Whose figures a line shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// Muster's.
    Muster,
    /// Those of the servers alone, with nothing decided: the limit.
    Limit,
    /// Those of another library or product.
    Peer,
}

/// One line of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The part of the table that it stands in.
    pub section: String,
    /// Whose figures they are.
    pub who: Who,
    /// What was done, and by what.
    pub what: String,
    /// Under which load: `64 clients`, `500/s`.
    pub load: String,
    /// What was done per second.
    pub per_second: f64,
    /// How long each took; absent where only the rate was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that failed or got no answer.
    pub failed: u64,
    /// What the first of them said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_failure: Option<String>,
    /// What it is compared with in the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
}

/// Latencies in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the requests took no longer.
    pub p50_ms: f64,
    /// 95 of 100 took no longer.
    pub p95_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// 999 of 1,000 took no longer.
    pub p99_9_ms: f64,
    /// None took longer.
    pub max_ms: f64,
}

/// A comparison with the limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// The line that it is compared with.
    pub what: String,
    /// Rate divided by its rate.
    pub rate_ratio: f64,
    /// 95th percentile divided by its 95th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_ratio: Option<f64>,
}

impl Line {
    /// A line about a loop. The section is filled in by the report.
    pub fn new(who: Who, what: impl Into<String>, load: impl Into<String>, measured: &Measured) -> Self {
        let millis = |percentile| measured.millis(percentile);
        Self {
            section: String::new(),
            who,
            what: what.into(),
            load: load.into(),
            per_second: measured.per_second(),
            latency: Some(Latency {
                p50_ms: millis(50.0),
                p95_ms: millis(95.0),
                p99_ms: millis(99.0),
                p99_9_ms: millis(99.9),
                max_ms: millis(100.0),
            }),
            answered: measured.latency.len(),
            failed: measured.failed,
            first_failure: measured.first_failure.clone(),
            beside: None,
        }
    }

    /// A line about a rate alone.
    pub fn rate(who: Who, what: impl Into<String>, done: u64, seconds: f64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let per_second = done as f64 / seconds;
        Self {
            section: String::new(),
            who,
            what: what.into(),
            load: String::new(),
            per_second,
            latency: None,
            answered: done,
            failed: 0,
            first_failure: None,
            beside: None,
        }
    }

    /// Compared with another line of the same run.
    #[must_use]
    pub fn beside(mut self, other: &Self) -> Self {
        let p95_ratio =
            self.latency.zip(other.latency).map(|(own, others)| own.p95_ms / others.p95_ms.max(0.001));
        self.beside = Some(Beside {
            what: other.what.clone(),
            rate_ratio: self.per_second / other.per_second.max(f64::MIN_POSITIVE),
            p95_ratio,
        });
        self
    }

    /// Which share of the requests failed.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn share_failed(&self) -> f64 {
        let all = self.answered + self.failed;
        // Nothing answered and nothing failed is no success either.
        if all == 0 { 1.0 } else { self.failed as f64 / all as f64 }
    }
}

/// The number of clients, as a line shows it.
pub fn clients(number: usize) -> String {
    if number == 1 { "1 client".to_owned() } else { format!("{number} clients") }
}

/// The rate of arrivals, as a line shows it.
pub fn rate(per_second: f64) -> String {
    format!("{per_second}/s")
}
