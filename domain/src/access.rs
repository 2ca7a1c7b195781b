//! Access events: sign-ins, failed sign-ins, denials and refusals. Gateways record them; the audit log shows them.

use serde::{Deserialize, Serialize};

/// Somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SignedIn {
    /// `portal`, or the service that asked.
    #[serde(rename = "service")]
    pub service: String,
}

/// A sign-in failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SignInFailed {
    /// `portal`, or the service that asked.
    #[serde(rename = "service")]
    pub service: String,
    /// Why. The caller is not told.
    #[serde(rename = "reason")]
    pub reason: SignInFailureReason,
    /// How many equal attempts this record stands for.
    #[serde(rename = "count")]
    pub count: u32,
}

/// Why a sign-in failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
// The published schema keeps the name.
#[schemars(rename = "FailedBecause")]
pub enum SignInFailureReason {
    /// No such user or token.
    #[serde(rename = "unknown")]
    Unknown,
    /// The password or secret is wrong.
    #[serde(rename = "wrong_secret")]
    WrongSecret,
    /// The user is not active.
    #[serde(rename = "not_active")]
    NotActive,
    /// The temporary password or token has expired.
    #[serde(rename = "expired")]
    Expired,
    /// Too many failures before. The secret was not checked.
    #[serde(rename = "delayed")]
    Delayed,
    /// The password must be changed first.
    #[serde(rename = "must_change")]
    MustChange,
    /// The token is not valid for this service.
    #[serde(rename = "wrong_scope")]
    WrongScope,
    /// The token is not valid from this address.
    #[serde(rename = "wrong_network")]
    WrongNetwork,
}

impl SignInFailureReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Unknown,
        Self::WrongSecret,
        Self::NotActive,
        Self::Expired,
        Self::Delayed,
        Self::MustChange,
        Self::WrongScope,
        Self::WrongNetwork,
    ];
}

/// Somebody asked a command or query that they may not ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CommandDenied {
    /// The command or query.
    #[serde(rename = "command")]
    pub command: String,
    /// Id of the user or group that it was about.
    #[serde(rename = "target", default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How many equal attempts this record stands for.
    #[serde(rename = "count")]
    pub count: u32,
}

/// A command was refused, and administrators should know: for example, the registration of a taken name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CommandRefused {
    /// The command.
    #[serde(rename = "command")]
    pub command: String,
    /// Id of the user or group that it was about.
    #[serde(rename = "target", default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Name of the user or group that it was about.
    #[serde(rename = "targetName", default, skip_serializing_if = "Option::is_none")]
    pub target_name: Option<String>,
    /// Codes of the refusals.
    #[serde(rename = "codes")]
    pub codes: Vec<String>,
    /// How many equal attempts this record stands for.
    #[serde(rename = "count")]
    pub count: u32,
}

crate::wire::wire_events! {
    /// What gateways record.
    pub enum Event {
        /// Somebody signed in.
        SignedIn(SignedIn) = "muster.access.signed_in",
        /// A sign-in failed.
        SignInFailed(SignInFailed) = "muster.access.sign_in_failed",
        /// Somebody asked a command or query that they may not ask.
        CommandDenied(CommandDenied) = "muster.access.command_denied",
        /// A command was refused.
        CommandRefused(CommandRefused) = "muster.access.command_refused",
    }
}
