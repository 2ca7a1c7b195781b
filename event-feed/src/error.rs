//! Why a feed can't be read, classed by what the reader does next.

use event_log::Unavailable;

use crate::cloud_event::NotShown;

/// Why a feed can't be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FeedError {
    /// The position is of another log, or lies beyond the end of this one. No later attempt helps.
    #[error("the position is of another log, or lies beyond the end of this one")]
    Gone,
    /// The position is of the other feed.
    #[error("the position is of another feed")]
    OtherFeed,
    /// The log, or what a filter needs, can't be read at the moment. A later attempt may succeed.
    #[error("the feed can't be read: {0}")]
    Unavailable(String),
    /// A record can't be shown, and none is skipped.
    #[error(transparent)]
    NotShown(#[from] NotShown),
}

impl From<Unavailable> for FeedError {
    fn from(Unavailable(reason): Unavailable) -> Self {
        Self::Unavailable(reason)
    }
}
