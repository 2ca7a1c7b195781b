//! Who asks a command, with which roles, and from where.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::UserId;

/// A role that a user holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Role {
    /// Manages their own account. Every user holds it.
    #[serde(rename = "user")]
    User,
    /// Manages every account.
    #[serde(rename = "administrator")]
    Administrator,
}

impl Role {
    /// Every role, the weakest first.
    pub const ALL: [Self; 2] = [Self::User, Self::Administrator];

    /// The role's name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Administrator => "administrator",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Administrator => 2,
        }
    }
}

/// A set of roles.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// What every registered user holds.
    pub const BASE: Self = Self(Role::User.bit());
    /// What the system itself holds.
    pub const EVERY: Self = Self(Role::User.bit() | Role::Administrator.bit());

    /// The set that databases store as this number. Unknown bits are dropped.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::EVERY.0)
    }

    /// The number that databases store.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether the role is in the set.
    pub const fn contains(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether every role of `other` is in the set.
    pub const fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether they carry the right `audit`: to read the audit log and the feeds of events.
    pub const fn may_audit(self) -> bool {
        self.contains(Role::Administrator)
    }

    /// Whether they carry the right to list users and to manage them.
    pub const fn may_administer(self) -> bool {
        self.contains(Role::Administrator)
    }

    /// The set with this role.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | role.bit())
    }

    /// The set without this role.
    #[must_use]
    pub const fn without(self, role: Role) -> Self {
        Self(self.0 & !role.bit())
    }

    /// The roles of the set, the weakest first.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }

    /// The strongest role of the set.
    pub fn strongest(self) -> Option<Role> {
        self.iter().last()
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Roles {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Roles {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let roles = Vec::<Role>::deserialize(deserializer)?;
        Ok(roles.into_iter().fold(Self(0), Self::with))
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// Somebody who is not signed in.
    Anonymous,
    /// An operator at the command line, or Muster itself.
    System,
    /// A signed-in user, with the roles that the views showed.
    User {
        /// Which user.
        id: UserId,
        /// The username.
        name: String,
        /// The roles that the user holds.
        roles: Roles,
    },
}

impl Actor {
    /// The actor as records name it: a user id, `anonymous` or `system`.
    pub fn id_text(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::System => "system".to_owned(),
            Self::User { id, .. } => id.to_string(),
        }
    }

    /// The actor's name in records.
    pub fn name(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::System => "system",
            Self::User { name, .. } => name,
        }
    }

    /// The strongest role. `None` for an actor who is not a user.
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::User { roles, .. } => roles.strongest(),
            Self::Anonymous | Self::System => None,
        }
    }

    /// The user who asks. `None` for an actor who is not a user.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Anonymous | Self::System => None,
        }
    }
}

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The network address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The client's user agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}
