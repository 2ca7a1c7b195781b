//! How far a consumer is, for those who wait for it or report on it.

use std::collections::BTreeMap;

use log_model::StreamPartition;

/// How far a consumer is in each stream partition. Empty until the checkpoints are read for the first time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consumed {
    places: BTreeMap<StreamPartition, Reached>,
}

/// How far one stream partition is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reached {
    next: u64,
    has_met_end: bool,
}

impl Consumed {
    /// The offset after everything applied; `None` for a stream partition that isn't consumed.
    pub fn next(&self, place: StreamPartition) -> Option<u64> {
        self.places.get(&place).map(|reached| reached.next)
    }

    /// Whether the consumer has stood at the end of the stream partition since it started.
    pub fn has_met_end(&self, place: StreamPartition) -> bool {
        self.places.get(&place).is_some_and(|reached| reached.has_met_end)
    }

    /// Whether nothing is known yet.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(crate) fn advance(&mut self, place: StreamPartition, next: u64) {
        self.places.entry(place).or_default().next = next;
    }

    /// The end was met. Returns whether for the first time.
    pub(crate) fn meet_end(&mut self, place: StreamPartition) -> bool {
        !std::mem::replace(&mut self.places.entry(place).or_default().has_met_end, true)
    }
}
