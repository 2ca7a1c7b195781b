//! An outage of the log or the sink: reported once when it begins and once when it ends, with growing pauses between.

use std::time::Duration;

use crate::config::ConsumerConfig;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Whether something is away, and how long to wait before the next attempt.
pub(crate) struct Outage {
    what: &'static str,
    consumer: &'static str,
    is_quiet: bool,
    pause: Option<Duration>,
}

impl Outage {
    pub(crate) fn of(what: &'static str, config: &ConsumerConfig) -> Self {
        Self { what, consumer: config.name, is_quiet: config.has_quiet_outages, pause: None }
    }

    /// It is away. Only the first call of an outage is reported.
    pub(crate) fn begins(&mut self, reason: &str) {
        let (what, consumer) = (self.what, self.consumer);
        match (self.pause.is_none(), self.is_quiet) {
            (true, false) => tracing::warn!(reason, "{what} can't be used; the {consumer} waits"),
            (true, true) => tracing::debug!(reason, "{what} can't be used; the {consumer} waits"),
            (false, _) => {}
        }
        self.pause = Some(self.pause.map_or(FIRST, |pause| (pause * 2).min(LONGEST)));
    }

    /// It is away. Returns when the next attempt is due.
    pub(crate) async fn wait(&mut self, reason: &str) {
        self.begins(reason);
        tokio::time::sleep(self.pause.unwrap_or(FIRST)).await;
    }

    /// It is back.
    pub(crate) fn over(&mut self) {
        let (what, consumer) = (self.what, self.consumer);
        match (self.pause.take().is_some(), self.is_quiet) {
            (true, false) => tracing::info!("{what} can be used again; the {consumer} goes on"),
            (true, true) => tracing::debug!("{what} can be used again; the {consumer} goes on"),
            (false, _) => {}
        }
    }
}
