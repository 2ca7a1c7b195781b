//! The end of access: suspend, reactivate and delete a user.

use serde::{Deserialize, Serialize};

use crate::aggregate::Decision;
use crate::credential::CredentialId;
use crate::refusal::Refusals;
use crate::text::{self, DESCRIPTION_LENGTH};
use crate::user::{Event, User};

#[cfg(test)]
#[path = "specs/lifecycle.rs"]
pub(crate) mod spec;

/// Suspend an active user, who then gets in nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspendUser {
    /// Why. It is stored and shown.
    pub reason: String,
}

/// The user was suspended and gets in nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Suspended {
    /// Why.
    #[serde(rename = "reason")]
    pub reason: String,
}

/// The suspension was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reactivated {}

/// The user was deleted for good. The name stays taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Deleted {}

impl SuspendUser {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        let reason =
            text::required(&self.reason, DESCRIPTION_LENGTH).map_err(|refusal| refusal.at("reason"))?;
        Ok(user.decision().event(Suspended { reason }))
    }
}

pub(crate) fn reactivate(user: &User) -> Decision<Event> {
    user.decision().event(Reactivated {})
}

/// Deletes the user together with every credential.
pub(crate) fn delete(user: &User) -> Result<Decision<Event>, Refusals> {
    let account = user.require_known()?;
    let mut decision = user.decision().event(Deleted {});
    if account.password_version > 0 {
        decision = decision.remove(CredentialId::Password(user.id()));
    }
    for token in &account.tokens {
        decision = decision.remove(CredentialId::Token(user.id(), token.id));
    }
    Ok(decision)
}
