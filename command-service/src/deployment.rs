//! The deployment's record in the log, as every role reads it when it starts.

use domain::deployment::{self, Initialised};
use event_log::{EventLog, Recorded, deployment_event};
use log_consumer::{Scan, ScanError};
use log_model::{Stream, StreamPartition};

/// The log does not fit the deployment's record.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// Users would be looked for in other partitions than those they are in.
    #[error(
        "this deployment has {recorded} partitions, but the log has {found}; the number never changes, because it decides \
         in which partition a user is: restore the topics with {recorded} partitions"
    )]
    Partitions {
        /// The number in the record.
        recorded: u32,
        /// The number of the log.
        found: u32,
    },
    /// The log was closed meanwhile.
    #[error("the log was closed while its deployment's record was read")]
    Closed,
}

/// Reads the deployment's record. `None` before the deployment is initialised. Waits for a log that can't be reached.
///
/// It reads the group events alone, which are few, and claims nothing.
pub async fn recorded(log: &dyn EventLog) -> Result<Option<Initialised>, DeploymentError> {
    let mut scan = Scan::new(log, [StreamPartition::new(Stream::GroupEvents, 0)]);
    let mut known: Option<Initialised> = None;
    let mut is_said = false;
    loop {
        match scan.next().await {
            Ok(None) => return Ok(known),
            Ok(Some(records)) => {
                for event in records.iter().filter_map(read) {
                    known = Some(event.after(known));
                }
                if known.as_ref().is_some_and(|known| known.partitions.is_some()) {
                    return Ok(known);
                }
            }
            Err(ScanError::Unreachable(reason)) => {
                if !std::mem::replace(&mut is_said, true) {
                    tracing::info!(reason, "waiting for the log to read the deployment's record");
                }
            }
            Err(ScanError::Closed) => return Err(DeploymentError::Closed),
        }
    }
}

/// Refuses a log whose number of partitions is not the one in the deployment's record.
pub async fn require_partitions(log: &dyn EventLog) -> Result<(), DeploymentError> {
    let found = log.partitions();
    match recorded(log).await?.and_then(|record| record.partitions) {
        Some(recorded) if recorded != found => Err(DeploymentError::Partitions { recorded, found }),
        Some(_) | None => Ok(()),
    }
}

/// `None` for records of groups, and for those that can't be read: those who apply them report them.
fn read(recorded: &Recorded) -> Option<Initialised> {
    match deployment_event(&recorded.record)? {
        deployment::Event::Initialised(event) => Some(event),
        deployment::Event::RecordSkipped(_) => None,
    }
}
