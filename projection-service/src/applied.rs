//! A log line, and the age, for each record that the views show now. The consumer counts them.

use event_log::Recorded;
use log_consumer::Move;
use log_model::StreamPartition;

use crate::clock;
use crate::log_entry::LogEntry;

/// What the log line of a record shows.
pub(crate) struct AppliedRecord {
    place: StreamPartition,
    offset: u64,
    name: &'static str,
    correlation_id: String,
    age_micros: i64,
}

impl AppliedRecord {
    pub(crate) fn of(recorded: &Recorded, entry: &LogEntry) -> Self {
        let envelope = entry.envelope();
        Self {
            place: recorded.place,
            offset: recorded.offset,
            name: entry.name(),
            correlation_id: envelope.map(|it| it.correlation_id.clone()).unwrap_or_default(),
            age_micros: envelope.map_or(0, |it| clock::now().micros() - it.time.micros()).max(0),
        }
    }
}

/// Logs one line per record, by which a request can be followed to the views. While the views catch up, the lines are at
/// debug level.
pub(crate) fn report(records: &[AppliedRecord], moves: &[Move]) {
    for AppliedRecord { place, offset, name, correlation_id, age_micros } in records {
        if moves.iter().any(|moved| moved.place == *place && moved.has_met_end) {
            tracing::info!(
                correlation_id, "event.type" = name, log.place = %place, log.offset = offset, "applied to the views"
            );
            #[expect(
                clippy::cast_precision_loss,
                reason = "an age of 2⁵³ µs is not measured to the microsecond"
            )]
            metrics::histogram!("muster_projection_lag_seconds").record(*age_micros as f64 / 1e6);
        } else {
            tracing::debug!(
                correlation_id, "event.type" = name, log.place = %place, log.offset = offset, "applied to the views"
            );
        }
    }
}

pub(crate) fn describe_metrics() {
    metrics::describe_histogram!(
        "muster_projection_lag_seconds",
        metrics::Unit::Seconds,
        "Time from the decision of an event until the views show it"
    );
}
