//! What a claim hands to its caller: a snapshot and the records after it.

use log_model::record::Recorded;

/// Takes in what a claim finds.
pub trait Replay {
    /// Takes in a snapshot that [`Writer::save_snapshot`] was given, before any record. An error refuses it: then every record
    /// is replayed, as if there were none.
    fn restore(&mut self, parts: &[Vec<u8>]) -> Result<(), String>;

    /// Takes in a record; the next one is read over it. An error ends the claim.
    fn replay(&mut self, recorded: &Recorded) -> Result<(), String>;

    /// Hears that the claim gets on while there is nothing to take in yet. An error leaves out what is being read, or ends
    /// the claim before it tries to fence anybody again.
    fn on_progress(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Replays every record, whatever snapshots there are.
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
