//! Serves a partition that was taken over: decides queued commands in batches, has them written, and answers.
//!
//! # The pipeline
//!
//! At most two batches exist at any time (docs/adr/0001-one-writer-per-partition.md):
//!
//! ```text
//! queue ─▶ inbox ─▶ next batch ──launch──▶ batch in flight ──land──▶ ledger and answers
//!                   being decided          being written             committed
//! ```
//!
//! The *next batch* grows while the *batch in flight* is being written. Each of its commands is decided on three layers:
//! the ledger, then the changes of the batch in flight, then the changes of the commands before it in its own batch. No
//! caller hears of a decision before it is committed.
//!
//! Deciding and writing overlap only for a batch of at least `Writer::pipelining_threshold` commands: 8 on SQLite, 256
//! on Kafka. A smaller one is appended on this thread, and nothing is decided meanwhile.
//!
//! A batch lands in one of three ways:
//!
//! - *Committed*: its changes go into the ledger and its callers get their answers.
//! - *Aborted*: the log has certainly written nothing. The batch and everything decided on top of it are decided again.
//!   After three aborts in a row (`MAX_ABORTS`) its callers are told instead.
//! - *Fenced or unknown*: this owner can't tell what was written, only the log can. Serving ends with the commands *in
//!   doubt*: those of the batch, and those taken after them that were never handed to the log. The owner takes over
//!   again, and then finds each command in the log or decides it anew.
//!
//! # Claims and the lease
//!
//! A *claim* makes this owner the only writer of the partition: it fences every earlier writer and commits a claim record.
//! After each commit the owner may rely for the length of a *lease* (4.5 s) on nobody else having claimed the partition.
//! A batch with records proves the ownership by its commit. A batch without records relies on the lease, or commits a new
//! claim record if the lease is over or the partition is no longer assigned to this process. SQLite knows no other
//! processes, so there neither lease nor further claim records are needed.
//!
//! # Commands that have to wait
//!
//! Some commands are decided only while nothing is uncommitted. Until then they are set aside and the queue is not read,
//! so nothing overtakes them.
//!
//! - *Barriers, and commands whose callers have seen more than this owner has committed*, need a new claim to be committed
//!   first (`reclaim.rs`). Another process may have taken the partition over.
//! - *Commands about groups that are not read yet* wait for the groups, and this thread waits with them. The first one
//!   sets a deadline for its whole batch (`GROUPS_TIMEOUT`). Commands that join the batch afterwards share the deadline
//!   and need no check of their own: nothing is in flight any more that their wait could hold up.
//!
//! # The end
//!
//! An owner that must end goes on for 300 ms (`ENDING_GRACE`) and then gives its remaining commands back. To the caller
//! that means `NotOwner`: this owner did nothing, ask the next one. If an earlier append of the command may stand in the
//! log, it means `UnknownOutcome`.
//!
//! # The three waits
//!
//! The thread blocks in `Serving::wait`, for one reason at a time:
//!
//! - *A batch is in flight*: until it lands, or until it is time to decide more commands into the next batch.
//! - *The log is not ready and the next batch is not full*: until the log is ready, which is known in advance.
//! - *There is nothing to do*: until a command arrives, or the queue is closed because the owner must end.
//!
//! Elsewhere it blocks only in calls of the log (a small append, a reclaim), while a decision waits for groups (bounded
//! for each batch), and for a moment after an abort.

mod batch;
mod inbox;
mod landing;
mod pipeline;
mod reclaim;
mod snapshots;

use std::time::{Duration, Instant};

use event_log::AppendError;
use tokio::sync::mpsc;

use self::batch::NextBatch;
use self::inbox::Inbox;
use self::pipeline::Pipeline;
use crate::appender::OwnershipProof;
use crate::decision_base::DecisionBase;
use crate::ledger::Ledger;
use crate::queued_command::{QueuedCommand, TakenCommand};
use crate::takeover::OwnedPartition;
use crate::tenure::{SharedContext, Tenure};

/// Longest wait of a batch for groups that its callers have seen already.
const GROUPS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an owner that must end goes on with commands that wait. Later ones are given back to their callers.
const ENDING_GRACE: Duration = Duration::from_millis(300);

/// Why serving ended.
pub(crate) enum ServingEnd {
    /// The owner had to end, and has answered or given back every command it had taken.
    Finished,
    /// Another process claimed the partition, or may have. These commands are in doubt, as in the description of this
    /// module.
    Fenced(Vec<TakenCommand>),
    /// The outcome of an append is unknown, or a reclaim failed. These commands are in doubt.
    OutcomeUnknown(Vec<TakenCommand>),
}

/// An owner that serves.
pub(crate) struct Serving<'a> {
    tenure: &'a mut Tenure,
    /// Everything committed, and nothing else.
    ledger: Ledger,
    /// Commands not decided yet.
    inbox: Inbox<'a>,
    /// The batch being decided. None of it has been handed to the log.
    next: NextBatch,
    /// The batch in flight. While there is none, the writer is in here.
    pipeline: Pipeline,
    /// Batches aborted since the last commit, or since callers were last told of an abort.
    aborted_in_a_row: u32,
}

impl<'a> Serving<'a> {
    pub(crate) fn new(
        tenure: &'a mut Tenure,
        queue: &'a mut mpsc::Receiver<QueuedCommand>,
        owned: OwnedPartition,
        in_doubt: Vec<TakenCommand>,
    ) -> Self {
        let OwnedPartition { ledger, writer, appender } = owned;
        Self {
            tenure,
            ledger,
            inbox: Inbox::new(queue, in_doubt),
            next: NextBatch::default(),
            pipeline: Pipeline::new(appender, writer),
            aborted_in_a_row: 0,
        }
    }

    /// Serves batch after batch until the owner must end or the log takes the partition from it.
    pub(crate) fn run(mut self) -> ServingEnd {
        let served = self.serve();
        self.take_unwritten().into_iter().for_each(TakenCommand::give_back);
        served.err().unwrap_or(ServingEnd::Finished)
    }

    fn serve(&mut self) -> Result<(), ServingEnd> {
        loop {
            if self.is_overdue() {
                if self.pipeline.in_flight().is_none() {
                    return Ok(());
                }
            } else {
                self.decide_waiting()?;
                self.write_next()?;
                if self.is_all_committed() && self.inbox.has_set_aside() {
                    continue;
                }
                if self.is_all_committed() && self.inbox.is_closed() {
                    return Ok(());
                }
            }
            self.wait()?;
        }
    }

    /// Whether the owner had to end so long ago that commands are given back instead of decided.
    fn is_overdue(&self) -> bool {
        self.tenure.is_overdue(ENDING_GRACE)
    }

    /// Whether everything that was decided is committed.
    fn is_all_committed(&self) -> bool {
        self.pipeline.in_flight().is_none() && self.next.is_empty()
    }

    /// Decides commands into the next batch until it has no room, none is left, or one has to wait.
    fn decide_waiting(&mut self) -> Result<(), ServingEnd> {
        while self.has_room()
            && let Some(taken) = self.inbox.take()
        {
            let command = &taken.queued.command;
            let needs_reclaim = !taken.reclaimed_since_taken && self.needs_reclaim(command);
            let needs_groups =
                self.next.group_deadline.is_none() && !self.tenure.shared.groups.suffice(command);
            if (needs_reclaim || needs_groups) && !self.is_all_committed() {
                self.inbox.put_back(taken);
                break;
            }
            if needs_reclaim {
                self.inbox.put_back(taken);
                self.reclaim()?;
                continue;
            }
            // A batch that has this deadline already waits for groups within it: see the description of this module.
            if needs_groups {
                self.next.group_deadline = Some(Instant::now() + GROUPS_TIMEOUT);
            }
            self.decide(taken);
        }
        Ok(())
    }

    /// Whether the next batch may grow. Commands stay in the queue while the log makes no progress: if the deadline of a
    /// queued command passes, its caller knows that nothing was done. For a command already taken nobody would know.
    fn has_room(&self) -> bool {
        !self.pipeline.is_stalled() && self.next.len() < self.tenure.shared.max_batch
    }

    fn decide(&mut self, taken: TakenCommand) {
        let SharedContext { limits, groups, runtime, .. } = &*self.tenure.shared;
        let in_flight = self.pipeline.in_flight().map(|batch| &batch.changes);
        let base = DecisionBase { ledger: &self.ledger, in_flight, limits: *limits };
        self.next.decide(taken, base, groups, runtime);
    }

    /// Has the next batch written, if it may be.
    fn write_next(&mut self) -> Result<(), ServingEnd> {
        if !self.may_write() {
            return Ok(());
        }
        let proof = self.ownership_proof();
        if self.pipeline.overlaps(self.next.len()) {
            self.pipeline.launch(&mut self.next, proof);
            return Ok(());
        }
        let landed = self.pipeline.append(&mut self.next, proof);
        self.land(landed)
    }

    /// Whether there is a next batch and nothing else is being written. The batch has to be full unless the log is ready.
    fn may_write(&self) -> bool {
        // It can't grow while commands are set aside.
        let is_full = self.inbox.has_set_aside() || self.next.len() >= self.tenure.shared.max_batch;
        self.is_writable() && (is_full || self.pipeline.is_ready())
    }

    fn is_writable(&self) -> bool {
        self.pipeline.in_flight().is_none() && !self.next.is_empty()
    }

    /// How to prove the ownership if the batch has no records, and so no commit of its own. The lease is enough while the
    /// partition is assigned. Assignment only ever ends, so it also held when the batch was decided.
    fn ownership_proof(&self) -> OwnershipProof {
        if self.tenure.is_assigned() { OwnershipProof::Lease } else { OwnershipProof::NewClaim }
    }

    /// Blocks for one of the three reasons in the description of this module.
    fn wait(&mut self) -> Result<(), ServingEnd> {
        if self.pipeline.in_flight().is_some() {
            let takes_more = self.has_room() && !self.inbox.has_set_aside() && !self.inbox.is_closed();
            if let Some(landed) = self.pipeline.wait(takes_more) {
                self.land(landed)?;
            }
        } else if self.next.is_empty() {
            self.inbox.wait();
        } else {
            self.pipeline.wait_until_ready();
        }
        Ok(())
    }

    /// Removes every command that was taken and never handed to the log, in the order in which they were taken.
    fn take_unwritten(&mut self) -> Vec<TakenCommand> {
        self.next.take_commands().chain(self.inbox.drain_set_aside()).collect()
    }
}

impl ServingEnd {
    /// An owner that was fenced waits before it claims again, because it may be about to learn that the partition is no
    /// longer its own. Otherwise it claims at once. `Aborted` is a failed reclaim: an aborted batch does not end serving.
    fn after(error: &AppendError, in_doubt: Vec<TakenCommand>) -> Self {
        match error {
            AppendError::Fenced => Self::Fenced(in_doubt),
            AppendError::Aborted(_) | AppendError::Unknown(_) => Self::OutcomeUnknown(in_doubt),
        }
    }
}
