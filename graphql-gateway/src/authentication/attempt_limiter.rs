//! Bounds the guessing of passwords: few attempts on an account at a time, and a growing delay after failures.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Failures in a row without a delay.
const FREE_FAILURES: u32 = 4;
/// Longest delay. It ends by itself, so that strangers can't lock anybody out.
const LONGEST_DELAY: Duration = Duration::from_mins(1);
/// Attempts on one account at a time: no more can run before their failures are counted.
const CONCURRENT_ATTEMPTS: usize = 4;
/// Accounts share this many semaphores, so that memory is bounded.
const STRIPES: usize = 256;

/// Keeps parallel attempts on one account from outrunning the count of its failures.
pub(super) struct AttemptLimiter {
    stripes: Vec<Semaphore>,
}

impl AttemptLimiter {
    pub(super) fn new() -> Self {
        Self { stripes: (0..STRIPES).map(|_| Semaphore::new(CONCURRENT_ATTEMPTS)).collect() }
    }

    /// Waits for its turn; the attempt runs while it holds the permit.
    pub(super) async fn acquire(&self, account: &str) -> SemaphorePermit<'_> {
        let mut hasher = DefaultHasher::new();
        account.hash(&mut hasher);
        let stripe = usize::try_from(hasher.finish() % STRIPES as u64).unwrap_or_default();
        self.stripes[stripe].acquire().await.expect("the semaphore is never closed")
    }
}

/// How long nothing is tried after this many failures in a row: 0 up to the fourth, then 1, 2, 4 … 60 seconds.
pub(super) fn delay(failures: u32) -> Duration {
    match failures.checked_sub(FREE_FAILURES + 1) {
        None => Duration::ZERO,
        Some(doublings) => Duration::from_secs(1_u64 << doublings.min(6)).min(LONGEST_DELAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_from_the_fifth_failure_and_never_locks_out() {
        let seconds: Vec<u64> = (0..14).map(|failures| delay(failures).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(delay(u32::MAX), LONGEST_DELAY);
    }

    #[tokio::test]
    async fn few_attempts_on_one_account_run_at_a_time() {
        let limiter = AttemptLimiter::new();
        let mut permits = Vec::new();
        for _ in 0..CONCURRENT_ATTEMPTS {
            permits.push(limiter.acquire("alice").await);
        }
        let more = tokio::time::timeout(Duration::from_millis(20), limiter.acquire("alice"));
        assert!(more.await.is_err());
        permits.clear();
        drop(limiter.acquire("alice").await);
    }
}
