//! What a list of users is filtered by.

use domain::actor::Role;
use domain::id::GroupId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;

use crate::search::Words;

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

impl UserFilter {
    /// Users in any of these states.
    pub fn of_states(states: &[UserStatus]) -> Self {
        Self { states: states.to_vec(), ..Self::default() }
    }

    /// The states that are listed, in their order.
    pub(super) fn listed_states(&self) -> Vec<UserStatus> {
        let is_listed = |state: &UserStatus| {
            if self.states.is_empty() { *state != UserStatus::Deleted } else { self.states.contains(state) }
        };
        UserStatus::ALL.into_iter().filter(is_listed).collect()
    }

    /// The filter without a blank search.
    pub(super) fn without_blanks(&self) -> Self {
        let is_said = !Words::of(self.search.as_deref()).is_empty();
        Self { search: self.search.clone().filter(|_| is_said), ..self.clone() }
    }

    /// Whether the kept numbers tell how many pass.
    pub(super) fn is_counted(&self) -> bool {
        *self == Self { groups: self.groups.clone(), ..Self::of_states(&self.states) }
    }
}
