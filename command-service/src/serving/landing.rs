//! What follows when a batch lands: it is committed, decided again, or left to the next takeover.

use std::time::Instant;

use event_log::AppendError;
use log_model::Position;

use super::batch::{DecidedCommand, InFlightBatch};
use super::pipeline::LandedBatch;
use super::{Serving, ServingEnd};
use crate::outcome::CommandOutcome;
use crate::queued_command::TakenCommand;
use crate::tenure::FIRST_PAUSE;

/// Number of aborts in a row after which the callers of a batch are told.
const MAX_ABORTS: u32 = 3;

impl Serving<'_> {
    pub(super) fn land(&mut self, landed: LandedBatch) -> Result<(), ServingEnd> {
        let LandedBatch { batch, result } = landed;
        match result {
            Ok(position) => self.committed(batch, &position),
            Err(AppendError::Aborted(reason)) => self.aborted(batch, &reason),
            Err(error @ (AppendError::Fenced | AppendError::Unknown(_))) => {
                return Err(self.left_to_the_log(batch, &error));
            }
        }
        Ok(())
    }

    /// Takes a committed batch into the ledger and answers its callers.
    fn committed(&mut self, batch: InFlightBatch, position: &Position) {
        self.aborted_in_a_row = 0;
        batch.record_metrics();
        self.ledger.commit(batch.changes, position);
        let needs_snapshot = self.needs_snapshot();
        // The log works on the next batch while the answers are sent. A snapshot needs the writer first.
        if !needs_snapshot
            && self.pipeline.overlaps(self.next.len())
            && self.may_write()
            && !self.is_overdue()
        {
            let proof = self.ownership_proof();
            self.pipeline.launch(&mut self.next, proof);
        }
        for DecidedCommand { taken, outcome } in batch.commands {
            self.answer(taken, outcome, batch.begun);
        }
        if needs_snapshot {
            self.save_snapshot();
        }
    }

    /// Sets an aborted batch and everything decided on top of it aside, to be decided again. After too many aborts only
    /// the latter, and the batch's callers are told.
    fn aborted(&mut self, batch: InFlightBatch, reason: &str) {
        self.aborted_in_a_row += 1;
        tracing::warn!(kafka.partition = self.tenure.partition, reason, "batch aborted; it is done again");
        self.inbox.put_all_back(self.next.take_commands());
        if self.aborted_in_a_row < MAX_ABORTS && !self.tenure.has_ended() {
            self.tenure.pause(FIRST_PAUSE);
            self.inbox.put_all_back(batch.commands.into_iter().map(|decided| decided.taken));
            return;
        }
        self.aborted_in_a_row = 0;
        let unwritten = batch.first_events();
        // A repetition of a command in an earlier batch still holds. One of a command in this batch does not.
        let still_holds = |outcome: &CommandOutcome| matches!(outcome, CommandOutcome::Repeated { first_event, .. } if !unwritten.contains(first_event));
        for DecidedCommand { taken, outcome } in batch.commands {
            self.answer(taken, outcome.filter(still_holds), batch.begun);
        }
    }

    /// Ends serving, because the log alone knows whether the batch was written.
    fn left_to_the_log(&mut self, batch: InFlightBatch, error: &AppendError) -> ServingEnd {
        if self.tenure.is_assigned() {
            tracing::warn!(kafka.partition = self.tenure.partition, %error, "the log decides; taking over again");
        } else {
            tracing::info!(kafka.partition = self.tenure.partition, %error, "somebody else has taken over");
        }
        let mut in_doubt: Vec<_> = batch.into_doubtful().collect();
        in_doubt.extend(self.take_unwritten());
        ServingEnd::after(error, in_doubt)
    }

    fn answer(&self, taken: TakenCommand, outcome: Option<CommandOutcome>, begun: Instant) {
        taken.answer(outcome, self.ledger.committed(), self.tenure.partition, begun);
    }
}
