//! The user: what can be asked of it, what can have happened to it.

pub mod agent;
mod input;
pub mod lifecycle;
pub mod mailboxes;
pub mod onboarding;
pub mod password;
pub mod profile;
pub mod roles;
pub mod rules;
pub mod state;
mod status;
pub mod tokens;

use serde::{Deserialize, Serialize};

use crate::email;
use crate::id::AddressId;
use crate::patch::Patch;

pub use state::{Account, User};
pub use status::{Lifecycle, UserStatus};

/// What can be asked of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Ask to be let in.
    RegisterUser(onboarding::RegisterUser),
    /// Let somebody in who did not ask.
    CreateUser(onboarding::CreateUser),
    /// Be the first administrator.
    MakeFirstAdministrator(onboarding::MakeFirstAdministrator),
    /// Let a pending user in.
    ApproveUser(onboarding::ApproveUser),
    /// Turn a pending user away.
    RejectUser(onboarding::RejectUser),
    /// Take a rejection back.
    ReconsiderUser,
    /// Let an active user in nowhere.
    SuspendUser(lifecycle::SuspendUser),
    /// Take a suspension back.
    ReactivateUser,
    /// End it for good.
    DeleteUser,
    /// Change names, phone and address.
    UpdateProfile(profile::UpdateProfile),
    /// Move to another group.
    ChangeGroup(profile::ChangeGroup),
    /// Replace the password by a temporary one.
    ResetPassword(password::ResetPassword),
    /// Replace the own password by a chosen one.
    ChangePassword,
    /// Store the same password under stronger parameters.
    RehashPassword,
    /// Change what the file agent does in general.
    EditUfaConfig(agent::EditUfaConfig),
    /// Give the file agent one more thing to do.
    AddAgentRule(rules::AddAgentRule),
    /// Change one thing that the file agent does.
    EditAgentRule(rules::EditAgentRule),
    /// Take one thing to do from the file agent.
    RemoveAgentRule(rules::RemoveAgentRule),
    /// Add a mailbox.
    CreateMailbox(mailboxes::CreateMailbox),
    /// Take a mailbox away.
    DeleteMailbox(mailboxes::DeleteMailbox),
    /// Issue an auth token.
    IssueAuthToken(tokens::IssueAuthToken),
    /// End an auth token.
    RevokeAuthToken(tokens::RevokeAuthToken),
    /// Give a right.
    GrantRole(roles::GrantRole),
    /// Take a right.
    RevokeRole(roles::RevokeRole),
}

impl Command {
    /// The command's name, as the audit log shows it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RegisterUser(_) => "RegisterUser",
            Self::CreateUser(_) => "CreateUser",
            Self::MakeFirstAdministrator(_) => "MakeFirstAdministrator",
            Self::ApproveUser(_) => "ApproveUser",
            Self::RejectUser(_) => "RejectUser",
            Self::ReconsiderUser => "ReconsiderUser",
            Self::SuspendUser(_) => "SuspendUser",
            Self::ReactivateUser => "ReactivateUser",
            Self::DeleteUser => "DeleteUser",
            Self::UpdateProfile(_) => "UpdateProfile",
            Self::ChangeGroup(_) => "ChangeGroup",
            Self::ResetPassword(_) => "ResetPassword",
            Self::ChangePassword => "ChangePassword",
            Self::RehashPassword => "RehashPassword",
            Self::EditUfaConfig(_) => "EditUfaConfig",
            Self::AddAgentRule(_) => "AddAgentRule",
            Self::EditAgentRule(_) => "EditAgentRule",
            Self::RemoveAgentRule(_) => "RemoveAgentRule",
            Self::CreateMailbox(_) => "CreateMailbox",
            Self::DeleteMailbox(_) => "DeleteMailbox",
            Self::IssueAuthToken(_) => "IssueAuthToken",
            Self::RevokeAuthToken(_) => "RevokeAuthToken",
            Self::GrantRole(_) => "GrantRole",
            Self::RevokeRole(_) => "RevokeRole",
        }
    }

    /// Whether it may make its user hold an e-mail address.
    pub fn may_take_address(&self) -> bool {
        match self {
            Self::RegisterUser(_) | Self::ReconsiderUser => true,
            Self::CreateUser(command) => command.email.is_some(),
            Self::MakeFirstAdministrator(command) => command.email.is_some(),
            Self::UpdateProfile(command) => matches!(command.email, Patch::Set(_)),
            _ => false,
        }
    }

    /// The address that a user who comes new by it is to hold, if it is a valid one.
    pub(crate) fn address_of_a_newcomer(&self) -> Option<AddressId> {
        let typed = match self {
            Self::RegisterUser(command) => Some(&command.email),
            Self::CreateUser(command) => command.email.as_ref(),
            Self::MakeFirstAdministrator(command) => command.email.as_ref(),
            _ => None,
        };
        let address = email::optional(typed.map(String::as_str)).ok()??;
        Some(AddressId::of(&address))
    }

    /// The group that the command names, which its rule has to know.
    pub fn group(&self) -> Option<crate::id::GroupId> {
        match self {
            Self::CreateUser(command) => Some(command.group_id),
            Self::ApproveUser(command) => Some(command.group_id),
            Self::ChangeGroup(command) => Some(command.group_id),
            _ => None,
        }
    }
}

crate::wire::wire_events! {
    /// What can have happened to a user.
    pub enum Event {
        /// The user exists, not yet let in.
        Registered(onboarding::Registered) = "muster.user.registered",
        /// The user was let in.
        Approved(onboarding::Approved) = "muster.user.approved",
        /// The user was turned away.
        Rejected(onboarding::Rejected) = "muster.user.rejected",
        /// The rejection was taken back.
        Reconsidered(onboarding::Reconsidered) = "muster.user.reconsidered",
        /// The user gets in nowhere for now.
        Suspended(lifecycle::Suspended) = "muster.user.suspended",
        /// The suspension was taken back.
        Reactivated(lifecycle::Reactivated) = "muster.user.reactivated",
        /// The user is gone for good; the name stays taken.
        Deleted(lifecycle::Deleted) = "muster.user.deleted",
        /// Names or phone changed.
        ProfileUpdated(profile::ProfileUpdated) = "muster.user.profile_updated",
        /// The address changed.
        EmailChanged(profile::EmailChanged) = "muster.user.email_changed",
        /// The user moved to another group.
        GroupChanged(profile::GroupChanged) = "muster.user.group_changed",
        /// The password was replaced by a temporary one.
        PasswordReset(password::PasswordReset) = "muster.user.password_reset",
        /// The user chose a password.
        PasswordChanged(password::PasswordChanged) = "muster.user.password_changed",
        /// What the file agent does in general changed.
        UfaConfigEdited(agent::UfaConfigEdited) = "muster.user.ufa_config_edited",
        /// The file agent has one more thing to do.
        AgentRuleAdded(rules::AgentRuleAdded) = "muster.user.agent_rule_added",
        /// One thing that the file agent does changed.
        AgentRuleEdited(rules::AgentRuleEdited) = "muster.user.agent_rule_edited",
        /// The file agent has one thing less to do.
        AgentRuleRemoved(rules::AgentRuleRemoved) = "muster.user.agent_rule_removed",
        /// The user has one more mailbox.
        MailboxCreated(mailboxes::MailboxCreated) = "muster.user.mailbox_created",
        /// The user has one mailbox less.
        MailboxDeleted(mailboxes::MailboxDeleted) = "muster.user.mailbox_deleted",
        /// The user has one more auth token.
        AuthTokenIssued(tokens::AuthTokenIssued) = "muster.user.auth_token_issued",
        /// An auth token passes no more.
        AuthTokenRevoked(tokens::AuthTokenRevoked) = "muster.user.auth_token_revoked",
        /// The user holds one more right.
        RoleGranted(roles::RoleGranted) = "muster.user.role_granted",
        /// The user holds one right less.
        RoleRevoked(roles::RoleRevoked) = "muster.user.role_revoked",
    }
}

impl Event {
    /// Whether a user may hold another e-mail address after it than before.
    pub fn moves_address(&self) -> bool {
        matches!(
            self,
            Self::Registered(_)
                | Self::EmailChanged(_)
                | Self::Rejected(_)
                | Self::Reconsidered(_)
                | Self::Deleted(_)
        )
    }
}
