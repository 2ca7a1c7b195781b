//! Verifies the chains of a log, record by record, and that it is the log of a checkpoint.

use std::collections::BTreeMap;

use event_log::chain::Chain;
use log_model::record::Recorded;
use log_model::{LogId, Stream, StreamPartition};

use crate::checkpoint::{ChainHead, LogCheckpoint};

/// What was found in one stream partition so far.
#[derive(Debug, Clone, Default)]
pub struct PlaceVerification {
    /// How many records were met that are not skipped.
    pub records: u64,
    /// The offset after the last of them.
    pub next: u64,
    /// The value of the chain after the last record that is not skipped.
    pub chain: Chain,
    /// The first thing that does not fit.
    pub broken: Option<String>,
    /// What checkpoints say that was not met yet, by the offset that they reach.
    expected: BTreeMap<u64, Chain>,
}

/// What was found in a log so far.
#[derive(Debug, Clone, Default)]
pub struct Verification {
    /// Each chained stream partition.
    pub places: BTreeMap<StreamPartition, PlaceVerification>,
    /// Which log it is, once the first record of the group events was met.
    pub log: Option<LogId>,
}

impl PlaceVerification {
    /// Takes in the next record. A skipped one is passed over: the chain goes past it.
    pub fn meet(&mut self, recorded: &Recorded, is_skipped: bool) {
        if is_skipped {
            return;
        }
        if self.records > 0 && recorded.offset < self.next {
            self.break_off(format!("offset {} comes after offset {}", recorded.offset, self.next - 1));
        }
        self.compare(recorded.offset);
        self.records += 1;
        self.next = recorded.next_offset();
        if self.broken.is_none()
            && let Err(broken) = self.chain.verify(recorded)
        {
            self.broken = Some(broken.to_string());
        }
    }

    /// Notes a break that was found otherwise, unless there is one already.
    pub fn break_off(&mut self, reason: String) {
        self.broken.get_or_insert(reason);
    }

    /// Compares with what checkpoints say of everything before an offset.
    fn compare(&mut self, offset: u64) {
        while let Some(entry) = self.expected.first_entry().filter(|entry| *entry.key() <= offset) {
            let (at, chain) = entry.remove_entry();
            if chain != self.chain {
                self.break_off(format!("offset {at}: the checkpoint has another chain value before it"));
            }
        }
    }

    /// Expects what a checkpoint says.
    fn expect(&mut self, head: &ChainHead) {
        if head.next < self.next {
            self.break_off(format!("offset {}: the checkpoint ends before it", self.next));
            return;
        }
        let known = self.expected.insert(head.next, head.chain);
        if known.is_some_and(|known| known != head.chain) {
            self.break_off(format!(
                "offset {}: two checkpoints have different chain values before it",
                head.next
            ));
        }
        if head.next == self.next {
            self.compare(self.next);
        }
    }

    /// The end of the records was met.
    fn end(&mut self) {
        self.compare(self.next);
        if let Some((at, _)) = self.expected.last_key_value() {
            let (at, next) = (*at, self.next);
            self.break_off(format!("it ends at {next}, but the checkpoint has seen it up to {at}"));
        }
    }
}

impl Verification {
    /// Expects the log of a checkpoint: that it reaches as far, with the same chains. A checkpoint from elsewhere is given before
    /// any record; one that stands among the records has to fit those before it.
    pub fn expect(&mut self, checkpoint: &LogCheckpoint) {
        for head in &checkpoint.heads {
            self.places.entry(head.place).or_default().expect(head);
        }
    }

    /// Takes in the next record of a chained stream.
    pub fn meet(&mut self, recorded: &Recorded, is_skipped: bool) {
        let place = self.places.entry(recorded.place).or_default();
        if recorded.place.stream == Stream::GroupEvents && place.records == 0 {
            self.log = LogId::of_first(&recorded.record);
        }
        place.meet(recorded, is_skipped);
    }

    /// The end of all records was met.
    pub fn end(&mut self) {
        self.places.values_mut().for_each(PlaceVerification::end);
    }

    /// What the log is as far as it was read. `None` before its name is known.
    pub fn checkpoint(&self) -> Option<LogCheckpoint> {
        let head = |(place, found): (&StreamPartition, &PlaceVerification)| ChainHead {
            place: *place,
            next: found.next,
            chain: found.chain,
        };
        Some(LogCheckpoint { log: self.log?, heads: self.places.iter().map(head).collect() })
    }

    /// Whether anything does not fit.
    pub fn is_broken(&self) -> bool {
        self.places.values().any(|found| found.broken.is_some())
    }
}
