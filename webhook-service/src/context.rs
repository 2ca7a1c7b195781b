//! What every webhook of this process shares.

use std::sync::Arc;

use event_log::EventLog;
use log_model::LogId;
use read_model::ReadModel;
use sealing::Keyring;

use crate::lease::WorkerLease;
use crate::schedule::Schedule;
use crate::sender::Sender;

/// What every webhook of this process shares.
pub(crate) struct ServiceContext {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) log_id: LogId,
    pub(crate) views: ReadModel,
    pub(crate) keys: Arc<Keyring>,
    pub(crate) sender: Sender,
    pub(crate) schedule: Schedule,
    pub(crate) concurrency: u32,
    pub(crate) lease: Arc<WorkerLease>,
    /// The name of this process.
    pub(crate) worker: String,
}
