//! Refusals: why a rule rejects a command, as a code for programs, a sentence for people and the field at fault.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// The kind of a refusal. Its text never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as programs see it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// The field must be given.
    Required = "required";
    /// The value does not have the form of this field.
    InvalidFormat = "invalid_format";
    /// The value is shorter than allowed.
    TooShort = "too_short";
    /// The value is longer than allowed.
    TooLong = "too_long";
    /// The number or instant lies outside of what is allowed.
    OutOfRange = "out_of_range";
    /// The name is reserved for the system.
    Reserved = "reserved";
    /// The value is none of the known ones.
    UnknownValue = "unknown_value";
    /// The field has no meaning together with the others.
    NotApplicable = "not_applicable";
    /// The name is in use.
    NameTaken = "name_taken";
    /// The address is in use.
    EmailTaken = "email_taken";
    /// The limit is reached.
    TooMany = "too_many";
    /// The password is too easily guessed.
    WeakPassword = "weak_password";
    /// The given password is not the current one.
    WrongPassword = "wrong_password";
    /// No such user.
    UnknownUser = "unknown_user";
    /// No such group.
    UnknownGroup = "unknown_group";
    /// The user has no such mailbox.
    UnknownMailbox = "unknown_mailbox";
    /// The user has no such rule.
    UnknownRule = "unknown_rule";
    /// The user has no such token.
    UnknownToken = "unknown_token";
    /// No such webhook.
    UnknownWebhook = "unknown_webhook";
    /// The webhook has no such delivery.
    UnknownDelivery = "unknown_delivery";
    /// There is no such session, or it has ended.
    UnknownSession = "unknown_session";
    /// The group takes no new members.
    GroupClosed = "group_closed";
    /// There are users in the group.
    GroupNotEmpty = "group_not_empty";
    /// The user has been approved before.
    AlreadyApproved = "already_approved";
    /// The user has been deleted before.
    AlreadyDeleted = "already_deleted";
    /// The deployment has its first administrator.
    AlreadyInitialised = "already_initialised";
    /// The user does not wait for approval.
    NotPending = "not_pending";
    /// The user is not active.
    NotActive = "not_active";
    /// The user is not suspended.
    NotSuspended = "not_suspended";
    /// The user is not rejected.
    NotRejected = "not_rejected";
    /// The user is in a state in which this can't be edited.
    NotEditable = "not_editable";
    /// A rule uses the mailbox.
    MailboxInUse = "mailbox_in_use";
    /// The default mailbox always exists.
    DefaultMailbox = "default_mailbox";
    /// The rule is of the other kind.
    WrongKind = "wrong_kind";
    /// Every user has this role.
    BaseRole = "base_role";
    /// The user lacks the right that this needs.
    NotPermitted = "not_permitted";
    /// Nobody does this to themselves.
    NotOnYourself = "not_on_yourself";
    /// The user holds a role that the caller does not hold.
    Outranked = "outranked";
    /// The user or group has changed since the caller saw it.
    StaleVersion = "stale_version";
    /// Another command was sent under this id.
    CommandIdReused = "command_id_reused";
    /// The sign-in failed. One code for every reason, so that callers can't tell whether a user exists.
    SignInFailed = "sign_in_failed";
    /// The caller asks too often. Only the audit log has it; callers get the error `RATE_LIMITED`.
    RateLimited = "rate_limited";
}

/// One reason why a command is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The kind of refusal.
    pub code: Code,
    /// One sentence for the person who asked.
    pub message: String,
    /// Path of the field at fault in the input, outermost first. Empty if no single field is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field: Vec<String>,
}

/// All reasons why a command is refused, at least one.
pub type Refusals = Vec<Refusal>;

impl Refusal {
    /// A refusal without a field.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: Vec::new() }
    }

    /// Puts the field `name` in front of the path.
    #[must_use]
    pub fn at(mut self, name: &str) -> Self {
        self.field.insert(0, name.to_owned());
        self
    }
}

impl From<Refusal> for Refusals {
    fn from(refusal: Refusal) -> Self {
        vec![refusal]
    }
}
