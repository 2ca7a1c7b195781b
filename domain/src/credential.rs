//! Credentials: passwords and auth tokens. A record holds all that verification needs, and never the secret (ADR 0005).

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::id::{TokenId, UserId, WebhookId};
use crate::timestamp::Timestamp;

/// Which credential: the password of a user, an auth token, or a secret of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialId {
    /// The password, permanent or temporary.
    Password(UserId),
    /// An auth token.
    Token(UserId, TokenId),
    /// A secret that signs what a webhook sends, by the number of the event that it came with.
    WebhookSecret(WebhookId, u64),
}

/// A text that is not the key of a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the key of a credential")]
pub struct ParseCredentialIdError;

/// Between the webhook's id and the number of a secret in a record key.
const SECRET: &str = "secret/";

/// The record key: `<user id>/password`, `<user id>/<token id>` or `<webhook id>/secret/<number>`.
impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(user) => write!(f, "{user}/password"),
            Self::Token(user, token) => write!(f, "{user}/{token}"),
            Self::WebhookSecret(webhook, number) => write!(f, "{webhook}/{SECRET}{number}"),
        }
    }
}

impl FromStr for CredentialId {
    type Err = ParseCredentialIdError;

    fn from_str(key: &str) -> Result<Self, ParseCredentialIdError> {
        let (user, which) = key.split_once('/').ok_or(ParseCredentialIdError)?;
        if let Some(number) = which.strip_prefix(SECRET) {
            let number = number.parse().map_err(|_| ParseCredentialIdError)?;
            let webhook = user.parse().map_err(|_| ParseCredentialIdError)?;
            return Ok(Self::WebhookSecret(webhook, number));
        }
        let user = user.parse().map_err(|_| ParseCredentialIdError)?;
        match which {
            "password" => Ok(Self::Password(user)),
            token => token.parse().map(|token| Self::Token(user, token)).map_err(|_| ParseCredentialIdError),
        }
    }
}

/// A credential as the log and the views store it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// What it is, with the data to verify it.
    #[serde(flatten)]
    pub kind: Kind,
    /// Sequence number of the user's event that it came with. It stays when the same password is hashed anew.
    #[serde(rename = "version")]
    pub version: u64,
}

/// The kind of a credential: how it is verified and where it is valid.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Kind {
    /// A password that the user chose.
    #[serde(rename = "permanent")]
    Permanent {
        /// argon2id as a PHC string.
        #[serde(rename = "phc")]
        phc: String,
    },
    /// A generated password. It is good for nothing but the forced change.
    #[serde(rename = "temporary")]
    Temporary {
        /// Hex SHA-256 of the password.
        #[serde(rename = "digest")]
        digest: String,
        /// When it stops working.
        #[serde(rename = "expiresAt")]
        expires_at: Timestamp,
    },
    /// The secret of an auth token.
    #[serde(rename = "token")]
    Token {
        /// Hex SHA-256 of the secret.
        #[serde(rename = "digest")]
        digest: String,
        /// When it stops working, if ever.
        #[serde(rename = "expiresAt", default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
        /// Where it is valid.
        #[serde(rename = "scopes")]
        scopes: Vec<Scope>,
        /// The networks from which it is valid. Empty means all.
        #[serde(rename = "allowedNetworks", default, skip_serializing_if = "Vec::is_empty")]
        allowed_networks: Vec<IpNet>,
    },
    /// A secret that signs what a webhook sends. It is read again, so it is not a digest.
    #[serde(rename = "webhook")]
    WebhookSecret {
        /// The secret, sealed under the deployment's key.
        #[serde(rename = "sealed")]
        sealed: String,
    },
}

impl Kind {
    /// Whether the password must be changed before anything else.
    pub fn must_change(&self) -> bool {
        matches!(self, Self::Temporary { .. })
    }
}

/// Shows the kind alone: digests and hashes must not reach logs.
impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Permanent { .. } => "Permanent(…)",
            Self::Temporary { .. } => "Temporary(…)",
            Self::Token { .. } => "Token(…)",
            Self::WebhookSecret { .. } => "WebhookSecret(…)",
        })
    }
}

/// Where an auth token is valid.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Scope {
    /// SFTP servers.
    #[serde(rename = "sftp")]
    Sftp,
    /// HTTP mailboxes.
    #[serde(rename = "mailbox")]
    Mailbox,
    /// API gateways.
    #[serde(rename = "gateway")]
    Gateway,
    /// Remote file agents.
    #[serde(rename = "agent")]
    Agent,
    /// The feeds of events. Only users who may read the audit log have such tokens.
    #[serde(rename = "events")]
    Events,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [Self::Sftp, Self::Mailbox, Self::Gateway, Self::Agent, Self::Events];

    /// The scope's name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sftp => "sftp",
            Self::Mailbox => "mailbox",
            Self::Gateway => "gateway",
            Self::Agent => "agent",
            Self::Events => "events",
        }
    }

    /// The scope with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Username;

    #[test]
    fn the_key_of_a_credential_reads_back() {
        let user = UserId::of(&Username::parse("alice").unwrap());
        for id in [CredentialId::Password(user), CredentialId::Token(user, TokenId::issued_at(user, 4))] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn a_credential_reads_back_and_debug_hides_it() {
        let credential = Credential { kind: Kind::Permanent { phc: "$argon2id$secret".into() }, version: 3 };
        let json = serde_json::to_string(&credential).unwrap();
        assert_eq!(serde_json::from_str::<Credential>(&json).unwrap(), credential);
        assert!(!format!("{credential:?}").contains("secret"));
    }
}
