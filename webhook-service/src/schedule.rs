//! When a delivery that failed is tried again.

use std::str::FromStr;
use std::time::Duration;

/// How far a pause is changed at random, either way, so that receivers that come back are not met all at once.
const SPREAD: f64 = 0.2;

/// The pauses before each further attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

/// A text that is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time such as 500ms, 5s, 30m, 2h or 7d")]
pub struct NotATime(String);

impl Schedule {
    /// What holds unless it is set: ten attempts over about three days.
    pub const DEFAULT: &'static str = "5s,5m,30m,2h,5h,10h,14h,20h,24h";

    /// The pause after this number of attempts, 1 at least. It is changed at random by up to a fifth. `None` when no attempt follows.
    pub(crate) fn pause(&self, attempts: u32) -> Option<Duration> {
        let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
        let pause = self.0.get(index)?;
        Some(pause.mul_f64(1.0 - SPREAD + 2.0 * SPREAD * random()))
    }
}

impl FromStr for Schedule {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        text.split(',').map(duration).collect::<Result<_, _>>().map(Self)
    }
}

/// Reads a time: a number and a unit.
pub(crate) fn duration(text: &str) -> Result<Duration, NotATime> {
    let text = text.trim();
    let wrong = || NotATime(text.chars().take(40).collect());
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: u64 = text[..at].parse().map_err(|_| wrong())?;
    let millis: u64 = match &text[at..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)
}

/// A number from 0 to below 1.
fn random() -> f64 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_to_a_day_and_then_end() {
        let schedule: Schedule = Schedule::DEFAULT.parse().unwrap();
        let seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
        for (attempts, pause) in (1..).zip(seconds) {
            for _ in 0..50 {
                let drawn = schedule.pause(attempts).unwrap().as_secs_f64();
                assert!((0.8..=1.2).contains(&(drawn / f64::from(pause))), "{attempts}: {drawn}");
            }
        }
        assert_eq!((schedule.pause(0), schedule.pause(10)), (None, None));
    }

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(duration(" 500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2h"), Ok(Duration::from_hours(2)));
        for wrong in ["", "5", "s", "5 s", "-5s", "5w", "99999999999999999999s", "18446744073709551615d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!("5s,,1m".parse::<Schedule>().is_err());
    }
}
