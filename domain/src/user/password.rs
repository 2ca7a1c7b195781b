//! Temporary and chosen passwords. Only their digests and hashes get here (ADR 0005).

use serde::{Deserialize, Serialize};

use crate::aggregate::Decision;
use crate::credential::{Credential, CredentialId};
use crate::decision_context::DecisionContext;
use crate::refusal::{Code, Refusal, Refusals};
use crate::timestamp::Timestamp;
use crate::user::{Event, User};

#[cfg(test)]
#[path = "specs/password.rs"]
pub(crate) mod spec;

/// Replace the password by a temporary one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetPassword {
    /// Whether every auth token is revoked as well.
    pub revoke_tokens: bool,
}

/// The password was replaced by a temporary one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PasswordReset {
    /// When the temporary password stops working.
    #[serde(rename = "expiresAt")]
    pub expires_at: Timestamp,
}

/// The user chose a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PasswordChanged {}

impl ResetPassword {
    pub(crate) fn decide(&self, user: &User, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let account = user.require_known()?;
        let (kind, expires_at) = context.require_temporary_password()?;
        let mut decision =
            user.decision().event(PasswordReset { expires_at }).put(CredentialId::Password(user.id()), kind);
        if self.revoke_tokens {
            for token in &account.tokens {
                decision = super::tokens::revoke(decision, user.id(), token);
            }
        }
        Ok(decision)
    }
}

pub(crate) fn change(user: &User, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
    let account = user.require_known()?;
    let (kind, checked) = context.require_chosen_password()?;
    if checked != account.password_version {
        return Err(stale());
    }
    Ok(user.decision().event(PasswordChanged {}).put(CredentialId::Password(user.id()), kind))
}

/// Stores the same password under stronger parameters. Nothing happens to the user, so the credential keeps its version.
pub(crate) fn rehash(user: &User, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
    let account = user.require_known()?;
    let (kind, checked) = context.require_chosen_password()?;
    if checked != account.password_version {
        return Err(stale());
    }
    let credential = Credential { kind, version: checked };
    Ok(user.decision().restore(CredentialId::Password(user.id()), credential))
}

fn stale() -> Refusals {
    Refusal::new(Code::StaleVersion, "The password was replaced in the meantime. Sign in again.").into()
}
