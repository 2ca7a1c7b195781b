//! Metrics of a consumer. Their prefix is the consumer's own.

use std::time::Duration;

use event_log::Recorded;
use log_model::{Stream, StreamPartition};

use crate::config::ConsumerConfig;

/// Where a consumer reports to; without a prefix it reports nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metrics {
    prefix: Option<&'static str>,
}

impl Metrics {
    pub(crate) fn of(config: &ConsumerConfig) -> Self {
        Self { prefix: config.metrics }
    }

    pub(crate) fn describe(self, sink: &str) {
        let Some(prefix) = self.prefix else { return };
        metrics::describe_gauge!(
            format!("{prefix}_halted"),
            "1 while a record of the place can't be applied"
        );
        metrics::describe_counter!(
            format!("{prefix}_records_total"),
            format!("Records applied to {sink}, by stream")
        );
        metrics::describe_histogram!(format!("{prefix}_batch_records"), "Records of one transaction");
        metrics::describe_histogram!(
            format!("{prefix}_apply_seconds"),
            metrics::Unit::Seconds,
            "Time to apply one transaction"
        );
        metrics::describe_gauge!(
            format!("{prefix}_lag_records"),
            format!("Offsets between {sink} and the end of the log, by place")
        );
    }

    pub(crate) fn halted(self, place: StreamPartition, is_halted: bool) {
        let Some(prefix) = self.prefix else { return };
        let gauge = metrics::gauge!(format!("{prefix}_halted"), "place" => place.to_string());
        gauge.set(if is_halted { 1.0 } else { 0.0 });
    }

    /// One batch was applied.
    pub(crate) fn applied(self, counts: &RecordCounts, took: Duration) {
        let Some(prefix) = self.prefix else { return };
        metrics::histogram!(format!("{prefix}_apply_seconds")).record(took.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a batch is far below 2⁵³ records")]
        metrics::histogram!(format!("{prefix}_batch_records")).record(counts.total() as f64);
        for (stream, records) in Stream::ALL.into_iter().zip(counts.0) {
            metrics::counter!(format!("{prefix}_records_total"), "stream" => stream.name())
                .increment(records);
        }
    }

    /// How many offsets lie between the sink and the end of a stream partition.
    pub(crate) fn lag(self, place: StreamPartition, behind: u64) {
        let Some(prefix) = self.prefix else { return };
        #[expect(clippy::cast_precision_loss, reason = "a lag of 2⁵³ records is not measured to the record")]
        let behind = behind as f64;
        metrics::gauge!(format!("{prefix}_lag_records"), "place" => place.to_string()).set(behind);
    }
}

/// How many records of each stream a batch holds, in the order of [`Stream::ALL`].
#[derive(Debug, Default)]
pub(crate) struct RecordCounts([u64; Stream::ALL.len()]);

impl RecordCounts {
    pub(crate) fn add(&mut self, recorded: &Recorded) {
        let index = Stream::ALL.iter().position(|stream| *stream == recorded.place.stream);
        self.0[index.expect("a record lies in one of all streams")] += 1;
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}
