//! A closed loop: a fixed number of clients, each of which sends its next request after the answer to the last one.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{Measured, Turn};

/// Between a failure and the next request of the same client: a server that is gone is not asked a million times.
const AFTER_FAILURE: Duration = Duration::from_millis(5);

/// Runs `clients` loops for `duration` after a warm-up of a fifth of it.
pub async fn run<F, R>(clients: usize, duration: Duration, request: F) -> anyhow::Result<Measured>
where
    F: Fn(Turn) -> R + Send + Sync + 'static,
    R: Future<Output = anyhow::Result<()>> + Send,
{
    let request = Arc::new(request);
    let begin = Instant::now() + duration / 5;
    let end = begin + duration;
    let step = u64::try_from(clients)?;
    let loops: Vec<_> = (0..step)
        .map(|client| {
            let request = request.clone();
            tokio::spawn(async move {
                let mut measured = Measured::new(duration);
                for count in 0.. {
                    let sent = Instant::now();
                    if sent >= end {
                        break;
                    }
                    let outcome = request(Turn { client, count, number: count * step + client }).await;
                    let failed = outcome.is_err();
                    // What is answered after the end was not answered in the time that is measured.
                    if sent >= begin && (Instant::now() < end || failed) {
                        measured.take(sent.elapsed(), outcome);
                    }
                    if failed {
                        tokio::time::sleep(AFTER_FAILURE).await;
                    }
                }
                measured
            })
        })
        .collect();
    let mut measured = Measured::new(duration);
    for task in loops {
        measured.add(task.await?);
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn every_request_has_a_number_of_its_own_and_failures_do_not_end_the_loop() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let request = {
            let seen = seen.clone();
            move |turn: Turn| {
                seen.lock().unwrap().push(turn);
                async move {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    if turn.count.is_multiple_of(2) {
                        anyhow::bail!("every other one");
                    }
                    Ok(())
                }
            }
        };
        let measured = run(3, Duration::from_millis(400), request).await.unwrap();
        let seen = seen.lock().unwrap();
        let numbers: BTreeSet<u64> = seen.iter().map(|turn| turn.number).collect();
        assert_eq!(numbers.len(), seen.len());
        assert!((0..3).all(|client| seen.iter().any(|turn| turn.client == client && turn.count > 1)));
        assert!(!measured.latency.is_empty());
        assert!(measured.failed > 0);
        assert_eq!(measured.first_failure.as_deref(), Some("every other one"));
    }
}
