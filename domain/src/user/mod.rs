//! The user: all its commands and events. Each subject's file holds its commands, events and rules.

mod action;
pub mod agent;
mod input;
pub mod lifecycle;
pub mod mailboxes;
pub mod onboarding;
pub mod password;
pub mod past;
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

pub use action::Action;
pub use state::{Account, User};
pub use status::{Lifecycle, UserStatus};

/// A command about a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Register oneself; an administrator then decides.
    RegisterUser(onboarding::RegisterUser),
    /// Create an active user.
    CreateUser(onboarding::CreateUser),
    /// Create the first administrator.
    MakeFirstAdministrator(onboarding::MakeFirstAdministrator),
    /// Approve a pending user.
    ApproveUser(onboarding::ApproveUser),
    /// Reject a pending user.
    RejectUser(onboarding::RejectUser),
    /// Take a rejection back.
    ReconsiderUser,
    /// Suspend an active user, who then gets in nowhere.
    SuspendUser(lifecycle::SuspendUser),
    /// Take a suspension back.
    ReactivateUser,
    /// Delete the user for good.
    DeleteUser,
    /// Change names, phone and address.
    UpdateProfile(profile::UpdateProfile),
    /// Move to another group.
    ChangeGroup(profile::ChangeGroup),
    /// Replace the password by a temporary one.
    ResetPassword(password::ResetPassword),
    /// Replace one's own password by a chosen one.
    ChangePassword,
    /// Store the same password under stronger parameters.
    RehashPassword,
    /// Change the general settings of the file agent.
    EditUfaConfig(agent::EditUfaConfig),
    /// Add a rule to the file agent.
    AddAgentRule(rules::AddAgentRule),
    /// Change a rule of the file agent.
    EditAgentRule(rules::EditAgentRule),
    /// Remove a rule from the file agent.
    RemoveAgentRule(rules::RemoveAgentRule),
    /// Add a mailbox.
    CreateMailbox(mailboxes::CreateMailbox),
    /// Delete a mailbox.
    DeleteMailbox(mailboxes::DeleteMailbox),
    /// Issue an auth token.
    IssueAuthToken(tokens::IssueAuthToken),
    /// Revoke an auth token.
    RevokeAuthToken(tokens::RevokeAuthToken),
    /// Grant a role.
    GrantRole(roles::GrantRole),
    /// Revoke a role.
    RevokeRole(roles::RevokeRole),
}

impl Command {
    /// What it does, without what it asks for.
    pub fn action(&self) -> Action {
        match self {
            Self::RegisterUser(_) => Action::RegisterUser,
            Self::CreateUser(_) => Action::CreateUser,
            Self::MakeFirstAdministrator(_) => Action::MakeFirstAdministrator,
            Self::ApproveUser(_) => Action::ApproveUser,
            Self::RejectUser(_) => Action::RejectUser,
            Self::ReconsiderUser => Action::ReconsiderUser,
            Self::SuspendUser(_) => Action::SuspendUser,
            Self::ReactivateUser => Action::ReactivateUser,
            Self::DeleteUser => Action::DeleteUser,
            Self::UpdateProfile(_) => Action::UpdateProfile,
            Self::ChangeGroup(_) => Action::ChangeGroup,
            Self::ResetPassword(_) => Action::ResetPassword,
            Self::ChangePassword => Action::ChangePassword,
            Self::RehashPassword => Action::RehashPassword,
            Self::EditUfaConfig(_) => Action::EditUfaConfig,
            Self::AddAgentRule(_) => Action::AddAgentRule,
            Self::EditAgentRule(_) => Action::EditAgentRule,
            Self::RemoveAgentRule(_) => Action::RemoveAgentRule,
            Self::CreateMailbox(_) => Action::CreateMailbox,
            Self::DeleteMailbox(_) => Action::DeleteMailbox,
            Self::IssueAuthToken(_) => Action::IssueAuthToken,
            Self::RevokeAuthToken(_) => Action::RevokeAuthToken,
            Self::GrantRole(_) => Action::GrantRole,
            Self::RevokeRole(_) => Action::RevokeRole,
        }
    }

    /// The command's name in the audit log.
    pub fn name(&self) -> &'static str {
        self.action().name()
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

    /// The address of the new user whom the command makes, if it is valid.
    pub(crate) fn address_of_new_user(&self) -> Option<AddressId> {
        let typed = match self {
            Self::RegisterUser(command) => Some(&command.email),
            Self::CreateUser(command) => command.email.as_ref(),
            Self::MakeFirstAdministrator(command) => command.email.as_ref(),
            _ => None,
        };
        let address = email::optional(typed.map(String::as_str)).ok()??;
        Some(AddressId::of(&address))
    }

    /// The group that the command names. Its rule needs to know that group.
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
    /// What has happened to a user.
    pub enum Event {
        /// The user exists and waits for approval.
        Registered(onboarding::Registered) = "muster.user.registered",
        /// The user was approved.
        Approved(onboarding::Approved) = "muster.user.approved",
        /// The user was rejected.
        Rejected(onboarding::Rejected) = "muster.user.rejected",
        /// The rejection was taken back.
        Reconsidered(onboarding::Reconsidered) = "muster.user.reconsidered",
        /// The user was suspended and gets in nowhere.
        Suspended(lifecycle::Suspended) = "muster.user.suspended",
        /// The suspension was taken back.
        Reactivated(lifecycle::Reactivated) = "muster.user.reactivated",
        /// The user was deleted for good. The name stays taken.
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
        /// The general settings of the file agent changed.
        UfaConfigEdited(agent::UfaConfigEdited) = "muster.user.ufa_config_edited",
        /// The file agent has a new rule.
        AgentRuleAdded(rules::AgentRuleAdded) = "muster.user.agent_rule_added",
        /// A rule of the file agent changed.
        AgentRuleEdited(rules::AgentRuleEdited) = "muster.user.agent_rule_edited",
        /// A rule of the file agent was removed.
        AgentRuleRemoved(rules::AgentRuleRemoved) = "muster.user.agent_rule_removed",
        /// The user has a new mailbox.
        MailboxCreated(mailboxes::MailboxCreated) = "muster.user.mailbox_created",
        /// A mailbox was deleted.
        MailboxDeleted(mailboxes::MailboxDeleted) = "muster.user.mailbox_deleted",
        /// The user has a new auth token.
        AuthTokenIssued(tokens::AuthTokenIssued) = "muster.user.auth_token_issued",
        /// An auth token was revoked.
        AuthTokenRevoked(tokens::AuthTokenRevoked) = "muster.user.auth_token_revoked",
        /// The user got a role.
        RoleGranted(roles::RoleGranted) = "muster.user.role_granted",
        /// The user lost a role.
        RoleRevoked(roles::RoleRevoked) = "muster.user.role_revoked",
    }
}

impl Event {
    /// Whether the event may change which e-mail address the user holds.
    pub fn may_move_address(&self) -> bool {
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
