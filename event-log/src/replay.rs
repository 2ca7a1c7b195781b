//! Receiving what a claim reads: a snapshot and the records after it.

use log_model::record::Recorded;

/// The parts of a snapshot, in the order in which they were saved, or why there are no more.
pub type SnapshotParts<'a> = dyn Iterator<Item = Result<Vec<u8>, String>> + 'a;

/// Receives what a claim reads.
pub trait Replay {
    /// Receives a snapshot that was given to [`Writer::save_snapshot`](crate::Writer::save_snapshot), before
    /// any record. An error refuses it; every record is then replayed as if there were no snapshot.
    ///
    /// Whether the snapshot is whole shows at its end. So an error among the parts refuses all of it, and so does
    /// leaving parts unread.
    fn restore(&mut self, parts: &mut SnapshotParts<'_>) -> Result<(), String>;

    /// The headers that it looks at; `None` for all. Of a record with a chain value others may be left out, because
    /// making their texts is a good part of reading it.
    fn headers(&self) -> Option<&'static [&'static str]> {
        None
    }

    /// Receives a record, whose memory is reused for the next one. An error ends the claim.
    fn replay(&mut self, recorded: &Recorded) -> Result<(), String>;

    /// Whether this record is passed over: it is not replayed, and the hash chain goes past it as if it were not there.
    fn is_skipped(&self, _recorded: &Recorded) -> bool {
        false
    }

    /// Called while the claim progresses without delivering anything. An error skips the snapshot that is
    /// being read, or ends the claim before it fences.
    fn on_progress(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// A [`Replay`] that refuses snapshots and passes every record to `take`.
pub fn every_record(take: impl FnMut(&Recorded) -> Result<(), String>) -> impl Replay {
    EveryRecord(take)
}

struct EveryRecord<F>(F);

impl<F: FnMut(&Recorded) -> Result<(), String>> Replay for EveryRecord<F> {
    fn restore(&mut self, _parts: &mut SnapshotParts<'_>) -> Result<(), String> {
        Err("every record is wanted".to_owned())
    }

    fn replay(&mut self, recorded: &Recorded) -> Result<(), String> {
        (self.0)(recorded)
    }
}
