//! The decision context: what a rule needs to know beside the command and the state of its aggregate.

use log_model::Position;

use crate::credential::Kind;
use crate::group::{GroupRef, KnownGroup};
use crate::id::GroupId;
use crate::refusal::{Code, Refusal};
use crate::timestamp::Timestamp;

/// What the owner gathers before it decides a command.
#[derive(Debug, Clone)]
pub struct DecisionContext {
    /// The time of the decision; events carry it.
    pub now: Timestamp,
    /// The group that the command names. `None` when it names none, or when no such group exists.
    pub group: Option<KnownGroup>,
    /// What the gateway prepared for this command.
    pub prepared: Option<Prepared>,
    /// Settings of the deployment.
    pub limits: Limits,
}

/// Limits that the deployment's settings put on each user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most agent rules a user has.
    pub rules: usize,
    /// Most unexpired auth tokens a user has.
    pub tokens: usize,
    /// Most mailboxes a user has, the default one included.
    pub mailboxes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rules: 100, tokens: 50, mailboxes: 100 }
    }
}

/// What the gateway prepared for a command. It is not part of what was asked, so it is not part of the digest either.
///
/// Secrets stay at the gateway; only their digests and hashes come with the command (ADR 0005).
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Prepared {
    /// A temporary password.
    TemporaryPassword {
        /// Hex SHA-256 of the password.
        digest: String,
        /// When it stops working.
        expires_at: Timestamp,
    },
    /// The hash of a password that its user chose.
    ChosenPassword {
        /// PHC string.
        phc: String,
        /// Version of the credential that the current password was checked against.
        checked: u64,
    },
    /// The secret of an auth token.
    TokenSecret {
        /// Hex SHA-256 of the secret.
        digest: String,
    },
    /// The secret of a webhook, sealed under the deployment's key.
    WebhookSecret {
        /// The sealed secret.
        sealed: String,
        /// The position after which a new webhook begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Position>,
    },
    /// The position after which a webhook begins again.
    ReplayAfter {
        /// The position.
        after: Position,
    },
    /// Proof that a group is empty, and stays so while it is closed (ADR 0010).
    Emptied {
        /// Version of the group at the check. The group was closed then.
        version: u64,
    },
}

/// Shows the kind alone: digests and hashes must not reach logs.
impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TemporaryPassword { .. } => "TemporaryPassword(…)",
            Self::ChosenPassword { .. } => "ChosenPassword(…)",
            Self::TokenSecret { .. } => "TokenSecret(…)",
            Self::WebhookSecret { .. } => "WebhookSecret(…)",
            Self::ReplayAfter { .. } => "ReplayAfter(…)",
            Self::Emptied { .. } => "Emptied(…)",
        })
    }
}

impl DecisionContext {
    /// The temporary password that came with the command.
    pub(crate) fn require_temporary_password(&self) -> Result<(Kind, Timestamp), Refusal> {
        match &self.prepared {
            Some(Prepared::TemporaryPassword { digest, expires_at }) => {
                let kind = Kind::Temporary { digest: digest.clone(), expires_at: *expires_at };
                Ok((kind, *expires_at))
            }
            _ => Err(Refusal::new(Code::Required, "No temporary password came with the command.")),
        }
    }

    /// The hash of the chosen password that came with the command, and the version it was checked against.
    pub(crate) fn require_chosen_password(&self) -> Result<(Kind, u64), Refusal> {
        match &self.prepared {
            Some(Prepared::ChosenPassword { phc, checked }) => {
                Ok((Kind::Permanent { phc: phc.clone() }, *checked))
            }
            _ => Err(Refusal::new(Code::Required, "No password hash came with the command.")),
        }
    }

    /// The digest of the token secret that came with the command.
    pub(crate) fn require_token_secret(&self) -> Result<String, Refusal> {
        match &self.prepared {
            Some(Prepared::TokenSecret { digest }) => Ok(digest.clone()),
            _ => Err(Refusal::new(Code::Required, "No token secret came with the command.")),
        }
    }

    /// The group in the command's field `groupId`, if it takes new members.
    pub(crate) fn require_open_group(&self, id: GroupId) -> Result<GroupRef, Refusal> {
        match self.group.as_ref().filter(|known| known.group.id == id) {
            None => Err(Refusal::new(Code::UnknownGroup, "There is no such group.").at("groupId")),
            Some(known) if known.closed => {
                Err(Refusal::new(Code::GroupClosed, "This group takes no new members.").at("groupId"))
            }
            Some(known) => Ok(known.group.clone()),
        }
    }
}
