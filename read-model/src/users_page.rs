//! The grid of users: any filter, any order, any page, at the cost of a page.

mod conditions;
mod query_plan;

use domain::id::GroupId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;

use crate::error::Error;
use crate::page::{Count, Key, Order, Page, Window};
use crate::reader::ReadModel;
use crate::row::FromColumns;
use crate::search::Prefix;
use crate::users::{self, UserRow};

/// Where counting under a filter stops.
const MOST_COUNTED: u64 = 10_000;

/// Which users are asked for: all conditions hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Beginning of the username, a name or the address, or of a part of them after `. _ - @` and space.
    pub search: Option<String>,
    /// In any of these states; when empty in any but deleted.
    pub states: Vec<UserStatus>,
    /// In any of these groups; when empty in any or none.
    pub groups: Vec<GroupId>,
    /// With this address, however it is capitalised.
    pub email: Option<String>,
    /// Registered after this instant.
    pub registered_after: Option<Timestamp>,
    /// Registered before this instant.
    pub registered_before: Option<Timestamp>,
}

/// In which order. Users who are alike in it follow each other by username; users without a value come first, or
/// last when descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserOrder {
    /// By what.
    pub field: UserSortField,
    /// Whether the greatest comes first.
    pub is_descending: bool,
}

/// What users are sorted by; texts case-folded.
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
    /// State, in the order of [`State`].
    State,
    /// When the name was registered.
    RegisteredAt,
    /// When anything changed last.
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
    /// A part of the users that pass the filter.
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

    /// How many users pass the filter: exact without one and for states and groups, else counting stops at 10,000.
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
    /// By username, from a.
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

    /// A search for nothing is none.
    fn without_blanks(&self) -> Self {
        let is_said = Prefix::of(self.search.as_deref()).is_some();
        Self { search: self.search.clone().filter(|_| is_said), ..self.clone() }
    }

    /// Whether the kept numbers say how many pass.
    fn is_counted(&self) -> bool {
        *self == Self { groups: self.groups.clone(), ..Self::of_states(&self.states) }
    }
}
