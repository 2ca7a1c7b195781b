//! What lists of users are filtered and sorted by.

use async_graphql::{Enum, ID, InputObject};
use read_model::users_page;

use super::role::Role;
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
    /// The phone number, by its digits and +.
    Phone,
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

/// The direction of an order whose input says none, or null.
const DIRECTION: SortDirection = SortDirection::Asc;

/// How users are sorted. Users without a value come first, or last when descending; ties are sorted by username.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct UserOrder {
    /// By what.
    field: UserSortField,
    /// Which end first.
    #[graphql(default_with = "Some(DIRECTION)")]
    direction: Option<SortDirection>,
    /// How users are sorted who have the same there; by username in the same direction when absent.
    then_by: Option<UserSecondaryOrder>,
}

/// How users are sorted whom the first key does not tell apart.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct UserSecondaryOrder {
    /// By what.
    field: UserSortField,
    /// Which end first.
    #[graphql(default_with = "Some(DIRECTION)")]
    direction: Option<SortDirection>,
}

/// Which users are listed; what is absent doesn't matter.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct UserFilter {
    /// Words that all have to match: beginnings of the username, names or the address, or of parts after . _ - @ and spaces.
    search: Option<String>,
    /// In any of these states; deleted users are listed only when this asks for them.
    state: Option<Vec<UserState>>,
    /// In any of these groups.
    group_id: Option<Vec<ID>>,
    /// With exactly this address; capitals don't matter.
    email: Option<String>,
    /// With exactly this phone number; signs other than digits and + don't matter.
    phone: Option<String>,
    /// Holding any of these rights.
    role: Option<Vec<Role>>,
    /// Whether the password is a temporary one.
    must_change_password: Option<bool>,
    /// Registered after this instant.
    registered_after: Option<DateTime>,
    /// Registered before this instant.
    registered_before: Option<DateTime>,
    /// Changed last after this instant.
    updated_after: Option<DateTime>,
    /// Changed last before this instant.
    updated_before: Option<DateTime>,
}

impl UserFilter {
    /// The filter of the views. `None` if it asks for groups and none of their ids can be one: then no user matches.
    pub(super) fn for_views(self) -> Option<users_page::UserFilter> {
        let ids = self.group_id.unwrap_or_default();
        let groups: Vec<_> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        if groups.is_empty() && !ids.is_empty() {
            return None;
        }
        Some(users_page::UserFilter {
            search: self.search,
            states: self.state.unwrap_or_default().into_iter().map(Into::into).collect(),
            groups,
            email: self.email,
            phone: self.phone,
            roles: self.role.unwrap_or_default().into_iter().map(Into::into).collect(),
            must_change_password: self.must_change_password,
            registered_after: self.registered_after.map(Into::into),
            registered_before: self.registered_before.map(Into::into),
            updated_after: self.updated_after.map(Into::into),
            updated_before: self.updated_before.map(Into::into),
        })
    }
}

impl From<UserOrder> for users_page::UserOrder {
    fn from(order: UserOrder) -> Self {
        let is_descending =
            |direction: Option<SortDirection>| direction.unwrap_or(DIRECTION) == SortDirection::Desc;
        let by = Self::new(order.field.into(), is_descending(order.direction));
        match order.then_by {
            None => by,
            Some(then) => by.then(then.field.into(), is_descending(then.direction)),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::id::GroupId;
    use domain::names::GroupName;

    use super::*;

    fn groups(ids: &[&str]) -> Option<Vec<GroupId>> {
        let ids = ids.iter().map(|id| ID::from(*id)).collect();
        let filter = UserFilter { group_id: Some(ids), ..UserFilter::default() };
        filter.for_views().map(|filter| filter.groups)
    }

    #[test]
    fn f19_a_text_that_is_no_id_is_the_id_of_no_group() {
        let acme = GroupId::of(&GroupName::parse("acme").unwrap());
        assert_eq!(groups(&["finance"]), None);
        assert_eq!(groups(&["finance", &acme.to_string()]), Some(vec![acme]));
        assert_eq!(groups(&[]), Some(Vec::new()));
    }
}
