//! How many records the views are behind, measured beside the work.

use std::sync::Arc;
use std::time::Duration;

use event_log::EventLog;
use read_model::Progress;

/// How often the ends of the log are asked for.
const EVERY: Duration = Duration::from_secs(5);

/// Measures for ever.
pub(crate) async fn measure(log: Arc<dyn EventLog>, progress: Progress) {
    metrics::describe_gauge!(
        "muster_projection_lag_records",
        "Offsets between the views and the end of the log, by place"
    );
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        // A log that is away has no end now; the follower says that it is away.
        let Ok(ends) = log.ends().await else { continue };
        for (place, end) in ends {
            let next = progress.checkpoint(place).map_or(0, |seen| seen.next);
            #[expect(
                clippy::cast_precision_loss,
                reason = "a lag of 2⁵³ records is not measured to the record"
            )]
            let behind = end.saturating_sub(next) as f64;
            metrics::gauge!("muster_projection_lag_records", "place" => place.to_string()).set(behind);
        }
    }
}
