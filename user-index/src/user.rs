//! What the index knows of a user.

use domain::actor::{Role, Roles};
use domain::id::GroupId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;

/// A user, as far as lists filter and sort by it. Texts are folded, and empty where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedUser {
    /// The username. It identifies the user.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail address.
    pub email: String,
    /// Phone number.
    pub phone: String,
    /// The group and its name.
    pub group: Option<(GroupId, String)>,
    /// The status.
    pub state: UserStatus,
    /// The roles.
    pub roles: Roles,
    /// Whether the password is a temporary one.
    pub must_change_password: bool,
    /// When the name was registered.
    pub registered_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

impl IndexedUser {
    /// The texts that a search finds the user by.
    pub(crate) fn searched(&self) -> [&str; 4] {
        [&self.username, &self.first_name, &self.last_name, &self.email]
    }

    /// The group's name, or nothing.
    pub(crate) fn group_name(&self) -> &str {
        self.group.as_ref().map_or("", |(_, name)| name)
    }

    /// What is true of the user or not.
    pub(crate) fn tags(&self) -> impl Iterator<Item = Tag> {
        let roles = self.roles;
        let roles = Role::ALL.into_iter().filter(move |role| roles.contains(*role)).map(Tag::Role);
        roles
            .chain([Tag::State(self.state)])
            .chain(self.must_change_password.then_some(Tag::MustChangePassword))
    }
}

/// Something that is true of a user or not, with a set of users for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    State(UserStatus),
    Role(Role),
    MustChangePassword,
}

impl Tag {
    /// How many different ones there are.
    pub(crate) const NUMBER: usize = UserStatus::ALL.len() + Role::ALL.len() + 1;

    /// A number of its own, below [`Tag::NUMBER`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::State(state) => state as usize,
            Self::Role(role) => UserStatus::ALL.len() + role as usize,
            Self::MustChangePassword => Self::NUMBER - 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_has_a_number_of_its_own() {
        let states = UserStatus::ALL.map(Tag::State).into_iter();
        let all = states.chain(Role::ALL.map(Tag::Role)).chain([Tag::MustChangePassword]);
        assert!(all.map(Tag::index).eq(0..Tag::NUMBER));
    }
}
