//! What gateways note beside the log of facts: sign-ins, failures, denials, refusals. Shown in the audit log.

use serde::{Deserialize, Serialize};

/// Somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SignedIn {
    /// `portal`, or the service that asked.
    #[serde(rename = "service")]
    pub service: String,
}

/// Somebody tried to sign in and did not get in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SignInFailed {
    /// `portal`, or the service that asked.
    #[serde(rename = "service")]
    pub service: String,
    /// Why; callers are not told.
    #[serde(rename = "reason")]
    pub reason: FailedBecause,
    /// How many alike this record stands for.
    #[serde(rename = "count")]
    pub count: u32,
}

/// Why somebody did not get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub enum FailedBecause {
    /// No such user or token.
    #[serde(rename = "unknown")]
    Unknown,
    /// The password or secret is another one.
    #[serde(rename = "wrong_secret")]
    WrongSecret,
    /// The user is not active.
    #[serde(rename = "not_active")]
    NotActive,
    /// The temporary password or token has expired.
    #[serde(rename = "expired")]
    Expired,
    /// Too many failures before; it was not even tried.
    #[serde(rename = "delayed")]
    Delayed,
    /// The password must be changed first.
    #[serde(rename = "must_change")]
    MustChange,
    /// The token does not pass for this service.
    #[serde(rename = "wrong_scope")]
    WrongScope,
    /// The token does not pass from this address.
    #[serde(rename = "wrong_network")]
    WrongNetwork,
}

/// Somebody asked what they may not ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CommandDenied {
    /// The command or query.
    #[serde(rename = "command")]
    pub command: String,
    /// The id that it was about.
    #[serde(rename = "target", default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How many alike this record stands for.
    #[serde(rename = "count")]
    pub count: u32,
}

/// A command was refused that administrators want to know of, such as the registration of a name that is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CommandRefused {
    /// The command.
    #[serde(rename = "command")]
    pub command: String,
    /// The id that it was about.
    #[serde(rename = "target", default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The name of what it was about.
    #[serde(rename = "targetName", default, skip_serializing_if = "Option::is_none")]
    pub target_name: Option<String>,
    /// Codes of the refusals.
    #[serde(rename = "codes")]
    pub codes: Vec<String>,
    /// How many alike this record stands for.
    #[serde(rename = "count")]
    pub count: u32,
}

crate::wire::wire_events! {
    /// What gateways note.
    pub enum Event {
        /// Somebody signed in.
        SignedIn(SignedIn) = "muster.access.signed_in",
        /// Somebody did not get in.
        SignInFailed(SignInFailed) = "muster.access.sign_in_failed",
        /// Somebody asked what they may not ask.
        CommandDenied(CommandDenied) = "muster.access.command_denied",
        /// A command was refused.
        CommandRefused(CommandRefused) = "muster.access.command_refused",
    }
}
