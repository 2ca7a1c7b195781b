//! Follows the log and folds what happened into view rows.

mod cause;
mod config;
mod draft;
mod follower;
mod lag;
mod record;
mod status;
mod views;

use std::future::Future;
use std::sync::Arc;

use event_log::EventLog;
use log_model::StreamPartition;
use read_model::ReadModel;
use tokio::sync::watch;

pub use config::ProjectionConfig;
pub use status::{PartitionStatus, Status};

use crate::follower::Follower;

/// The projection of one process. Several processes may run one each: what one has applied the others pass over.
pub struct ProjectionService {
    follower: Follower,
    status: Status,
    log: Arc<dyn EventLog>,
    read_model: ReadModel,
}

impl ProjectionService {
    /// The projection of `log` into `read_model`. Nothing happens before it is run.
    pub fn build(config: &ProjectionConfig, log: Arc<dyn EventLog>, read_model: ReadModel) -> Self {
        let places: Vec<_> = StreamPartition::followed(log.partitions()).collect();
        let (ended, met) = watch::channel(std::collections::BTreeSet::new());
        let status = Status::new(read_model.progress().clone(), places.clone(), met);
        let batch = config.projection_batch as usize;
        let follower = Follower::new(Arc::clone(&log), read_model.clone(), places, batch, ended);
        Self { follower, status, log, read_model }
    }

    /// How far it is, for health.
    pub fn status(&self) -> Status {
        self.status.clone()
    }

    /// Applies what is in the log and what comes, until `stop` is ready. Neither a log nor a database that is away
    /// ends it; it goes on where it stopped.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = self.follower.run() => {}
            () = lag::measure(self.log, self.read_model.progress().clone()) => {}
            () = stop => {}
        }
    }
}
