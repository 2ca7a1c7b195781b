//! The announced owner of each partition.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The process that serves a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncedOwner {
    /// Base URL at which the owner takes commands.
    pub url: String,
    /// The owner's epoch, which grows with every claim of the partition. Of two owners, the one with the
    /// greater epoch is right.
    pub epoch: u64,
}

/// The announced owner of each partition that has one.
pub type Owners = BTreeMap<u32, AnnouncedOwner>;
