//! Why a rule said no: a code for programs, a sentence for people, the field that is at fault.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What kind of no it is. The text never changes.
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
    /// The value has not the form that the field asks for.
    InvalidFormat = "invalid_format";
    /// The value is shorter than allowed.
    TooShort = "too_short";
    /// The value is longer than allowed.
    TooLong = "too_long";
    /// The number or instant lies outside of what is allowed.
    OutOfRange = "out_of_range";
    /// The name is kept for the system.
    Reserved = "reserved";
    /// The value is none of those that exist.
    UnknownValue = "unknown_value";
    /// The field has no meaning beside the others.
    NotApplicable = "not_applicable";
    /// The name is in use.
    NameTaken = "name_taken";
    /// The address is in use.
    EmailTaken = "email_taken";
    /// There are as many as there may be.
    TooMany = "too_many";
    /// The password is too easily guessed.
    WeakPassword = "weak_password";
    /// The current password is not the one given.
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
    /// Nobody does this to themselves.
    NotOnYourself = "not_on_yourself";
    /// The user holds a right that the caller does not hold.
    Outranked = "outranked";
    /// The user or group has changed since the caller saw it.
    StaleVersion = "stale_version";
    /// Another command was sent under this id.
    CommandIdReused = "command_id_reused";
    /// Unknown, wrong, pending, suspended and delayed look alike.
    SignInFailed = "sign_in_failed";
}

/// One no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind of no.
    pub code: Code,
    /// One sentence for the person who asked.
    pub message: String,
    /// Path of the field at fault inside the input, outermost first; empty where no single field is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field: Vec<String>,
}

/// Everything that stands against a command, at least one.
pub type Refusals = Vec<Refusal>;

impl Refusal {
    /// A no that is not about one field.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: Vec::new() }
    }

    /// The same no, about the field `name` of what it was about until now.
    #[must_use]
    pub fn at(mut self, name: &str) -> Self {
        self.field.insert(0, name.to_owned());
        self
    }
}

/// Collects what stands against the fields of an input, so that a caller hears everything at once.
#[derive(Debug, Default)]
pub struct Check {
    refusals: Refusals,
}

impl Check {
    /// Nothing stands against it yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value, or `None` after noting what is wrong with the field.
    pub fn field<T>(&mut self, name: &str, value: Result<T, Refusal>) -> Option<T> {
        value.map_err(|refusal| self.refusals.push(refusal.at(name))).ok()
    }

    /// Notes a no.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }

    /// Notes the refusals of a nested input under its name.
    pub fn nested<T>(&mut self, name: &str, value: Result<T, Refusals>) -> Option<T> {
        value.map_err(|refusals| self.refusals.extend(refusals.into_iter().map(|r| r.at(name)))).ok()
    }

    /// Everything that was noted, if anything was.
    pub fn finish(self) -> Result<(), Refusals> {
        if self.refusals.is_empty() { Ok(()) } else { Err(self.refusals) }
    }

    /// The values of all fields, or everything that was noted. `values` is `Some` when nothing was.
    pub fn with<T>(self, values: Option<T>) -> Result<T, Refusals> {
        self.finish().map(|()| values.expect("a missing value was noted"))
    }
}

impl From<Refusal> for Refusals {
    fn from(refusal: Refusal) -> Self {
        vec![refusal]
    }
}
