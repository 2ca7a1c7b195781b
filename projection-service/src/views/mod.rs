//! The folds: events to row changes, one pure function a view.

pub(crate) mod agents;
pub(crate) mod audit;
pub(crate) mod counts;
pub(crate) mod credentials;
pub(crate) mod groups;
pub(crate) mod mailboxes;
pub(crate) mod spans;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod webhooks;

use domain::id::UserId;
use domain::timestamp::Timestamp;

/// An event's user, place in the log, number and time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) user: UserId,
    pub(crate) partition: u32,
    pub(crate) offset: u64,
    pub(crate) sequence: u64,
    pub(crate) time: Timestamp,
}

/// A row written or deleted by its key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RowChange<K, R> {
    Put(K, R),
    Gone(K),
}
