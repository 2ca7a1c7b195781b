//! Auth tokens, with which programs act for a user. Only digests of their secrets get here (ADR 0005).

use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::actor::Roles;
use crate::aggregate::Decision;
use crate::credential::{CredentialId, Kind, Scope};
use crate::decision_context::DecisionContext;
use crate::id::{TokenId, UserId};
use crate::network;
use crate::refusal::{Code, Refusal, Refusals};
use crate::text;
use crate::timestamp::Timestamp;
use crate::user::state::Token;
use crate::user::{Event, User};
use crate::validation::Validation;

#[cfg(test)]
#[path = "specs/tokens.rs"]
pub(crate) mod spec;

/// Most characters of a token's name.
const NAME_LENGTH: usize = 64;
/// Most networks of one token.
const NETWORKS: usize = 50;
/// Longest lifetime of a token: two years, leap days included.
pub const LONGEST_LIFE: Duration = Duration::from_hours(731 * 24);

/// Issue an auth token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueAuthToken {
    /// Unique among the user's unexpired tokens.
    pub name: String,
    /// Where it is valid.
    pub scopes: Vec<Scope>,
    /// When it stops working, if ever.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// The networks from which it is valid, as CIDR or single addresses. Empty means all.
    #[serde(default)]
    pub allowed_networks: Vec<String>,
}

/// Revoke an auth token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeAuthToken {
    /// Which token.
    pub token_id: TokenId,
}

/// The user has a new auth token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuthTokenIssued {
    /// Derived from the user and the sequence number of this event.
    #[serde(rename = "tokenId")]
    pub token_id: TokenId,
    /// Its name.
    #[serde(rename = "name")]
    pub name: String,
    /// Where it is valid.
    #[serde(rename = "scopes")]
    pub scopes: Vec<Scope>,
    /// When it stops working, if ever.
    #[serde(rename = "expiresAt", default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The networks from which it is valid. Empty means all.
    #[serde(rename = "allowedNetworks", default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub allowed_networks: Vec<IpNet>,
}

/// An auth token was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuthTokenRevoked {
    /// Which token.
    #[serde(rename = "tokenId")]
    pub token_id: TokenId,
    /// Its name.
    #[serde(rename = "name")]
    pub name: String,
}

impl IssueAuthToken {
    pub(crate) fn decide(&self, user: &User, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let account = user.require_known()?;
        let mut check = Validation::new();
        let name = check.field("name", text::required(&self.name, NAME_LENGTH));
        let scopes = check.field("scopes", scopes(&self.scopes, account.roles));
        let expires_at = check.field("expiresAt", expiry(self.expires_at, context.now));
        let networks = check.field("allowedNetworks", networks(&self.allowed_networks));
        let (name, scopes, expires_at, allowed_networks) =
            check.with((|| Some((name?, scopes?, expires_at?, networks?)))())?;
        let living = account.tokens.iter().filter(|token| token.is_living(context.now));
        if living.clone().any(|token| *token.name == *name) {
            let message = format!("The user has a token `{name}` already.");
            return Err(Refusal::new(Code::NameTaken, message).at("name").into());
        }
        if living.count() >= context.limits.tokens {
            let most = context.limits.tokens;
            return Err(Refusal::new(Code::TooMany, format!("A user has at most {most} tokens.")).into());
        }
        let digest = context.require_token_secret()?;
        let decision = user.decision();
        let token_id = TokenId::issued_at(user.id(), decision.next_sequence());
        let kind = Kind::Token {
            digest,
            expires_at,
            scopes: scopes.clone(),
            allowed_networks: allowed_networks.clone(),
        };
        let issued = AuthTokenIssued { token_id, name, scopes, expires_at, allowed_networks };
        Ok(decision.event(issued).put(CredentialId::Token(user.id(), token_id), kind))
    }
}

impl RevokeAuthToken {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        let account = user.require_known()?;
        if account.revoked.contains(&self.token_id) {
            return Ok(user.decision());
        }
        let token = account.tokens.iter().find(|token| token.id == self.token_id);
        match token {
            Some(token) => Ok(revoke(user.decision(), user.id(), token)),
            None => {
                Err(Refusal::new(Code::UnknownToken, "The user has no such token.").at("authTokenId").into())
            }
        }
    }
}

impl Token {
    fn is_living(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

/// Adds the revocation of a token.
pub(crate) fn revoke(decision: Decision<Event>, user: UserId, token: &Token) -> Decision<Event> {
    decision
        .event(AuthTokenRevoked { token_id: token.id, name: token.name.to_string() })
        .remove(CredentialId::Token(user, token.id))
}

/// The scopes that a token of somebody with these roles gets.
fn scopes(scopes: &[Scope], roles: Roles) -> Result<Vec<Scope>, Refusal> {
    let mut scopes = scopes.to_vec();
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(Refusal::new(Code::Required, "At least one scope must be given."));
    }
    if scopes.contains(&Scope::Events) && !roles.may_audit() {
        let message = "Only a user who may read the audit log can have a token for the feeds of events.";
        return Err(Refusal::new(Code::NotPermitted, message));
    }
    Ok(scopes)
}

fn expiry(end: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    match end {
        Some(end) if end <= now => Err(Refusal::new(Code::OutOfRange, "This must lie in the future.")),
        Some(end) if end > now + LONGEST_LIFE => {
            Err(Refusal::new(Code::OutOfRange, "A token lives for two years at most."))
        }
        end => Ok(end),
    }
}

fn networks(texts: &[String]) -> Result<Vec<IpNet>, Refusal> {
    if texts.len() > NETWORKS {
        return Err(Refusal::new(Code::TooMany, format!("A token has at most {NETWORKS} networks.")));
    }
    let read = |(index, text): (usize, &String)| {
        network::parse(text).ok_or_else(|| {
            let message = "This is not a network in CIDR notation, such as 10.1.0.0/16.";
            Refusal::new(Code::InvalidFormat, message).at(&index.to_string())
        })
    };
    let mut networks = texts.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    networks.sort_unstable();
    networks.dedup();
    Ok(networks)
}
