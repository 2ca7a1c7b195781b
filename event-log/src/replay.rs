//! Receiving what a claim reads: a snapshot and the records after it.

use log_model::record::Recorded;

/// Receives what a claim reads.
pub trait Replay {
    /// Receives a snapshot that was given to [`Writer::save_snapshot`](crate::Writer::save_snapshot), before
    /// any record. An error refuses it; every record is then replayed as if there were no snapshot.
    fn restore(&mut self, parts: &[Vec<u8>]) -> Result<(), String>;

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
    fn restore(&mut self, _parts: &[Vec<u8>]) -> Result<(), String> {
        Err("every record is wanted".to_owned())
    }

    fn replay(&mut self, recorded: &Recorded) -> Result<(), String> {
        (self.0)(recorded)
    }
}
