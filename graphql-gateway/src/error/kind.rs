//! The codes of refusals, as an enum of the GraphQL schema.

use async_graphql::Enum;
use domain::refusal::Code;

#[cfg(test)]
#[path = "kind_tests.rs"]
mod tests;

/// What kind of no a rule says: the code as an enum. Later releases may add values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Code")]
pub(crate) enum UserErrorKind {
    /// The field must be given.
    Required,
    /// The value does not have the form of this field.
    InvalidFormat,
    /// The value is shorter than allowed.
    TooShort,
    /// The value is longer than allowed.
    TooLong,
    /// The number or instant lies outside of what is allowed.
    OutOfRange,
    /// The name is reserved for the system.
    Reserved,
    /// The value is none of the known ones.
    UnknownValue,
    /// The field has no meaning together with the others.
    NotApplicable,
    /// The name is in use.
    NameTaken,
    /// The address is in use.
    EmailTaken,
    /// The limit is reached.
    TooMany,
    /// The password is too easily guessed.
    WeakPassword,
    /// The given password is not the current one.
    WrongPassword,
    /// No such user.
    UnknownUser,
    /// No such group.
    UnknownGroup,
    /// The user has no such mailbox.
    UnknownMailbox,
    /// The user has no such rule.
    UnknownRule,
    /// The user has no such token.
    UnknownToken,
    /// No such webhook.
    UnknownWebhook,
    /// The webhook has no such delivery.
    UnknownDelivery,
    /// There is no such session, or it has ended.
    UnknownSession,
    /// The group takes no new members.
    GroupClosed,
    /// There are users in the group.
    GroupNotEmpty,
    /// The user has been approved before.
    AlreadyApproved,
    /// The user has been deleted before.
    AlreadyDeleted,
    /// The deployment has its first administrator.
    AlreadyInitialised,
    /// The user does not wait for approval.
    NotPending,
    /// The user is not active.
    NotActive,
    /// The user is not suspended.
    NotSuspended,
    /// The user is not rejected.
    NotRejected,
    /// The user is in a state in which this can't be edited.
    NotEditable,
    /// A rule uses the mailbox.
    MailboxInUse,
    /// The default mailbox always exists.
    DefaultMailbox,
    /// The rule is of the other kind.
    WrongKind,
    /// Every user has this role.
    BaseRole,
    /// The user lacks the right that this needs.
    NotPermitted,
    /// Nobody does this to themselves.
    NotOnYourself,
    /// The user holds a role that the caller does not hold.
    Outranked,
    /// The user or group has changed since the caller saw it.
    StaleVersion,
    /// Another command was sent under this id.
    CommandIdReused,
    /// The sign-in failed. One code for every reason, so that callers can't tell whether a user exists.
    SignInFailed,
    /// The caller asks too often. Only the audit log has it; callers get the error `RATE_LIMITED`.
    RateLimited,
}
