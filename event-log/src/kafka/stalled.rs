//! A reader to whom nothing comes, though the brokers say that there is more.
//!
//! After an outage of the brokers a client was seen to fetch from a partition no more, for ever, having met a leader of
//! another epoch than it knew.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::position::Place;

/// For how long a place comes no nearer to its end before the client is given up, and over how many answers of the
/// brokers: while whoever reads waits for something else, no time passes.
const PATIENCE: Duration = Duration::from_secs(10);
const ANSWERS: u32 = 10;

/// What a reader was told about ends that it has not reached.
#[derive(Default)]
pub(super) struct Stalled(BTreeMap<Place, Waiting>);

struct Waiting {
    next: u64,
    since: Instant,
    answers: u32,
}

impl Stalled {
    /// Takes in that a place ends at `end` and was read up to `next`; true when the client is to be given up.
    pub(super) fn hears(&mut self, place: Place, next: u64, end: u64, now: Instant) -> bool {
        if next >= end {
            self.0.remove(&place);
            return false;
        }
        let waiting = self.0.entry(place).or_insert(Waiting { next, since: now, answers: 0 });
        if waiting.next != next {
            *waiting = Waiting { next, since: now, answers: 0 };
        }
        waiting.answers += 1;
        waiting.answers > ANSWERS && now.duration_since(waiting.since) >= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use domain::position::Stream;

    use super::*;

    const PLACE: Place = Place::new(Stream::GroupEvents, 0);

    /// Whether the last of so many answers, so far apart, is one too many.
    fn told(answers: u32, apart: Duration, next: impl Fn(u32) -> u64) -> bool {
        let (mut stalled, begun) = (Stalled::default(), Instant::now());
        let hear = |n| stalled.hears(PLACE, next(n), 10, begun + apart * n);
        (0..answers).map(hear).last().unwrap_or_default()
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
