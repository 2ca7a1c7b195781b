//! What callers filter and sort by, as the views are asked for it.

use async_graphql::ID;
use domain::id::GroupId;
use read_model::audit::Target;
use read_model::{audit_page, users_page};
use uuid::Uuid;

use super::audit::AuditFilter;
use super::user::{SortDirection, UserFilter, UserOrder};

/// The filter as the views take it. An id that can't be one is that of no group.
pub(super) fn users(filter: UserFilter) -> users_page::UserFilter {
    let group = |id: &ID| id.parse().unwrap_or(GroupId::from_uuid(Uuid::nil()));
    users_page::UserFilter {
        search: filter.search,
        states: filter.state.unwrap_or_default().into_iter().map(Into::into).collect(),
        groups: filter.group_id.unwrap_or_default().iter().map(group).collect(),
        email: filter.email,
        registered_after: filter.registered_after.map(Into::into),
        registered_before: filter.registered_before.map(Into::into),
    }
}

/// The order as the views take it.
pub(super) fn order(order: Option<UserOrder>) -> users_page::UserOrder {
    match order {
        None => users_page::UserOrder::USERNAME,
        Some(order) => users_page::UserOrder {
            field: order.field.into(),
            is_descending: order.direction == SortDirection::Desc,
        },
    }
}

/// The filter as the views take it; `None` when an id in it can't be one, so that nothing passes it.
pub(super) fn audit(filter: AuditFilter) -> Option<audit_page::AuditFilter> {
    let actor = match filter.actor_id {
        Some(id) => Some(id.parse().ok()?),
        None => None,
    };
    let target = match filter.target_id {
        Some(id) => Some(Target::parse(&id)?),
        None => None,
    };
    Some(audit_page::AuditFilter {
        actor,
        target,
        actions: filter.action.unwrap_or_default(),
        outcomes: filter.outcome.unwrap_or_default().into_iter().map(Into::into).collect(),
        after: filter.after.map(Into::into),
        before: filter.before.map(Into::into),
    })
}
