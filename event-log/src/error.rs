//! What can go wrong with the log, classed by what the caller does next.

use log_model::StreamPartition;

/// Why a partition could not be claimed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another writer claimed it at the same time. The caller may claim again.
    #[error("another writer claimed the partition meanwhile")]
    Fenced,
    /// The log can't be reached. The caller waits, then claims again.
    #[error("the log can't be reached: {0}")]
    Unavailable(String),
    /// A record could not be replayed. Claiming again will not help.
    #[error("{place} offset {offset} can't be replayed: {reason}")]
    Unreadable {
        /// The record's stream partition.
        place: StreamPartition,
        /// The record's offset.
        offset: u64,
        /// What is wrong with the record.
        reason: String,
    },
}

/// Why a batch was not appended, or not certainly.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another writer owns the partition, or may own it without this writer having been told. As a rule this
    /// call wrote nothing. On Kafka its commit may stand all the same, if the broker's answer was lost and only
    /// the repeated call met the fence. The writer is of no further use: claim again and read what is there.
    #[error("another writer owns the partition, or may")]
    Fenced,
    /// Nothing was written. The same writer may try again.
    #[error("the batch was aborted: {0}")]
    Aborted(String),
    /// The batch may or may not have been written; only the log can tell. The writer is of no further use:
    /// claim again and read what is there.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
}

/// The log can't be reached at the moment, or refuses the call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the log can't be reached: {0}")]
pub struct Unavailable(pub String);
