//! The way in: register, create, approve, reject and reconsider a user.

use serde::{Deserialize, Serialize};

use crate::actor::Role;
use crate::aggregate::Decision;
use crate::credential::CredentialId;
use crate::decision_context::DecisionContext;
use crate::group::GroupRef;
use crate::id::GroupId;
use crate::names::Username;
use crate::refusal::{Code, Refusal, Refusals};
use crate::text::{self, DESCRIPTION_LENGTH, NAME_LENGTH};
use crate::user::password::PasswordReset;
use crate::user::profile::Personal;
use crate::user::roles::RoleGranted;
use crate::user::{Event, Lifecycle, User};
use crate::validation::Validation;
use crate::{email, phone};

#[cfg(test)]
#[path = "specs/onboarding.rs"]
pub(crate) mod spec;

/// Register oneself; an administrator then decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterUser {
    /// The username. It never changes.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail address.
    pub email: String,
    /// Phone number.
    #[serde(default)]
    pub phone: Option<String>,
}

/// Create an active user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateUser {
    /// The username. It never changes.
    pub username: String,
    /// The user's group.
    pub group_id: GroupId,
    /// First name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default)]
    pub last_name: Option<String>,
    /// Phone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
}

/// Create the first administrator, who is active without a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeFirstAdministrator {
    /// The username. It never changes.
    pub username: String,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
}

/// Approve a pending user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproveUser {
    /// The user's group.
    pub group_id: GroupId,
}

/// Reject a pending user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectUser {
    /// Why. It is stored and shown.
    pub reason: String,
}

/// Who made the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Origin {
    /// The user, by registering.
    #[serde(rename = "self")]
    OneSelf,
    /// An administrator.
    #[serde(rename = "administrator")]
    Administrator,
    /// The operator who set up Muster.
    #[serde(rename = "operator")]
    Operator,
}

/// The user exists and waits for approval. A name that was rejected before starts anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Registered {
    /// The username. It never changes.
    #[serde(rename = "username")]
    pub username: String,
    /// Who made the user.
    #[serde(rename = "origin")]
    pub origin: Origin,
    /// Names, phone, address.
    #[serde(rename = "personal")]
    pub personal: Personal,
}

/// The user was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Approved {
    /// The group. The first administrator has none.
    #[serde(rename = "group", default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupRef>,
}

/// The user was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rejected {
    /// Why.
    #[serde(rename = "reason")]
    pub reason: String,
}

/// The rejection was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reconsidered {}

impl RegisterUser {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        let mut check = Validation::new();
        let username = check.field("username", Username::parse(&self.username));
        let first_name = check.field("firstName", text::required(&self.first_name, NAME_LENGTH));
        let last_name = check.field("lastName", text::required(&self.last_name, NAME_LENGTH));
        let email = check.field("email", email::required(&self.email));
        let phone = check.field("phone", phone::optional(self.phone.as_deref()));
        let (username, personal) = check.with((|| {
            let personal = Personal { first_name, last_name, email, phone: phone? };
            Some((username?, personal))
        })())?;
        match user.account().map(|account| &account.lifecycle) {
            None | Some(Lifecycle::Rejected) => {
                Ok(user.decision().event(Registered::new(&username, Origin::OneSelf, personal)))
            }
            Some(_) => Err(name_taken(&username)),
        }
    }
}

impl CreateUser {
    pub(crate) fn decide(&self, user: &User, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let mut check = Validation::new();
        let username = check.field("username", Username::parse(&self.username));
        let first_name = check.field("firstName", text::optional(self.first_name.as_deref(), NAME_LENGTH));
        let last_name = check.field("lastName", text::optional(self.last_name.as_deref(), NAME_LENGTH));
        let email = check.field("email", email::optional(self.email.as_deref()));
        let phone = check.field("phone", phone::optional(self.phone.as_deref()));
        let group = context.require_open_group(self.group_id).map_err(|refusal| check.refuse(refusal)).ok();
        let (username, group, personal) = check.with((|| {
            let personal =
                Personal { first_name: first_name?, last_name: last_name?, phone: phone?, email: email? };
            Some((username?, group?, personal))
        })())?;
        if user.account().is_some_and(|account| !may_be_taken_over(&account.lifecycle)) {
            return Err(name_taken(&username));
        }
        let registered = Registered::new(&username, Origin::Administrator, personal);
        activate(user, user.decision().event(registered), Some(group), context)
    }
}

impl MakeFirstAdministrator {
    pub(crate) fn decide(&self, user: &User, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let mut check = Validation::new();
        let username = check.field("username", Username::parse(&self.username));
        let email = check.field("email", email::optional(self.email.as_deref()));
        let (username, email) = check.with((|| Some((username?, email?)))())?;
        if user.account().is_some_and(|account| !may_be_taken_over(&account.lifecycle)) {
            return Err(name_taken(&username));
        }
        let personal = Personal { email, ..Personal::default() };
        let (kind, expires_at) = context.require_temporary_password()?;
        Ok(user
            .decision()
            .event(Registered::new(&username, Origin::Operator, personal))
            .event(Approved { group: None })
            .event(RoleGranted { role: Role::Administrator })
            .event(PasswordReset { expires_at })
            .put(CredentialId::Password(user.id()), kind))
    }
}

impl ApproveUser {
    pub(crate) fn decide(&self, user: &User, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let group = context.require_open_group(self.group_id)?;
        activate(user, user.decision(), Some(group), context)
    }
}

impl RejectUser {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        let reason =
            text::required(&self.reason, DESCRIPTION_LENGTH).map_err(|refusal| refusal.at("reason"))?;
        Ok(user.decision().event(Rejected { reason }))
    }
}

pub(crate) fn reconsider(user: &User) -> Decision<Event> {
    user.decision().event(Reconsidered {})
}

impl Registered {
    fn new(username: &Username, origin: Origin, personal: Personal) -> Self {
        Self { username: username.to_string(), origin, personal }
    }
}

/// Adds approval and a temporary password. They go together: nobody is active without a way in.
fn activate(
    user: &User,
    decision: Decision<Event>,
    group: Option<GroupRef>,
    context: &DecisionContext,
) -> Result<Decision<Event>, Refusals> {
    let (kind, expires_at) = context.require_temporary_password()?;
    Ok(decision
        .event(Approved { group })
        .event(PasswordReset { expires_at })
        .put(CredentialId::Password(user.id()), kind))
}

/// Whether an administrator may create a user of this name: nobody who held it was ever approved (ADR 0004).
fn may_be_taken_over(lifecycle: &Lifecycle) -> bool {
    matches!(lifecycle, Lifecycle::Pending | Lifecycle::Rejected)
}

fn name_taken(username: &Username) -> Refusals {
    Refusal::new(Code::NameTaken, format!("The name `{username}` is taken.")).at("username").into()
}
