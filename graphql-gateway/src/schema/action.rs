//! The GraphQL types of what a caller may do to a user.

use async_graphql::resolver_utils::EnumType;
use async_graphql::{Enum, SimpleObject};
use domain::policy::{self, Denial, Subject};
use domain::refusal::Refusal;
use domain::user::Action;

use crate::caller::Caller;
use crate::error::{ApiError, UserErrorKind};

/// Declares the actions: each is the mutation of the same name.
macro_rules! actions {
    ($(#[$doc:meta])* $ty:ident { $($(#[$value_doc:meta])* $name:ident;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        #[graphql(name = "Action")]
        pub(crate) enum $ty {
            $($(#[$value_doc])* $name,)*
        }

        impl From<$ty> for Action {
            fn from(action: $ty) -> Self {
                match action { $($ty::$name => Self::$name,)* }
            }
        }
    };
}

actions! {
    /// What can be done to a user: the mutation of the same name. Later releases may add values.
    UserAction {
        /// Let a pending user in.
        ApproveUser;
        /// Turn a pending user away.
        RejectUser;
        /// Take a rejection back.
        ReconsiderUser;
        /// Let an active user in nowhere until reactivated.
        SuspendUser;
        /// Take a suspension back.
        ReactivateUser;
        /// End the user for good.
        DeleteUser;
        /// Change names, phone and address.
        UpdateProfile;
        /// Move an approved user to another group.
        ChangeGroup;
        /// Replace the password by a temporary one.
        ResetPassword;
        /// Replace one's own password.
        ChangePassword;
        /// Change what the file agent does in general.
        EditUfaConfig;
        /// Give the file agent one more thing to do.
        AddAgentRule;
        /// Change one thing that the file agent does.
        EditAgentRule;
        /// Take one thing to do from the file agent.
        RemoveAgentRule;
        /// Add a mailbox.
        CreateMailbox;
        /// Take a mailbox away.
        DeleteMailbox;
        /// Issue an auth token.
        IssueAuthToken;
        /// End an auth token.
        RevokeAuthToken;
        /// Give an active user a right.
        GrantRole;
        /// Take a right from an active user.
        RevokeRole;
    }
}

/// Whether the caller may do one thing to a user now. What the mutation itself would ask for is not looked at: a value
/// may still be refused, or a limit be reached.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct AllowedAction {
    /// What.
    action: UserAction,
    /// Whether the mutation would be accepted.
    allowed: bool,
    /// Why not: the code of the refusal as `UserError` has it, or in capitals that of the error; null if it is allowed.
    code: Option<String>,
    /// The code of the refusal as an enum; null if it is allowed, and for errors.
    kind: Option<UserErrorKind>,
    /// Why not, in one sentence; null if it is allowed.
    reason: Option<String>,
}

impl AllowedAction {
    /// What the caller may do to this user, one row an action.
    pub(super) fn all(caller: &Caller, subject: &Subject) -> Vec<Self> {
        let actions = UserAction::items().iter().map(|item| item.value);
        actions.map(|action| Self::of(caller, action, subject)).collect()
    }

    fn of(caller: &Caller, action: UserAction, subject: &Subject) -> Self {
        // A temporary password opens a session for changing it.
        let session = match action {
            UserAction::ChangePassword => {
                caller.any_session().and_then(|session| session.ok_or(ApiError::Unauthenticated))
            }
            _ => caller.require_session(),
        };
        if let Err(error) = session {
            return Self::failed(action, &error);
        }
        match policy::may_now(&caller.actor(), action.into(), subject) {
            Ok(()) => Self { action, allowed: true, code: None, kind: None, reason: None },
            Err(Denial::Forbidden) => Self::failed(action, &ApiError::Forbidden),
            Err(Denial::Refused(refusal)) => Self::refused(action, refusal),
        }
    }

    fn failed(action: UserAction, error: &ApiError) -> Self {
        let (code, reason) = (Some(error.code().to_owned()), Some(error.to_string()));
        Self { action, allowed: false, code, kind: None, reason }
    }

    fn refused(action: UserAction, refusal: Refusal) -> Self {
        let (code, kind) = (Some(refusal.code.as_str().to_owned()), Some(refusal.code.into()));
        Self { action, allowed: false, code, kind, reason: Some(refusal.message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_offered_but_those_about_names_and_those_that_nobody_asks_for() {
        let offered: Vec<Action> = UserAction::items().iter().map(|item| item.value.into()).collect();
        let left_out: Vec<Action> =
            Action::ALL.iter().copied().filter(|action| !offered.contains(action)).collect();
        let expected = [
            Action::RegisterUser,
            Action::CreateUser,
            Action::MakeFirstAdministrator,
            Action::RehashPassword,
        ];
        assert_eq!(left_out, expected);
    }
}
