//! A read of the log without checkpoints of its own: for reports, checks and exports.

use std::collections::{BTreeMap, BTreeSet};

use event_log::{EventLog, Follow, Read, Recorded};
use log_model::StreamPartition;

/// Reads stream partitions from their first record on. [`next`](Self::next) says when each was read to its end; asked
/// again, it goes on as the log grows.
pub struct Scan {
    follow: Follow,
    /// Stream partitions whose end was not met yet.
    open: BTreeSet<StreamPartition>,
    is_end_told: bool,
}

/// Why a scan has nothing to give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// The log can't be read at the moment. Asked again, the scan goes on as soon as it can.
    #[error("the log can't be read: {0}")]
    Unreachable(String),
    /// The log was closed. There is nothing more to come.
    #[error("the log was closed")]
    Closed,
}

impl Scan {
    /// Begins to read these stream partitions.
    pub fn new(log: &dyn EventLog, places: impl IntoIterator<Item = StreamPartition>) -> Self {
        Self::from(log, places.into_iter().map(|place| (place, 0)))
    }

    /// Begins to read these stream partitions from the given offsets on.
    pub fn from(log: &dyn EventLog, places: impl IntoIterator<Item = (StreamPartition, u64)>) -> Self {
        let from: BTreeMap<_, _> = places.into_iter().collect();
        let open = from.keys().copied().collect();
        Self { follow: log.follow(from.into_iter().collect()), open, is_end_told: false }
    }

    /// The next records: at least one, of one stream partition, in order. `None`, once, when every stream partition was
    /// read to its end.
    pub async fn next(&mut self) -> Result<Option<Vec<Recorded>>, ScanError> {
        loop {
            if self.open.is_empty() && !std::mem::replace(&mut self.is_end_told, true) {
                return Ok(None);
            }
            match self.follow.next().await {
                Some(Read::Records(_, records)) => return Ok(Some(records)),
                Some(Read::End(place, _)) => drop(self.open.remove(&place)),
                Some(Read::Unreachable(reason)) => return Err(ScanError::Unreachable(reason)),
                None => return Err(ScanError::Closed),
            }
        }
    }
}
