//! What lists of users are filtered and sorted by.

use async_graphql::{Enum, ID, InputObject};
use domain::id::GroupId;
use read_model::users_page;
use uuid::Uuid;

use super::scalar::DateTime;
use super::user::UserState;

/// What users are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "users_page::UserSortField")]
pub(crate) enum UserSortField {
    /// The username.
    Username,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The e-mail address.
    Email,
    /// The name of the group.
    Group,
    /// The state, in the order of its declaration.
    State,
    /// When the user registered.
    RegisteredAt,
    /// When the user changed last.
    UpdatedAt,
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum SortDirection {
    /// The smallest first.
    Asc,
    /// The greatest first.
    Desc,
}

/// How users are sorted.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct UserOrder {
    /// By what.
    field: UserSortField,
    /// Which end first.
    #[graphql(default_with = "SortDirection::Asc")]
    direction: SortDirection,
}

/// Which users are listed; what is absent doesn't matter.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct UserFilter {
    /// Beginning of the username, a name or the address, or of their parts after . _ - @ and spaces; capitals don't matter.
    search: Option<String>,
    /// In any of these states; deleted users are listed only when this asks for them.
    state: Option<Vec<UserState>>,
    /// In any of these groups.
    group_id: Option<Vec<ID>>,
    /// With exactly this address; capitals don't matter.
    email: Option<String>,
    /// Registered after this instant.
    registered_after: Option<DateTime>,
    /// Registered before this instant.
    registered_before: Option<DateTime>,
}

impl From<UserFilter> for users_page::UserFilter {
    fn from(filter: UserFilter) -> Self {
        // An id that can't be one is the id of no group.
        let group = |id: &ID| id.parse().unwrap_or(GroupId::from_uuid(Uuid::nil()));
        Self {
            search: filter.search,
            states: filter.state.unwrap_or_default().into_iter().map(Into::into).collect(),
            groups: filter.group_id.unwrap_or_default().iter().map(group).collect(),
            email: filter.email,
            registered_after: filter.registered_after.map(Into::into),
            registered_before: filter.registered_before.map(Into::into),
        }
    }
}

impl From<UserOrder> for users_page::UserOrder {
    fn from(order: UserOrder) -> Self {
        Self { field: order.field.into(), is_descending: order.direction == SortDirection::Desc }
    }
}
