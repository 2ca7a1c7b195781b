//! Roles: grant and revoke them.

use serde::{Deserialize, Serialize};

use crate::actor::Role;
use crate::aggregate::Decision;
use crate::refusal::{Code, Refusal, Refusals};
use crate::user::{Event, User};

#[cfg(test)]
#[path = "specs/roles.rs"]
pub(crate) mod spec;

/// Grant a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRole {
    /// Which role.
    pub role: Role,
}

/// Revoke a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeRole {
    /// Which role.
    pub role: Role,
}

/// The user got a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RoleGranted {
    /// Which role.
    #[serde(rename = "role")]
    pub role: Role,
}

/// The user lost a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RoleRevoked {
    /// Which role.
    #[serde(rename = "role")]
    pub role: Role,
}

impl GrantRole {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        let account = user.require_known()?;
        if account.roles.contains(self.role) {
            return Ok(user.decision());
        }
        Ok(user.decision().event(RoleGranted { role: self.role }))
    }
}

impl RevokeRole {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        let account = user.require_known()?;
        if self.role == Role::User {
            return Err(Refusal::new(Code::BaseRole, "Every user has this role.").at("role").into());
        }
        if !account.roles.contains(self.role) {
            return Ok(user.decision());
        }
        Ok(user.decision().event(RoleRevoked { role: self.role }))
    }
}
