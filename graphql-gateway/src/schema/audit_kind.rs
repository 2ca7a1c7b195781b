//! The actions of the audit log, as an enum of the GraphQL schema.

use async_graphql::Enum;
use async_graphql::resolver_utils::EnumType;

#[cfg(test)]
#[path = "audit_kind_tests.rs"]
mod tests;

/// Declares the kinds: each with the text that the views have for it.
macro_rules! kinds {
    ($(#[$doc:meta])* $ty:ident { $($(#[$value_doc:meta])* $name:ident = $action:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        pub(crate) enum $ty {
            $($(#[$value_doc])* $name,)*
        }

        impl $ty {
            /// The action as text.
            pub(super) const fn action(self) -> &'static str {
                match self { $(Self::$name => $action,)* }
            }
        }
    };
}

impl AuditEntryKind {
    /// The kind of an action. `None` for what this release doesn't know: records outlive releases.
    pub(super) fn of(action: &str) -> Option<Self> {
        Self::items().iter().map(|item| item.value).find(|kind| kind.action() == action)
    }
}

kinds! {
    /// What an entry of the audit log is about: the action as an enum. Later releases may add values.
    ///
    /// `USER_…`, `GROUP_…`, `WEBHOOK_…` and `DEPLOYMENT_…` have happened. Names of mutations and queries were denied or refused.
    AuditEntryKind {
        /// The user exists and waits for approval.
        UserRegistered = "muster.user.registered";
        /// The user was approved.
        UserApproved = "muster.user.approved";
        /// The user was rejected.
        UserRejected = "muster.user.rejected";
        /// The rejection was taken back.
        UserReconsidered = "muster.user.reconsidered";
        /// The user was suspended and gets in nowhere.
        UserSuspended = "muster.user.suspended";
        /// The suspension was taken back.
        UserReactivated = "muster.user.reactivated";
        /// The user was deleted for good.
        UserDeleted = "muster.user.deleted";
        /// Names or phone changed.
        UserProfileUpdated = "muster.user.profile_updated";
        /// The address changed.
        UserEmailChanged = "muster.user.email_changed";
        /// The user moved to another group.
        UserGroupChanged = "muster.user.group_changed";
        /// The password was replaced by a temporary one.
        UserPasswordReset = "muster.user.password_reset";
        /// The user chose a password.
        UserPasswordChanged = "muster.user.password_changed";
        /// The general settings of the file agent changed.
        UserUfaConfigEdited = "muster.user.ufa_config_edited";
        /// The file agent has a new rule.
        UserAgentRuleAdded = "muster.user.agent_rule_added";
        /// A rule of the file agent changed.
        UserAgentRuleEdited = "muster.user.agent_rule_edited";
        /// A rule of the file agent was removed.
        UserAgentRuleRemoved = "muster.user.agent_rule_removed";
        /// The user has a new mailbox.
        UserMailboxCreated = "muster.user.mailbox_created";
        /// A mailbox was deleted.
        UserMailboxDeleted = "muster.user.mailbox_deleted";
        /// The user has a new auth token.
        UserAuthTokenIssued = "muster.user.auth_token_issued";
        /// An auth token was revoked.
        UserAuthTokenRevoked = "muster.user.auth_token_revoked";
        /// The user got a role.
        UserRoleGranted = "muster.user.role_granted";
        /// The user lost a role.
        UserRoleRevoked = "muster.user.role_revoked";
        /// The group exists.
        GroupCreated = "muster.group.created";
        /// What describes the group changed.
        GroupEdited = "muster.group.edited";
        /// The group takes no new members.
        GroupClosed = "muster.group.closed";
        /// The group takes new members again.
        GroupReopened = "muster.group.reopened";
        /// The group is gone.
        GroupDeleted = "muster.group.deleted";
        /// The webhook exists.
        WebhookCreated = "muster.webhook.created";
        /// Where or what the webhook sends changed.
        WebhookEdited = "muster.webhook.edited";
        /// The webhook sends nothing for now.
        WebhookPaused = "muster.webhook.paused";
        /// The webhook sends again.
        WebhookResumed = "muster.webhook.resumed";
        /// The webhook signs with a new secret.
        WebhookSecretRotated = "muster.webhook.secret_rotated";
        /// The webhook sends once more what it sent before.
        WebhookReplayed = "muster.webhook.replayed";
        /// Somebody had a delivery of the webhook tried again.
        WebhookDeliveryRetried = "muster.webhook.delivery_retried";
        /// The webhook is gone.
        WebhookDeleted = "muster.webhook.deleted";
        /// The deployment has its first administrator.
        DeploymentInitialised = "muster.deployment.initialised";
        /// A record that can't be read is skipped.
        DeploymentRecordSkipped = "muster.deployment.record_skipped";
        /// Somebody signed in.
        SignedIn = "muster.access.signed_in";
        /// A sign-in failed, or the credentials do not pass there.
        SignInFailed = "muster.access.sign_in_failed";
        /// A registration was denied or refused.
        RegisterUser = "RegisterUser";
        /// A creation of a user was denied or refused.
        CreateUser = "CreateUser";
        /// Making the first administrator was denied or refused.
        MakeFirstAdministrator = "MakeFirstAdministrator";
        /// An approval was denied or refused.
        ApproveUser = "ApproveUser";
        /// A rejection was denied or refused.
        RejectUser = "RejectUser";
        /// Taking back a rejection was denied or refused.
        ReconsiderUser = "ReconsiderUser";
        /// A suspension was denied or refused.
        SuspendUser = "SuspendUser";
        /// Taking back a suspension was denied or refused.
        ReactivateUser = "ReactivateUser";
        /// A deletion of a user was denied or refused.
        DeleteUser = "DeleteUser";
        /// A change of names, phone or address was denied or refused.
        UpdateProfile = "UpdateProfile";
        /// A move to another group was denied or refused.
        ChangeGroup = "ChangeGroup";
        /// A reset of a password was denied or refused.
        ResetPassword = "ResetPassword";
        /// A change of a password was denied or refused.
        ChangePassword = "ChangePassword";
        /// Storing a password under stronger parameters was denied or refused.
        RehashPassword = "RehashPassword";
        /// A change of the file agent's general settings was denied or refused.
        EditUfaConfig = "EditUfaConfig";
        /// Adding an agent rule was denied or refused.
        AddAgentRule = "AddAgentRule";
        /// A change of an agent rule was denied or refused.
        EditAgentRule = "EditAgentRule";
        /// Removing an agent rule was denied or refused.
        RemoveAgentRule = "RemoveAgentRule";
        /// Adding a mailbox was denied or refused.
        CreateMailbox = "CreateMailbox";
        /// A deletion of a mailbox was denied or refused.
        DeleteMailbox = "DeleteMailbox";
        /// Issuing an auth token was denied or refused.
        IssueAuthToken = "IssueAuthToken";
        /// Revoking an auth token was denied or refused.
        RevokeAuthToken = "RevokeAuthToken";
        /// Granting a role was denied or refused.
        GrantRole = "GrantRole";
        /// Revoking a role was denied or refused.
        RevokeRole = "RevokeRole";
        /// A creation of a group was denied or refused.
        CreateGroup = "CreateGroup";
        /// A change of a group was denied or refused.
        EditGroup = "EditGroup";
        /// Closing a group was denied or refused.
        CloseGroup = "CloseGroup";
        /// Reopening a group was denied or refused.
        ReopenGroup = "ReopenGroup";
        /// A deletion of a group was denied or refused.
        DeleteGroup = "DeleteGroup";
        /// A creation of a webhook was denied or refused.
        CreateWebhook = "CreateWebhook";
        /// A change of a webhook was denied or refused.
        EditWebhook = "EditWebhook";
        /// Pausing a webhook was denied or refused.
        PauseWebhook = "PauseWebhook";
        /// Resuming a webhook was denied or refused.
        ResumeWebhook = "ResumeWebhook";
        /// Giving a webhook a new secret was denied or refused.
        RotateWebhookSecret = "RotateWebhookSecret";
        /// Sending once more was denied or refused.
        ReplayWebhook = "ReplayWebhook";
        /// Trying a delivery again was denied or refused.
        RetryDelivery = "RetryDelivery";
        /// A deletion of a webhook was denied or refused.
        DeleteWebhook = "DeleteWebhook";
        /// Ending the sessions of a user was denied.
        EndSessions = "EndSessions";
        /// Reading the list of users was denied.
        Users = "users";
        /// Reading how a user was at a point in the past was denied.
        UserAsOf = "userAsOf";
        /// Reading the list of users of an instant in the past was denied.
        UsersAsOf = "usersAsOf";
        /// Reading the list of groups was denied.
        Groups = "groups";
        /// Reading the members of a group was denied.
        Members = "members";
        /// Reading the list of webhooks was denied.
        Webhooks = "webhooks";
        /// Reading the audit log was denied.
        AuditLog = "auditLog";
    }
}
