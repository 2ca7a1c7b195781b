//! A clean end: the first signal asks, the second insists.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::telemetry;

/// Tells everything in the process to end.
#[derive(Clone)]
pub struct Shutdown {
    sender: watch::Sender<bool>,
}

impl Shutdown {
    /// Ends when the process gets SIGTERM or SIGINT. A second one ends the process at once with exit code 130.
    pub fn on_signals() -> std::io::Result<Self> {
        let shutdown = Self::manual();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let requester = shutdown.clone();
        tokio::spawn(async move {
            for again in [false, true] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if again {
                    tracing::warn!("second signal: ending at once");
                    telemetry::flush_logs();
                    std::process::exit(130);
                }
                tracing::info!("ending: taking no more requests, finishing what is under way");
                requester.request();
            }
        });
        Ok(shutdown)
    }

    /// Ends when [`Shutdown::request`] is called.
    pub fn manual() -> Self {
        Self { sender: watch::Sender::new(false) }
    }

    /// Tells everything to end.
    pub fn request(&self) {
        self.sender.send_replace(true);
    }

    /// Whether everything is to end.
    pub fn is_requested(&self) -> bool {
        *self.sender.borrow()
    }

    /// Ready when everything is to end.
    pub fn requested(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut receiver = self.sender.subscribe();
        async move {
            // An error means that the sender is gone, and with it whoever could ask to go on.
            let _ = receiver.wait_for(|stopped| *stopped).await;
        }
    }
}

/// A part of the process ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum PartEnded {
    /// It failed.
    #[error("the {0} failed")]
    Failed(&'static str, #[source] std::io::Error),
    /// It panicked.
    #[error("the {0} panicked")]
    Panicked(&'static str, #[source] tokio::task::JoinError),
    /// It simply ended.
    #[error("the {0} ended early")]
    Early(&'static str),
}

/// Runs a part of the process as a task that ends once `stop` is requested. If it ends before, the process can't do its
/// work any more: `process` is requested, so that the other parts end in order, and the task returns why.
pub fn run_part(
    name: &'static str,
    part: impl Future<Output = std::io::Result<()>> + Send + 'static,
    stop: &Shutdown,
    process: &Shutdown,
) -> JoinHandle<Result<(), PartEnded>> {
    let (stop, process) = (stop.clone(), process.clone());
    tokio::spawn(async move {
        let ended = match tokio::spawn(part).await {
            Ok(Ok(())) if stop.is_requested() => return Ok(()),
            Ok(Ok(())) => PartEnded::Early(name),
            Ok(Err(error)) => PartEnded::Failed(name, error),
            Err(error) => PartEnded::Panicked(name, error),
        };
        tracing::error!(error = &ended as &dyn std::error::Error, "a part of the process is gone: ending");
        process.request();
        Err(ended)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_hears_it_also_those_who_come_late() {
        let shutdown = Shutdown::manual();
        let early = shutdown.requested();
        shutdown.request();
        early.await;
        shutdown.requested().await;
    }

    async fn outcome(part: impl Future<Output = std::io::Result<()>> + Send + 'static) -> PartEnded {
        let (stop, process) = (Shutdown::manual(), Shutdown::manual());
        let ended = run_part("part", part, &stop, &process).await.unwrap().unwrap_err();
        process.requested().await;
        ended
    }

    #[tokio::test]
    async fn f01_a_part_that_ends_early_ends_the_process() {
        assert!(matches!(outcome(async { Ok(()) }).await, PartEnded::Early("part")));
        assert!(matches!(outcome(async { panic!("on purpose") }).await, PartEnded::Panicked("part", _)));
        let broken = async { Err(std::io::ErrorKind::BrokenPipe.into()) };
        assert!(matches!(outcome(broken).await, PartEnded::Failed("part", _)));
    }

    #[tokio::test]
    async fn a_part_that_was_told_to_end_is_no_error() {
        let (stop, process) = (Shutdown::manual(), Shutdown::manual());
        let told = stop.requested();
        let part = async {
            told.await;
            Ok(())
        };
        let running = run_part("part", part, &stop, &process);
        stop.request();
        running.await.unwrap().unwrap();
        assert!(!process.is_requested());
    }
}
