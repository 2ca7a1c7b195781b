//! The grid of users: any filter, any order, any page, for the cost of one page.

mod conditions;
mod indexed;
mod order;
mod query_plan;
mod two_keys;

use domain::actor::Role;
use domain::id::GroupId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;

use crate::counts::MOST_COUNTED;
use crate::error::Error;
use crate::page::{Count, Page, Window};
use crate::reader::ReadModel;
use crate::search::Words;
use crate::users::UserRow;
use conditions::Conditions;
use two_keys::TwoKeys;

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
    /// With this phone number. Only its digits and `+` count.
    pub phone: Option<String>,
    /// Holding any of these roles; empty means any user.
    pub roles: Vec<Role>,
    /// Whether the password is a temporary one.
    pub must_change_password: Option<bool>,
    /// Registered after this instant.
    pub registered_after: Option<Timestamp>,
    /// Registered before this instant.
    pub registered_before: Option<Timestamp>,
    /// Changed last after this instant.
    pub updated_after: Option<Timestamp>,
    /// Changed last before this instant.
    pub updated_before: Option<Timestamp>,
}

/// An order of users. Users without a value come first, or last when descending. Ties of the last key are ordered by
/// username, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserOrder {
    /// The first key.
    pub by: UserSortKey,
    /// The key that orders ties of the first.
    pub then: Option<UserSortKey>,
}

/// What users are sorted by, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserSortKey {
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
    /// Phone number: its digits and `+`.
    Phone,
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
    pub const ALL: [Self; 9] = [
        Self::Username,
        Self::FirstName,
        Self::LastName,
        Self::Email,
        Self::Phone,
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
        let conditions = Conditions::of(filter);
        let indexed = self.page_by_index(&conditions.filter, order, window).await?;
        let total = indexed.as_ref().map(|(_, total)| *total);
        let rows = indexed.map(|(rows, _)| rows);
        let page = if let Some(keys) = TwoKeys::of(order) {
            let rows = match rows {
                Some(rows) => rows,
                None => self.matching_by_two(&conditions, keys, window).await?,
            };
            Page::of(window, rows, |user| keys.cursor(user))
        } else {
            let key = order.by;
            key.check_cursors(window)?;
            let rows = match rows {
                Some(rows) => rows,
                None => self.matching(&conditions, key, window).await?,
            };
            key.order().page(window, rows, |user| key.of(user))
        };
        Ok(Page { total, ..page })
    }

    /// How many users pass the filter. Exact from the index, and for filters of states and groups alone; else counting stops
    /// at 10,000.
    pub async fn users_count(&self, filter: &UserFilter) -> Result<Count, Error> {
        let filter = &filter.without_blanks();
        if let Some(n) = self.count_by_index(filter).await {
            return Ok(Count { n, capped: false });
        }
        if filter.is_counted() {
            let shown =
                [UserStatus::Pending, UserStatus::Active, UserStatus::Suspended, UserStatus::Rejected];
            let states = if filter.states.is_empty() { &shown } else { &filter.states[..] };
            return Ok(Count { n: self.counted(states, &filter.groups).await?, capped: false });
        }
        self.count_up_to(&Conditions::of(filter), MOST_COUNTED).await
    }
}

impl UserOrder {
    /// By username, ascending.
    pub const USERNAME: Self = Self::new(UserSortField::Username, false);

    /// By one field.
    pub const fn new(field: UserSortField, is_descending: bool) -> Self {
        Self { by: UserSortKey { field, is_descending }, then: None }
    }

    /// The order, with ties ordered by a second field.
    #[must_use]
    pub const fn then(self, field: UserSortField, is_descending: bool) -> Self {
        Self { then: Some(UserSortKey { field, is_descending }), ..self }
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
