//! What a user has to fulfil to be listed.

use domain::actor::Role;
use domain::id::GroupId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;

use crate::user::IndexedUser;

/// A condition. A filter is any number of them, and all have to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// A search term of the user begins with this word, one of [`words`](crate::search::words).
    Word(String),
    /// In any of these states.
    States(Vec<UserStatus>),
    /// In any of these groups.
    Groups(Vec<GroupId>),
    /// With this address, folded. Nobody has an empty one.
    Email(String),
    /// With this phone number, as users are sorted by it. Nobody has an empty one.
    Phone(String),
    /// Holds any of these roles.
    Roles(Vec<Role>),
    /// Whether the password is a temporary one.
    MustChangePassword(bool),
    /// Registered or changed between two instants, both excluded.
    Between {
        /// Which instant of the user.
        time: TimeField,
        /// Later than this.
        after: Option<Timestamp>,
        /// Earlier than this.
        before: Option<Timestamp>,
    },
}

/// An instant of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeField {
    /// When the name was registered.
    RegisteredAt,
    /// The time of the last change.
    UpdatedAt,
}

impl Condition {
    /// Whether it holds for a user with these search terms.
    pub(crate) fn holds(&self, user: &IndexedUser, terms: &[String]) -> bool {
        match self {
            Self::Word(word) => terms.iter().any(|term| term.starts_with(word)),
            Self::States(states) => states.contains(&user.state),
            Self::Groups(groups) => user.group.as_ref().is_some_and(|(id, _)| groups.contains(id)),
            Self::Email(address) => !address.is_empty() && user.email == *address,
            Self::Phone(number) => !number.is_empty() && user.phone == *number,
            Self::Roles(roles) => roles.iter().any(|role| user.roles.contains(*role)),
            Self::MustChangePassword(must) => user.must_change_password == *must,
            Self::Between { time, after, before } => {
                let time = time.of(user);
                after.is_none_or(|after| time > after) && before.is_none_or(|before| time < before)
            }
        }
    }
}

impl TimeField {
    fn of(self, user: &IndexedUser) -> Timestamp {
        match self {
            Self::RegisteredAt => user.registered_at,
            Self::UpdatedAt => user.updated_at,
        }
    }
}
