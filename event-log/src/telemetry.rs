//! Metrics of both adapters, under the same names.

use std::time::Instant;

use crate::error::AppendError;

/// Runs an append of this many records and records its duration, its outcome and how many records it wrote.
pub(crate) fn measured<T>(
    records: usize,
    append: impl FnOnce() -> Result<T, AppendError>,
) -> Result<T, AppendError> {
    let records = records as u64;
    let span = tracing::debug_span!("log.append", batch.events = records);
    let _entered = span.enter();
    let started = Instant::now();
    let outcome = append();
    let label = match &outcome {
        Ok(_) => {
            metrics::counter!("muster_log_appended_records_total").increment(records);
            "committed"
        }
        Err(AppendError::Fenced) => "fenced",
        Err(AppendError::Aborted(_)) => "aborted",
        Err(AppendError::Unknown(_)) => "unknown",
    };
    metrics::histogram!("muster_log_append_duration_seconds", "outcome" => label)
        .record(started.elapsed().as_secs_f64());
    outcome
}

/// Counts a snapshot that was written or failed.
pub(crate) fn snapshot(outcome: &'static str) {
    metrics::counter!("muster_snapshots_total", "outcome" => outcome).increment(1);
}
