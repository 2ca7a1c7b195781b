//! Registering, creating, approving, rejecting: the way in.

use serde::{Deserialize, Serialize};

use crate::actor::Role;
use crate::aggregate::Decision;
use crate::credential::CredentialId;
use crate::decision_context::DecisionContext;
use crate::group::GroupRef;
use crate::id::GroupId;
use crate::names::Username;
use crate::refusal::{Check, Code, Refusal, Refusals};
use crate::text::{self, DESCRIPTION_LENGTH, NAME_LENGTH};
use crate::user::password::PasswordReset;
use crate::user::profile::Personal;
use crate::user::roles::RoleGranted;
use crate::user::{Event, Lifecycle, User};
use crate::{email, phone};

#[cfg(test)]
#[path = "specs/onboarding.rs"]
pub(crate) mod spec;

/// Ask to be let in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterUser {
    /// The name, for ever.
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

/// Let somebody in who did not ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateUser {
    /// The name, for ever.
    pub username: String,
    /// The group to be in.
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

/// Be the first administrator; active without a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeFirstAdministrator {
    /// The name, for ever.
    pub username: String,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
}

/// Let a pending user in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproveUser {
    /// The group to be in.
    pub group_id: GroupId,
}

/// Turn a pending user away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectUser {
    /// Why; kept and shown.
    pub reason: String,
}

/// Who had the idea.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Origin {
    /// The user.
    #[serde(rename = "self")]
    OneSelf,
    /// An administrator.
    #[serde(rename = "administrator")]
    Administrator,
    /// The operator who set Muster up.
    #[serde(rename = "operator")]
    Operator,
}

/// The user exists, not yet let in. A name that was rejected before starts anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Registered {
    /// The name, for ever.
    #[serde(rename = "username")]
    pub username: String,
    /// Who had the idea.
    #[serde(rename = "origin")]
    pub origin: Origin,
    /// Names, phone, address.
    #[serde(rename = "personal")]
    pub personal: Personal,
}

/// The user was let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Approved {
    /// The group; none for the first administrator.
    #[serde(rename = "group", default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupRef>,
}

/// The user was turned away.
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
        let mut check = Check::new();
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
            Some(_) => Err(taken(&username)),
        }
    }
}

impl CreateUser {
    pub(crate) fn decide(&self, user: &User, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let mut check = Check::new();
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
            return Err(taken(&username));
        }
        let registered = Registered::new(&username, Origin::Administrator, personal);
        let_in(user, user.decision().event(registered), Some(group), context)
    }
}

impl MakeFirstAdministrator {
    pub(crate) fn decide(&self, user: &User, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let mut check = Check::new();
        let username = check.field("username", Username::parse(&self.username));
        let email = check.field("email", email::optional(self.email.as_deref()));
        let (username, email) = check.with((|| Some((username?, email?)))())?;
        if user.account().is_some_and(|account| !may_be_taken_over(&account.lifecycle)) {
            return Err(taken(&username));
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
        user.require_pending()?;
        let group = context.require_open_group(self.group_id)?;
        let_in(user, user.decision(), Some(group), context)
    }
}

impl RejectUser {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        user.require_pending()?;
        let reason =
            text::required(&self.reason, DESCRIPTION_LENGTH).map_err(|refusal| refusal.at("reason"))?;
        Ok(user.decision().event(Rejected { reason }))
    }
}

pub(crate) fn reconsider(user: &User) -> Result<Decision<Event>, Refusals> {
    match user.require_known()?.lifecycle {
        Lifecycle::Rejected => Ok(user.decision().event(Reconsidered {})),
        _ => Err(Refusal::new(Code::NotRejected, "This user is not rejected.").into()),
    }
}

impl Registered {
    fn new(username: &Username, origin: Origin, personal: Personal) -> Self {
        Self { username: username.to_string(), origin, personal }
    }
}

/// Approval and the first password go together: nobody is active without a way in.
fn let_in(
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

/// A name that was never approved is not burnt.
fn may_be_taken_over(lifecycle: &Lifecycle) -> bool {
    matches!(lifecycle, Lifecycle::Pending | Lifecycle::Rejected)
}

fn taken(username: &Username) -> Refusals {
    Refusal::new(Code::NameTaken, format!("The name `{username}` is taken.")).at("username").into()
}
