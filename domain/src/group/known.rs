//! What is known of a group outside of it: its name beside its id, and whether it takes members.

use serde::{Deserialize, Serialize};

use crate::id::GroupId;

/// A group as a user's events name it. The name stands beside the id because it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GroupRef {
    /// Which group.
    #[serde(rename = "id")]
    pub id: GroupId,
    /// Its name.
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
