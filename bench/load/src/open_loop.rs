//! An open loop: requests arrive at a constant rate, whether the ones before are answered or not.
//!
//! Latency counts from the moment at which a request was meant to arrive. A server that stops for a second is charged
//! with every request of that second, not only with those that happened to be under way.

use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::measured::Shared;
use crate::{Measured, Turn};

/// Most requests under way. A request beyond that waits, and the wait counts as latency.
const AT_ONCE: u32 = 16_384;
/// How long the last answers may take once nothing is sent any more.
const PATIENCE: Duration = Duration::from_mins(1);

/// Sends `rate` requests a second for `duration` after a warm-up of a fifth of it.
pub async fn run<F, R>(rate: f64, duration: Duration, request: F) -> anyhow::Result<Measured>
where
    F: Fn(Turn) -> R + Send + Sync + 'static,
    R: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    anyhow::ensure!(rate > 0.0, "a rate is more than none");
    let shared = Arc::new(Shared::new(Measured::new(duration)));
    let room = Arc::new(Semaphore::new(AT_ONCE as usize));
    let begin = Instant::now() + duration / 5;
    let arrivals = Arrivals { rate, begin, end: begin + duration };
    // On a thread of its own: timers of the runtime are no finer than a millisecond.
    let sender = {
        let (shared, room, runtime) = (shared.clone(), room.clone(), Handle::current());
        thread::spawn(move || arrivals.send(&runtime, &shared, &room, &request))
    };
    // The sender blocks nothing: a worker may wait for it.
    tokio::task::spawn_blocking(move || sender.join().map_err(|_| anyhow::anyhow!("the sender panicked")))
        .await??;
    let answered = tokio::time::timeout(PATIENCE, room.acquire_many(AT_ONCE)).await;
    let without_answer = if answered.is_ok() { 0 } else { AT_ONCE as usize - room.available_permits() };
    let mut taken = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let mut measured = std::mem::replace(&mut *taken, Measured::new(duration));
    for _ in 0..without_answer {
        measured.fail(&anyhow::anyhow!("no answer {PATIENCE:?} after the last request"));
    }
    Ok(measured)
}

struct Arrivals {
    rate: f64,
    begin: Instant,
    end: Instant,
}

impl Arrivals {
    fn send<F, R>(&self, runtime: &Handle, shared: &Arc<Shared>, room: &Arc<Semaphore>, request: &F)
    where
        F: Fn(Turn) -> R,
        R: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let start = Instant::now();
        for number in 0..u32::MAX {
            let due = start + Duration::from_secs_f64(f64::from(number) / self.rate);
            if due >= self.end {
                return;
            }
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let Ok(place) = runtime.block_on(room.clone().acquire_owned()) else { return };
            let number = u64::from(number);
            let answer = request(Turn { client: number, count: 0, number });
            let shared = shared.clone();
            let is_measured = due >= self.begin;
            runtime.spawn(async move {
                let outcome = answer.await;
                if is_measured {
                    shared.lock().unwrap_or_else(PoisonError::into_inner).take(due.elapsed(), outcome);
                }
                drop(place);
            });
        }
    }
}

/// Rates as they are given on a command line: `500` or `100,500`.
pub fn parse_rate(text: &str) -> anyhow::Result<f64> {
    let rate: f64 = text.trim().parse().with_context(|| format!("{text} is not a rate"))?;
    anyhow::ensure!(rate > 0.0 && rate.is_finite(), "a rate is more than none");
    Ok(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_pause_of_the_server_shows_in_every_request_that_was_due_meanwhile() {
        // One at a time, 1 ms each, but the 100th stands still for 200 ms: at 200 a second 40 arrive meanwhile.
        let counter = Arc::new(tokio::sync::Mutex::new(0_u32));
        let request = move |_| {
            let counter = counter.clone();
            async move {
                let mut count = counter.lock().await;
                *count += 1;
                let pause = if *count == 100 { 200 } else { 1 };
                tokio::time::sleep(Duration::from_millis(pause)).await;
                Ok(())
            }
        };
        let measured = run(200.0, Duration::from_secs(1), request).await.unwrap();
        assert_eq!(measured.failed, 0);
        let late = measured.latency.len() - measured.latency.count_between(0, 50_000);
        assert!(late >= 20, "{late} of {} waited", measured.latency.len());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_rate_is_kept_and_failures_are_counted() {
        let request = |turn: Turn| async move {
            if turn.number.is_multiple_of(10) {
                anyhow::bail!("every tenth")
            }
            Ok(())
        };
        let measured = run(500.0, Duration::from_millis(800), request).await.unwrap();
        // One at either end may fall on this or that side of it.
        let all = measured.latency.len() + measured.failed;
        assert!((399..=401).contains(&all), "{all}");
        assert!((39..=41).contains(&measured.failed), "{}", measured.failed);
    }
}
