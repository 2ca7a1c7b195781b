//! Event → row changes, one pure fold a view.

pub(crate) mod agents;
pub(crate) mod audit;
pub(crate) mod counts;
pub(crate) mod credentials;
pub(crate) mod groups;
pub(crate) mod mailboxes;
pub(crate) mod tokens;
pub(crate) mod users;

use domain::id::UserId;
use domain::timestamp::Timestamp;

/// Whose event it is, and which one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) user: UserId,
    pub(crate) partition: u32,
    pub(crate) sequence: u64,
    pub(crate) time: Timestamp,
}

/// A row that is put or taken away by its key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change<K, R> {
    Put(K, R),
    Gone(K),
}
