//! What a list of the audit log is filtered by.

use domain::id::UserId;
use domain::timestamp::Timestamp;

use crate::audit::{Outcome, Target};

/// A filter of entries. All conditions have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By this actor.
    pub actor: Option<UserId>,
    /// About this target.
    pub target: Option<Target>,
    /// With any of these actions; empty means every action.
    pub actions: Vec<String>,
    /// With any of these outcomes; empty means every outcome.
    pub outcomes: Vec<Outcome>,
    /// After this instant.
    pub after: Option<Timestamp>,
    /// Before this instant.
    pub before: Option<Timestamp>,
    /// Words that all have to be contained in the names of actor and target, the action, the client's address and user
    /// agent, or the ids of command and request.
    pub search: Option<String>,
}

impl AuditFilter {
    /// Every entry about one target.
    pub fn of_target(target: Target) -> Self {
        Self { target: Some(target), ..Self::default() }
    }
}
