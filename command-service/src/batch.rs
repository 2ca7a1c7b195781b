//! The batch that is being decided, and the one that is being written.

use std::collections::HashSet;
use std::time::Instant;

use domain::timestamp::Timestamp;
use event_log::Record;
use log_model::Stream;
use time::OffsetDateTime;
use tokio::runtime::Handle;

use crate::batch_draft::{BatchDraft, DecisionBase};
use crate::dedup::EventFingerprint;
use crate::groups::Groups;
use crate::ledger::LedgerChanges;
use crate::outcome::Outcome;
use crate::queued_command::TakenCommand;

/// Commands with what they came to. `None` is one that could not be decided or written.
pub(crate) type Decided = Vec<(TakenCommand, Option<Outcome>)>;

/// A batch that is being written.
pub(crate) struct InFlightBatch {
    pub(crate) decided: Decided,
    pub(crate) changes: LedgerChanges,
    /// How many records it writes.
    records: usize,
    /// When the first of it was decided.
    pub(crate) begun: Instant,
    pub(crate) launched: Instant,
}

/// A batch that is being decided.
#[derive(Default)]
pub(crate) struct NextBatch {
    pub(crate) decided: Decided,
    draft: BatchDraft,
    /// When the first of it was decided.
    begun: Option<Instant>,
    /// Until when it waits for groups: one wait for the whole batch, so that a log of groups that lags does not stall the
    /// partition.
    pub(crate) group_deadline: Option<Instant>,
}

impl NextBatch {
    /// Decides one more command. It comes to nothing when the groups that it is decided by were not read in time.
    pub(crate) fn decide(
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
        self.decided.push((taken, outcome));
    }

    /// The batch, and what it writes. Another one begins.
    pub(crate) fn take(&mut self) -> (InFlightBatch, Vec<(Stream, Record)>) {
        let Self { decided, draft, begun, .. } = std::mem::take(self);
        let (records, changes) = draft.finish();
        let begun = begun.unwrap_or_else(Instant::now);
        let batch =
            InFlightBatch { decided, changes, records: records.len(), begun, launched: Instant::now() };
        (batch, records)
    }
}

impl InFlightBatch {
    /// Marks of the first events that it writes for its commands.
    pub(crate) fn first_events(&self) -> HashSet<EventFingerprint> {
        let written = self.decided.iter().filter_map(|(_, outcome)| match outcome {
            Some(Outcome::Written { first_event, .. }) => *first_event,
            _ => None,
        });
        written.map(EventFingerprint::from).collect()
    }

    /// Records how large it was and how long it took.
    pub(crate) fn measure(&self) {
        if self.records > 0 {
            metrics::histogram!("muster_batch_commands").record(count(self.decided.len()));
            metrics::histogram!("muster_batch_records").record(count(self.records));
            metrics::histogram!("muster_batch_duration_seconds").record(self.begun.elapsed().as_secs_f64());
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "batches are far smaller than 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}
