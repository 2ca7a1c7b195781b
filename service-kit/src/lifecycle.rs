//! A clean end: the first signal asks, the second insists.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

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

    /// Ready when everything is to end.
    pub fn requested(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut receiver = self.sender.subscribe();
        async move {
            // An error means that the sender is gone, and with it whoever could ask to go on.
            let _ = receiver.wait_for(|stopped| *stopped).await;
        }
    }
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
}
