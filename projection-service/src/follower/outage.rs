//! Something that is away: said once when it goes and once when it is back, asked again ever more slowly between.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Whether something is away, and how long to wait before it is asked again.
pub(super) struct Outage {
    what: &'static str,
    pause: Option<Duration>,
}

impl Outage {
    pub(super) fn of(what: &'static str) -> Self {
        Self { what, pause: None }
    }

    /// It is away. Says whether that is new.
    pub(super) fn begins(&mut self, reason: &str) -> bool {
        let is_new = self.pause.is_none();
        if is_new {
            tracing::warn!(reason, "{} can't be used; the projection waits", self.what);
        }
        self.pause = Some(self.pause.map_or(FIRST, |pause| (pause * 2).min(LONGEST)));
        is_new
    }

    /// It is away; ready when it makes sense to ask again.
    pub(super) async fn wait(&mut self, reason: &str) {
        self.begins(reason);
        tokio::time::sleep(self.pause.unwrap_or(FIRST)).await;
    }

    /// It is back.
    pub(super) fn over(&mut self) {
        if self.pause.take().is_some() {
            tracing::info!("{} can be used again; the projection goes on", self.what);
        }
    }
}
