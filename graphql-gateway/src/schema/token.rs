//! The GraphQL type of auth tokens, without their secrets.

use async_graphql::{Enum, ID, SimpleObject};
use domain::credential::Scope;
use read_model::tokens::TokenRow;

use super::connection::Listed;
use super::scalar::DateTime;

/// Where an auth token passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Scope")]
pub(crate) enum TokenScope {
    /// SFTP servers.
    Sftp,
    /// HTTP mailboxes.
    Mailbox,
    /// API gateways.
    Gateway,
    /// Remote file agents.
    Agent,
    /// The feeds of events; only for users who may read the audit log.
    Events,
}

/// What a program proves with whom it acts for. Its id and secret are the user and password of HTTP Basic.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct AuthToken {
    /// The user of HTTP Basic; never changes.
    #[graphql(owned)]
    pub(crate) id: ID,
    /// The name, unique among the user's living tokens.
    name: String,
    /// Where it passes.
    scopes: Vec<TokenScope>,
    /// From where it passes, as CIDR; from everywhere when empty.
    allowed_networks: Vec<String>,
    /// When it was issued.
    created_at: DateTime,
    /// When it stops working; null for never.
    expires_at: Option<DateTime>,
    /// When it was used last, exact to a minute.
    last_used_at: Option<DateTime>,
    /// From which address it was used last.
    last_used_from: Option<String>,
    /// For which service it was used last.
    last_used_for: Option<TokenScope>,
    /// Whether it was ended before its time.
    revoked: bool,
}

impl From<TokenRow> for AuthToken {
    fn from(row: TokenRow) -> Self {
        let (at, from, service) = match row.last_use {
            Some(last) => (Some(last.at.into()), last.address, last.service.map(Into::into)),
            None => (None, None, None),
        };
        Self {
            id: row.id.into(),
            name: row.name,
            scopes: row.scopes.into_iter().map(Into::into).collect(),
            allowed_networks: row.allowed_networks,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(Into::into),
            last_used_at: at,
            last_used_from: from,
            last_used_for: service,
            revoked: row.revoked,
        }
    }
}

impl Listed for AuthToken {
    const CONNECTION: &'static str = "AuthTokenConnection";
    const EDGE: &'static str = "AuthTokenEdge";
}
