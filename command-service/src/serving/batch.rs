//! The two batches of a serving owner: the one it decides and the one the log writes.

use std::collections::HashSet;
use std::time::Instant;

use domain::timestamp::Timestamp;
use event_log::Record;
use log_model::Stream;
use time::OffsetDateTime;
use tokio::runtime::Handle;

use crate::batch_draft::BatchDraft;
use crate::decision_base::DecisionBase;
use crate::fingerprint::EventFingerprint;
use crate::groups::Groups;
use crate::ledger::LedgerChanges;
use crate::outcome::CommandOutcome;
use crate::queued_command::TakenCommand;

/// A command and what was decided about it.
pub(super) struct DecidedCommand {
    pub(super) taken: TakenCommand,
    /// `None` if it could not be decided, or not be written.
    pub(super) outcome: Option<CommandOutcome>,
}

/// The batch that is being decided.
#[derive(Default)]
pub(super) struct NextBatch {
    commands: Vec<DecidedCommand>,
    draft: BatchDraft,
    /// When its first command was decided.
    begun: Option<Instant>,
    /// Until when it may wait for groups; set by the first command that has to. The whole batch has one deadline, so
    /// that slow group events do not stall the partition.
    pub(super) group_deadline: Option<Instant>,
}

/// A batch that is being written.
pub(super) struct InFlightBatch {
    pub(super) commands: Vec<DecidedCommand>,
    /// What the ledger takes in once the batch is committed. Until then the next batch is decided on top of it.
    pub(super) changes: LedgerChanges,
    /// Number of records it writes.
    records: usize,
    /// When its first command was decided.
    pub(super) begun: Instant,
    /// When it was handed to the log.
    pub(super) launched: Instant,
}

impl NextBatch {
    /// Decides one more command. It gets no outcome if the groups it depends on are not read before the deadline.
    pub(super) fn decide(
        &mut self,
        taken: TakenCommand,
        base: DecisionBase<'_>,
        groups: &Groups,
        runtime: &Handle,
    ) {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        let until = self.group_deadline.unwrap_or(begun);
        let command = &taken.queued.command;
        let outcome = groups.wait_for(command, until, runtime).then(|| {
            let now = Timestamp::from(OffsetDateTime::now_utc());
            self.draft.decide(base, command, groups.of(command), now)
        });
        self.commands.push(DecidedCommand { taken, outcome });
    }

    /// Number of commands decided.
    pub(super) fn len(&self) -> usize {
        self.commands.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Closes the batch and begins another one. Returns the batch and the records it writes.
    pub(super) fn take(&mut self) -> (InFlightBatch, Vec<(Stream, Record)>) {
        let Self { commands, draft, begun, .. } = std::mem::take(self);
        let (records, changes) = draft.finish();
        let begun = begun.unwrap_or_else(Instant::now);
        let batch =
            InFlightBatch { commands, changes, records: records.len(), begun, launched: Instant::now() };
        (batch, records)
    }

    /// Discards every decision and begins another batch. Returns the commands, to be decided again.
    pub(super) fn take_commands(&mut self) -> impl DoubleEndedIterator<Item = TakenCommand> + use<> {
        std::mem::take(self).commands.into_iter().map(|decided| decided.taken)
    }
}

impl InFlightBatch {
    /// The commands, each with the first event the batch tried to write for it. Whether that was committed is unknown.
    pub(super) fn into_doubtful(self) -> impl Iterator<Item = TakenCommand> {
        self.commands.into_iter().map(|DecidedCommand { mut taken, outcome }| {
            if let Some(CommandOutcome::Written { first_event, .. }) = outcome {
                taken.first_event = first_event.or(taken.first_event);
            }
            taken
        })
    }

    /// Fingerprints of the first events the batch writes, one for each command with events.
    pub(super) fn first_events(&self) -> HashSet<EventFingerprint> {
        let written = self.commands.iter().filter_map(|decided| match decided.outcome {
            Some(CommandOutcome::Written { first_event, .. }) => first_event,
            _ => None,
        });
        written.map(EventFingerprint::from).collect()
    }

    /// Records the batch's size and duration as metrics.
    pub(super) fn record_metrics(&self) {
        if self.records > 0 {
            metrics::histogram!("muster_batch_commands").record(count(self.commands.len()));
            metrics::histogram!("muster_batch_records").record(count(self.records));
            metrics::histogram!("muster_batch_duration_seconds").record(self.begun.elapsed().as_secs_f64());
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "batches are far smaller than 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}
