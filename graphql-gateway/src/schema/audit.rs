//! The GraphQL types of the audit log.

use async_graphql::{Enum, ID, InputObject, SimpleObject};
use domain::id::UserId;
use read_model::audit::{AuditRow, Outcome, Target};
use read_model::audit_page;

use super::audit_kind::AuditEntryKind;
use super::connection::Listed;
use super::role::Role;
use super::scalar::{DateTime, Position};

/// What came of what was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Outcome")]
pub(crate) enum AuditOutcome {
    /// It was done.
    Allowed,
    /// The actor may not do it.
    Denied,
    /// The actor may, but it did not work.
    Failed,
}

/// Which entries are listed; what is absent doesn't matter.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct AuditFilter {
    /// By this user.
    actor_id: Option<ID>,
    /// To this user, group or other thing.
    target_id: Option<ID>,
    /// Any of these actions, or of those that `kind` names.
    action: Option<Vec<String>>,
    /// Any of these actions, or of those that `action` names.
    kind: Option<Vec<AuditEntryKind>>,
    /// Any of these outcomes.
    outcome: Option<Vec<AuditOutcome>>,
    /// After this instant.
    after: Option<DateTime>,
    /// Before this instant.
    before: Option<DateTime>,
    /// Words that all have to be contained in the names of actor and target, the action, the client's address and user
    /// agent, or the ids of command and request; capitals don't matter. A page looks at 20,000 entries at most: it may be
    /// short, or empty, though `hasNextPage` is true, and `endCursor` says where to go on. Other conditions make it look
    /// further.
    search: Option<String>,
}

impl AuditFilter {
    /// The filter of the views. `None` if an id in it can't be one: then no entry matches.
    pub(super) fn for_views(self) -> Option<audit_page::AuditFilter> {
        let actor = match self.actor_id {
            Some(id) => Some(id.parse().ok()?),
            None => None,
        };
        let target = match self.target_id {
            Some(id) => Some(Target::parse(&id)?),
            None => None,
        };
        let mut actions = self.action.unwrap_or_default();
        actions.extend(self.kind.unwrap_or_default().into_iter().map(|kind| kind.action().to_owned()));
        Some(audit_page::AuditFilter {
            actor,
            target,
            actions,
            outcomes: self.outcome.unwrap_or_default().into_iter().map(Into::into).collect(),
            after: self.after.map(Into::into),
            before: self.before.map(Into::into),
            search: self.search,
        })
    }
}

/// Something that somebody did, or tried to.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct AuditEntry {
    /// The id of the record in the log.
    #[graphql(owned)]
    pub(crate) id: ID,
    /// When.
    time: DateTime,
    /// Who, if a user.
    actor_id: Option<ID>,
    /// Their name at that time; `anonymous` or `system` for whoever is no user.
    actor_name: String,
    /// Their strongest role at that time.
    actor_role: Option<Role>,
    /// The event, such as `muster.user.approved`, or the command that was denied or refused.
    action: String,
    /// The action as an enum; null for what this release doesn't know.
    kind: Option<AuditEntryKind>,
    /// To what.
    pub(super) target_id: Option<ID>,
    /// The name of it.
    target_name: Option<String>,
    /// What came of it.
    outcome: AuditOutcome,
    /// What it changed.
    changes: Vec<AuditChange>,
    /// From which address.
    client_address: Option<String>,
    /// What the client called itself.
    user_agent: Option<String>,
    /// Id of the command.
    command_id: Option<ID>,
    /// Id of the request, as `x-request-id` has it.
    correlation_id: Option<ID>,
    /// Where in the log the record lies.
    position: Option<Position>,
    /// Who, if a user.
    #[graphql(skip)]
    pub(super) actor_key: Option<UserId>,
}

/// One field before and after.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct AuditChange {
    /// The field, as this API names it.
    field: String,
    /// Before; null for nothing, and for secrets.
    old: Option<String>,
    /// After; null for nothing, and for secrets.
    new: Option<String>,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        let position = row.position();
        Self {
            id: row.id.into(),
            time: row.time.into(),
            actor_id: row.actor_id.map(Into::into),
            actor_name: row.actor_name,
            actor_role: row.actor_role.map(Into::into),
            kind: AuditEntryKind::of(&row.action),
            action: row.action,
            target_id: row.target.map(Into::into),
            target_name: row.target_name,
            outcome: row.outcome.into(),
            changes: row
                .changes
                .into_iter()
                .map(|change| AuditChange { field: change.field, old: change.old, new: change.new })
                .collect(),
            client_address: row.client.address,
            user_agent: row.client.agent,
            command_id: row.command_id.map(ID),
            correlation_id: row.correlation_id.map(ID),
            position: Some(position.into()),
            actor_key: row.actor_id,
        }
    }
}

impl Listed for AuditEntry {
    const CONNECTION: &'static str = "AuditEntryConnection";
    const EDGE: &'static str = "AuditEntryEdge";
}
