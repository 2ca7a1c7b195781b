//! Who serves which partition, as announced.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Who serves a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Base address of the owner's command door.
    pub url: String,
    /// Grows with every claim of the partition: of two owners the one with the greater epoch is right.
    pub epoch: u64,
}

/// The announced owner of each partition that has one.
pub type Owners = BTreeMap<u32, Owner>;
