//! The grid of users: any filter, any order, any page, for the cost of one page.

mod conditions;
mod query_plan;

use domain::id::GroupId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;

use crate::error::Error;
use crate::page::{Count, Key, Order, Page, Window};
use crate::reader::ReadModel;
use crate::row::FromColumns;
use crate::search::Words;
use crate::users::{self, UserRow};

/// Where counting under a filter stops.
const MOST_COUNTED: u64 = 10_000;

/// A filter of users. All conditions have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Words that all have to match: each the beginning of the username, a name or the address, or of a part of them after
    /// `. _ - @` or space. Case and accents make no difference.
    pub search: Option<String>,
    /// In any of these states; empty means any but deleted.
    pub states: Vec<UserStatus>,
    /// In any of these groups; empty means any group or none.
    pub groups: Vec<GroupId>,
    /// With this address, in any case.
    pub email: Option<String>,
    /// Registered after this instant.
    pub registered_after: Option<Timestamp>,
    /// Registered before this instant.
    pub registered_before: Option<Timestamp>,
}

/// An order of users. Ties are ordered by username. Users without a value come first, or last when descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserOrder {
    /// The field.
    pub field: UserSortField,
    /// Whether the greatest comes first.
    pub is_descending: bool,
}

/// A field to sort users by. Texts are compared case-folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserSortField {
    /// The username.
    Username,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// E-mail address.
    Email,
    /// Name of the group.
    Group,
    /// Status, in the order of [`UserStatus`].
    State,
    /// When the name was registered.
    RegisteredAt,
    /// The time of the last change.
    UpdatedAt,
}

impl UserSortField {
    /// Every field.
    pub const ALL: [Self; 8] = [
        Self::Username,
        Self::FirstName,
        Self::LastName,
        Self::Email,
        Self::Group,
        Self::State,
        Self::RegisteredAt,
        Self::UpdatedAt,
    ];
}

impl ReadModel {
    /// A page of the users that pass the filter.
    pub async fn users_page(
        &self,
        filter: &UserFilter,
        order: UserOrder,
        window: &Window,
    ) -> Result<Page<UserRow>, Error> {
        fn text(value: Option<&str>, user: &UserRow) -> (String, String) {
            (users::key(value), user.username.clone())
        }
        let name = |user: &UserRow| user.username.clone();
        let filter = &filter.without_blanks();
        let way = (filter, order, window);
        match order.field {
            UserSortField::Username => self.page_by(way, |user| (name(user),)).await,
            UserSortField::FirstName => {
                self.page_by(way, |user| text(user.first_name.as_deref(), user)).await
            }
            UserSortField::LastName => self.page_by(way, |user| text(user.last_name.as_deref(), user)).await,
            UserSortField::Email => self.page_by(way, |user| text(user.email.as_deref(), user)).await,
            UserSortField::Group => {
                let group = |user: &UserRow| text(user.group.as_ref().map(|group| &*group.name), user);
                self.page_by(way, group).await
            }
            UserSortField::State => self.page_by(way, |user| (user.state.number(), name(user))).await,
            UserSortField::RegisteredAt => {
                self.page_by(way, |user| (user.registered_at.micros(), name(user))).await
            }
            UserSortField::UpdatedAt => {
                self.page_by(way, |user| (user.updated_at.micros(), name(user))).await
            }
        }
    }

    async fn page_by<K: Key + FromColumns>(
        &self,
        (filter, order, window): (&UserFilter, UserOrder, &Window),
        key: impl Fn(&UserRow) -> K,
    ) -> Result<Page<UserRow>, Error> {
        let rows = self.matching::<K>(filter, order, window).await?;
        Ok(order.keys().page(window, rows, key))
    }

    /// How many users pass the filter. Exact for filters of states and groups alone; else counting stops at 10,000.
    pub async fn users_count(&self, filter: &UserFilter) -> Result<Count, Error> {
        let filter = &filter.without_blanks();
        if filter.is_counted() {
            let shown =
                [UserStatus::Pending, UserStatus::Active, UserStatus::Suspended, UserStatus::Rejected];
            let states = if filter.states.is_empty() { &shown } else { &filter.states[..] };
            return Ok(Count { n: self.counted(states, &filter.groups).await?, capped: false });
        }
        self.count_up_to(filter, MOST_COUNTED).await
    }
}

impl UserOrder {
    /// By username, ascending.
    pub const USERNAME: Self = Self { field: UserSortField::Username, is_descending: false };

    fn keys(self) -> Order {
        let (name, columns): (_, &'static [&'static str]) = match self.field {
            UserSortField::Username => ("users/username", &["users.username"]),
            UserSortField::FirstName => ("users/first_name", &["users.first_name_key", "users.username"]),
            UserSortField::LastName => ("users/last_name", &["users.last_name_key", "users.username"]),
            UserSortField::Email => ("users/email", &["users.email_key", "users.username"]),
            UserSortField::Group => ("users/group", &["users.group_key", "users.username"]),
            UserSortField::State => ("users/state", &["users.state", "users.username"]),
            UserSortField::RegisteredAt => {
                ("users/registered_at", &["users.registered_at", "users.username"])
            }
            UserSortField::UpdatedAt => ("users/updated_at", &["users.updated_at", "users.username"]),
        };
        Order { name, columns, is_descending: self.is_descending }
    }
}

impl UserFilter {
    /// Users in any of these states.
    pub fn of_states(states: &[UserStatus]) -> Self {
        Self { states: states.to_vec(), ..Self::default() }
    }

    /// The filter without a blank search.
    fn without_blanks(&self) -> Self {
        let is_said = !Words::of(self.search.as_deref()).is_empty();
        Self { search: self.search.clone().filter(|_| is_said), ..self.clone() }
    }

    /// Whether the kept numbers tell how many pass.
    fn is_counted(&self) -> bool {
        *self == Self { groups: self.groups.clone(), ..Self::of_states(&self.states) }
    }
}
