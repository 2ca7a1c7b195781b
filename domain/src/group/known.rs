//! A group as other aggregates see it: its id and name, and whether it takes new members.

use serde::{Deserialize, Serialize};

use crate::id::GroupId;

/// A group as a user's events name it. The name can stand beside the id because it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GroupRef {
    /// Which group.
    #[serde(rename = "id")]
    pub id: GroupId,
    /// The group's name.
    #[serde(rename = "name")]
    pub name: String,
}

/// What a user's rules need to know of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGroup {
    /// Which group.
    pub group: GroupRef,
    /// Whether it takes no new members.
    pub closed: bool,
}
