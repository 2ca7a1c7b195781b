//! A closed loop: so many clients, each sends the next request when it has the answer to the last one.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// What a loop came to.
pub struct Measured {
    /// Requests answered per second.
    pub per_second: f64,
    /// Latencies in microseconds.
    pub latency: Histogram<u64>,
}

impl Measured {
    /// A percentile in milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 microseconds")]
    pub fn millis(&self, percentile: f64) -> f64 {
        self.latency.value_at_percentile(percentile) as f64 / 1_000.0
    }
}

/// Runs `clients` loops for `duration` after a warm-up of a fifth of it. `request` gets a number that is never given twice.
pub async fn run<F, R>(clients: usize, duration: Duration, request: F) -> anyhow::Result<Measured>
where
    F: Fn(u64) -> R + Send + Sync + 'static,
    R: Future<Output = anyhow::Result<()>> + Send,
{
    let request = Arc::new(request);
    let numbers = Arc::new(AtomicU64::new(0));
    let begin = Instant::now() + duration / 5;
    let end = begin + duration;
    let loops: Vec<_> = (0..clients)
        .map(|_| {
            let (request, numbers) = (request.clone(), numbers.clone());
            tokio::spawn(async move {
                let mut latency = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3)?;
                while Instant::now() < end {
                    let sent = Instant::now();
                    request(numbers.fetch_add(1, Ordering::Relaxed)).await?;
                    if sent >= begin && Instant::now() < end {
                        latency.saturating_record(u64::try_from(sent.elapsed().as_micros())?);
                    }
                }
                anyhow::Ok(latency)
            })
        })
        .collect();
    let mut latency = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3)?;
    for task in loops {
        latency.add(task.await??)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let per_second = latency.len() as f64 / duration.as_secs_f64();
    Ok(Measured { per_second, latency })
}
