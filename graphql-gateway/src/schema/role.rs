//! The rights of users.

use async_graphql::Enum;
use domain::actor;

/// A right that a user holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "actor::Role")]
pub(crate) enum Role {
    /// Looks after what is their own. Everybody holds it.
    User,
    /// Looks after everybody.
    Administrator,
}
