//! Detects a reader that receives nothing although the brokers report more records.
//!
//! After an outage of the brokers, a client was seen never to fetch from a partition again. It had met a
//! leader of another epoch than it knew.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use log_model::StreamPartition;

/// How long a stream partition may make no progress before the client is replaced, and over how many answers
/// of the brokers. Counting answers ignores the time in which the reader waits for something else.
const PATIENCE: Duration = Duration::from_secs(10);
const ANSWERS: u32 = 10;

/// The stream partitions that were not read to their reported end yet.
#[derive(Default)]
pub(super) struct StallDetector(BTreeMap<StreamPartition, Waiting>);

struct Waiting {
    next: u64,
    since: Instant,
    answers: u32,
}

impl StallDetector {
    /// Notes that a stream partition ends at `end` and was read up to `next`.
    pub(super) fn observe(&mut self, place: StreamPartition, next: u64, end: u64, now: Instant) {
        if next >= end {
            self.0.remove(&place);
            return;
        }
        let waiting = self.0.entry(place).or_insert(Waiting { next, since: now, answers: 0 });
        if waiting.next != next {
            *waiting = Waiting { next, since: now, answers: 0 };
        }
        waiting.answers += 1;
    }

    /// Whether a stream partition has made no progress for so long that the client must be replaced.
    pub(super) fn is_stalled(&self, now: Instant) -> bool {
        let is_long =
            |waiting: &Waiting| waiting.answers > ANSWERS && now.duration_since(waiting.since) >= PATIENCE;
        self.0.values().any(is_long)
    }
}

#[cfg(test)]
mod tests {
    use log_model::Stream;

    use super::*;

    const PLACE: StreamPartition = StreamPartition::new(Stream::GroupEvents, 0);

    /// Whether the client is replaced after this many answers at this interval.
    fn told(answers: u32, apart: Duration, next: impl Fn(u32) -> u64) -> bool {
        let (mut detector, begun) = (StallDetector::default(), Instant::now());
        for n in 0..answers {
            detector.observe(PLACE, next(n), 10, begun + apart * n);
        }
        detector.is_stalled(begun + apart * (answers - 1))
    }

    #[test]
    fn a_place_that_stands_still_for_long_is_noticed() {
        assert!(told(30, Duration::from_millis(500), |_| 4));
    }

    #[test]
    fn many_answers_in_a_short_time_say_nothing() {
        assert!(!told(100, Duration::from_millis(50), |_| 4));
    }

    #[test]
    fn a_long_time_without_answers_says_nothing() {
        assert!(!told(2, Duration::from_mins(1), |_| 4));
    }

    #[test]
    fn a_place_that_moves_or_has_reached_its_end_is_well() {
        assert!(!told(30, Duration::from_millis(500), |n| u64::from(n / 10)));
        assert!(!told(30, Duration::from_millis(500), |_| 10));
    }
}
