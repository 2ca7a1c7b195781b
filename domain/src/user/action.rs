//! What can be done to a user: the commands, without what each asks for.

/// Declares the actions with their docs. The name of each is that of its command.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        /// What a command does to a user.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// Every action, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name of the command, as the audit log has it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

actions! {
    /// Register oneself.
    RegisterUser;
    /// Create an active user.
    CreateUser;
    /// Create the first administrator.
    MakeFirstAdministrator;
    /// Approve a pending user.
    ApproveUser;
    /// Reject a pending user.
    RejectUser;
    /// Take a rejection back.
    ReconsiderUser;
    /// Suspend an active user.
    SuspendUser;
    /// Take a suspension back.
    ReactivateUser;
    /// Delete the user for good.
    DeleteUser;
    /// Change names, phone and address.
    UpdateProfile;
    /// Move to another group.
    ChangeGroup;
    /// Replace the password by a temporary one.
    ResetPassword;
    /// Replace one's own password by a chosen one.
    ChangePassword;
    /// Store the same password under stronger parameters.
    RehashPassword;
    /// Change the general settings of the file agent.
    EditUfaConfig;
    /// Add a rule to the file agent.
    AddAgentRule;
    /// Change a rule of the file agent.
    EditAgentRule;
    /// Remove a rule from the file agent.
    RemoveAgentRule;
    /// Add a mailbox.
    CreateMailbox;
    /// Delete a mailbox.
    DeleteMailbox;
    /// Issue an auth token.
    IssueAuthToken;
    /// Revoke an auth token.
    RevokeAuthToken;
    /// Grant a role.
    GrantRole;
    /// Revoke a role.
    RevokeRole;
}
