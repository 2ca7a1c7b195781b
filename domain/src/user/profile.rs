//! The user's profile: names, phone number, e-mail address and group.

use serde::{Deserialize, Serialize};

use crate::aggregate::Decision;
use crate::decision_context::DecisionContext;
use crate::group::GroupRef;
use crate::id::GroupId;
use crate::patch::Patch;
use crate::refusal::Refusals;
use crate::text::{self, NAME_LENGTH};
use crate::user::{Event, Lifecycle, User};
use crate::validation::Validation;
use crate::wire::Change;
use crate::{email, phone};

#[cfg(test)]
#[path = "specs/profile.rs"]
pub(crate) mod spec;

/// A user's personal data. Events keep it in one object of its own, so that it can be encrypted one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Personal {
    /// First name.
    #[serde(rename = "firstName", default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(rename = "lastName", default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Phone number.
    #[serde(rename = "phone", default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// E-mail address.
    #[serde(rename = "email", default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// Change names, phone number and e-mail address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateProfile {
    /// First name.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub first_name: Patch<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub last_name: Patch<String>,
    /// Phone number.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub phone: Patch<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub email: Patch<String>,
}

/// Move to another group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeGroup {
    /// The new group.
    pub group_id: GroupId,
}

/// Names or phone number changed. The e-mail address is not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ProfileUpdated {
    /// Names and phone, before and after.
    #[serde(rename = "personal")]
    pub personal: Change<Personal>,
}

/// The e-mail address changed. Nothing else is part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EmailChanged {
    /// The address, before and after.
    #[serde(rename = "personal")]
    pub personal: Change<Personal>,
}

/// The user moved to another group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GroupChanged {
    /// Before and after. The first administrator starts without a group.
    #[serde(rename = "group")]
    pub group: GroupMove,
}

/// From one group to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
// The published schema keeps the name.
#[schemars(rename = "Moved")]
pub struct GroupMove {
    /// Before.
    #[serde(rename = "old", default, skip_serializing_if = "Option::is_none")]
    pub old: Option<GroupRef>,
    /// After.
    #[serde(rename = "new")]
    pub new: GroupRef,
}

impl UpdateProfile {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        let before = &user.require_known()?.personal;
        let mut check = Validation::new();
        let name = |text: &String| text::optional(Some(text), NAME_LENGTH);
        let first_name =
            check.field("firstName", self.first_name.apply_optional(before.first_name.as_ref(), name));
        let last_name =
            check.field("lastName", self.last_name.apply_optional(before.last_name.as_ref(), name));
        let phone = check.field(
            "phone",
            self.phone.apply_optional(before.phone.as_ref(), |text| phone::optional(Some(text))),
        );
        let email = check.field(
            "email",
            self.email.apply_optional(before.email.as_ref(), |text| email::optional(Some(text))),
        );
        let (personal, address) = check.with((|| {
            let personal =
                Personal { first_name: first_name?, last_name: last_name?, phone: phone?, email: None };
            Some((personal, Personal { email: email?, ..Personal::default() }))
        })())?;
        let before_personal = Personal { email: None, ..before.clone() };
        let before_address = Personal { email: before.email.clone(), ..Personal::default() };
        Ok(user
            .decision()
            .maybe(Change::between(&before_personal, &personal).map(|personal| ProfileUpdated { personal }))
            .maybe(Change::between(&before_address, &address).map(|personal| EmailChanged { personal })))
    }
}

impl User {
    /// Takes the address from a pending user, when an administrator gives it to somebody else. A registration proves
    /// nothing: the person who typed the address may not own it. `None` if the user keeps the address.
    pub fn relinquish_address(&self) -> Option<Decision<Event>> {
        let account = self.account().filter(|account| account.lifecycle == Lifecycle::Pending)?;
        let old = Personal { email: account.personal.email.clone(), ..Personal::default() };
        let personal = Change::between(&old, &Personal::default())?;
        Some(self.decision().event(EmailChanged { personal }))
    }
}

impl ChangeGroup {
    pub(crate) fn decide(&self, user: &User, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let before = user.require_known()?.lifecycle.group();
        if before.is_some_and(|group| group.id == self.group_id) {
            return Ok(user.decision());
        }
        let group = GroupMove { old: before.cloned(), new: context.require_open_group(self.group_id)? };
        Ok(user.decision().event(GroupChanged { group }))
    }
}
