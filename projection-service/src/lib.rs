//! Consumes the log and folds what happened into the rows of the views. Terms are defined in `docs/glossary.md`.
//!
//! [`log_consumer`] has the loop, its batches, checkpoints, halts and outages. This crate adds what the views need:
//! records read as log entries, one pure fold a view, and the views as a sink. Why views are disposable and why nothing is
//! skipped: `docs/adr/0007-disposable-views.md`.

mod applied;
mod clock;
mod config;
mod log_entry;
mod row_changes;
mod sink;
mod status;
mod views;

use std::future::Future;
use std::sync::Arc;

use event_log::{EventLog, Recorded};
use log_consumer::{Consumer, ConsumerConfig};
use log_model::StreamPartition;
use read_model::ViewWriter;

pub use config::ProjectionConfig;
pub use status::{PartitionStatus, Status};

use crate::log_entry::LogEntry;
use crate::sink::ViewsSink;

/// What keeps the projection from reading a record; `None` where nothing does, or the views don't show its stream.
pub fn fault(recorded: &Recorded) -> Option<String> {
    if !recorded.place.stream.is_followed() {
        return None;
    }
    LogEntry::read(recorded).err()
}

/// The projection of one process. Several processes may run one each: what one has applied, the others pass over.
pub struct ProjectionService {
    consumer: Consumer<ViewsSink>,
    status: Status,
    /// Held open for the consumer.
    log: Arc<dyn EventLog>,
}

impl ProjectionService {
    /// The projection of `log` into the views of `writer`. Nothing happens before it is run.
    pub fn build(config: &ProjectionConfig, log: Arc<dyn EventLog>, writer: Arc<ViewWriter>) -> Self {
        let places: Vec<_> = StreamPartition::followed(log.partitions()).collect();
        let consumer_config = ConsumerConfig {
            metrics: Some("muster_projection"),
            max_batch: config.projection_batch as usize,
            ..ConsumerConfig::new("projection", "the views")
        };
        let progress = writer.views().progress().clone();
        let consumer = Consumer::new(&log, places.clone(), ViewsSink::new(writer), consumer_config);
        let status = Status::new(progress, places, consumer.consumed());
        Self { consumer, status, log }
    }

    /// How far it is, for health.
    pub fn status(&self) -> Status {
        self.status.clone()
    }

    /// Applies what is in the log and what comes, until `stop` is ready. An outage of the log or the database doesn't end
    /// it; it goes on where it stopped.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) {
        let _open = self.log;
        applied::describe_metrics();
        tokio::select! {
            () = self.consumer.run() => {}
            () = stop => {}
        }
    }
}
