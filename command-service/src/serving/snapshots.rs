//! Saves a snapshot for the next owner now and then (docs/adr/0013-snapshots-for-the-next-owner.md).

use std::time::Instant;

use super::Serving;

impl Serving<'_> {
    /// Whether the next owner would have to replay much. Only an owner whose partition is assigned saves snapshots.
    pub(super) fn needs_snapshot(&self) -> bool {
        let every = self.tenure.shared.snapshot_every.filter(|_| self.tenure.is_assigned());
        every.is_some_and(|every| self.ledger.needs_snapshot(every))
    }

    /// Saves a snapshot. Only while nothing is in flight. If the log can't take one now, a later batch tries again.
    pub(super) fn save_snapshot(&mut self) {
        let (ledger, begun) = (&self.ledger, Instant::now());
        if self.pipeline.writer().save_snapshot(&mut || ledger.snapshot()).is_some() {
            // Commands wait while the ledger is copied. Writing the copy happens in the background.
            metrics::histogram!("muster_snapshot_pause_seconds").record(begun.elapsed().as_secs_f64());
            self.ledger.snapshot_saved();
        }
    }
}
