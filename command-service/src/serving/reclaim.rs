//! Commits a fresh claim where only that shows whether a command may be answered here.

use domain::command::{Ask, Command};

use super::{Serving, ServingEnd};

impl Serving<'_> {
    /// Whether the command may be decided only after a new claim of this owner is committed.
    pub(super) fn needs_reclaim(&self, command: &Command) -> bool {
        match command.ask {
            // The next process that claims the partition reads the groups at least up to here before it serves
            // (docs/adr/0010-deleting-a-group.md).
            Ask::Barrier { .. } => true,
            // The caller has seen more than this owner has committed: another process may have written here. The gap
            // may also stem from an aborted batch.
            Ask::User { .. }
            | Ask::Group { .. }
            | Ask::Webhook { .. }
            | Ask::ReserveAddress { .. }
            | Ask::ReleaseAddress { .. } => self.ledger.is_behind(&command.seen),
        }
    }

    /// Commits a new claim, once for all commands that wait now. Only while everything decided is committed.
    pub(super) fn reclaim(&mut self) -> Result<(), ServingEnd> {
        self.inbox.set_aside_queued(self.tenure.shared.max_batch);
        let writer = self.pipeline.writer();
        match self.tenure.watchdog().during(|| writer.reclaim()) {
            Ok(position) => {
                self.ledger.advance(&position);
                self.inbox.set_aside_mut().for_each(|taken| taken.reclaimed_since_taken = true);
                Ok(())
            }
            Err(error) => {
                tracing::info!(kafka.partition = self.tenure.partition, %error, "whether this is still the owner is not certain");
                Err(ServingEnd::after(&error, self.take_unwritten()))
            }
        }
    }
}
