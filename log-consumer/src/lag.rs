//! How many records a sink is behind the log, measured beside the work.

use std::sync::Weak;
use std::time::Duration;

use event_log::EventLog;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::consumed::Consumed;
use crate::metrics::Metrics;

/// How often the ends of the log are asked for.
const EVERY: Duration = Duration::from_secs(5);

/// Measures until the log is closed.
pub(crate) async fn measure(
    log: Weak<dyn EventLog>,
    metrics: Metrics,
    mut consumed: watch::Receiver<Consumed>,
) {
    // Before the checkpoints are read every lag would be the whole log.
    if consumed.wait_for(|consumed| !consumed.is_empty()).await.is_err() {
        return;
    }
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let Some(log) = log.upgrade() else { return };
        // A log that is away has no end now; the consumer itself reports the outage.
        let Ok(ends) = log.ends().await else { continue };
        for (place, end) in ends {
            if let Some(next) = consumed.borrow().next(place) {
                metrics.lag(place, end.saturating_sub(next));
            }
        }
    }
}
