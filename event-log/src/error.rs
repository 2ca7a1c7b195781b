//! What can go wrong with the log, classed by what the caller does next.

use log_model::StreamPartition;

/// Why a partition could not be claimed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Somebody claimed it at the same time. The caller may claim again.
    #[error("another writer claimed the partition meanwhile")]
    Fenced,
    /// The log can't be reached. The caller waits and claims again.
    #[error("the log can't be reached: {0}")]
    Unavailable(String),
    /// A record could not be replayed. Claiming again will not help.
    #[error("{place} offset {offset} can't be replayed: {reason}")]
    Unreadable {
        /// Where the record lies.
        place: StreamPartition,
        /// Its offset.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a batch was not, or not certainly, appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another writer owns the partition, or may without this one being told. Nothing was written by this call; the writer
    /// is of no more use.
    #[error("another writer owns the partition, or may")]
    Fenced,
    /// Nothing was written and the same writer may try again.
    #[error("the batch was aborted: {0}")]
    Aborted(String),
    /// It may have been written or not; only the log says. The writer is of no more use: claim and look.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
}

/// The log can't be reached at the moment, or refuses.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the log can't be reached: {0}")]
pub struct Unavailable(pub String);
