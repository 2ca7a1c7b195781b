//! An owner that has taken over: batch after batch, decide, append, answer.

use std::time::{Duration, Instant};

use domain::command::{Answer, Ask, Command, Failure};
use domain::timestamp::Timestamp;
use event_log::{AppendError, Batch, Writer};
use time::OffsetDateTime;

use crate::draft::{Draft, Outcome};
use crate::job::Taken;
use crate::ledger::Ledger;
use crate::owner::{FIRST_PAUSE, Owner, millis};
use crate::remembered::Mark;

/// For how long an owner waits for a group that the gateway has seen already.
const GROUP_WAIT: Duration = Duration::from_secs(2);
/// How often a batch that was aborted for certain is tried before its callers are told.
const TRIES: u32 = 3;
/// For how long an owner that is to end goes on with what waits. The rest goes back to its callers.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Why serving ended.
pub(crate) enum Ended {
    /// The owner is to end, and has answered what it held.
    Stopped,
    /// Somebody else claimed the partition; the log alone knows what became of these.
    Fenced(Vec<Taken>),
    /// A commit came to no answer; the log alone knows what became of these.
    Lost(Vec<Taken>),
}

/// An owner that has taken over.
pub(crate) struct Serving<'a> {
    owner: &'a mut Owner,
    ledger: Ledger,
    writer: Box<dyn Writer>,
}

impl<'a> Serving<'a> {
    pub(crate) fn new(owner: &'a mut Owner, ledger: Ledger, writer: Box<dyn Writer>) -> Self {
        Self { owner, ledger, writer }
    }

    /// Batch after batch. What was in doubt comes first: it is in the log, or is decided anew.
    pub(crate) fn run(mut self, in_doubt: Vec<Taken>) -> Ended {
        let mut waiting = in_doubt;
        while !self.owner.is_overdue(LAST_WORDS) {
            if waiting.is_empty() {
                let Some(job) = self.owner.jobs.blocking_recv() else { break };
                waiting.extend(Taken::of(job));
            }
            while waiting.len() < self.owner.common.batch
                && let Ok(job) = self.owner.jobs.try_recv()
            {
                waiting.extend(Taken::of(job));
            }
            if let Err(ended) = self.batch(std::mem::take(&mut waiting)) {
                return ended;
            }
            self.keep_snapshot();
        }
        waiting.into_iter().for_each(Taken::give_back);
        Ended::Stopped
    }

    /// Decides and writes one batch; an aborted one is done again.
    fn batch(&mut self, mut jobs: Vec<Taken>) -> Result<(), Ended> {
        let mut tries = 0;
        loop {
            tries += 1;
            let begun = Instant::now();
            jobs.retain(|waiting| !waiting.is_given_up());
            if jobs.iter().any(|waiting| self.must_reclaim(&waiting.job.command)) {
                match self.owner.pulse.during(|| self.writer.reclaim()) {
                    Ok(position) => self.ledger.confirmed(&position),
                    Err(error) => {
                        tracing::info!(kafka.partition = self.owner.partition, %error, "whether this is still the owner is not certain");
                        return Err(ended(&error, jobs));
                    }
                }
            }
            let mut draft = self.ledger.draft(self.owner.common.limits);
            let now = Timestamp::from(OffsetDateTime::now_utc());
            // One wait for the whole batch, so that a log of groups that lags does not stall the partition.
            let until = begun + GROUP_WAIT;
            let mut outcomes = Vec::with_capacity(jobs.len());
            for waiting in &jobs {
                outcomes.push(self.owner.decide(&mut draft, &waiting.job.command, now, until));
            }
            let (records, changes) = draft.finish();
            let (events, written) = (records.len(), !records.is_empty());
            let result = self.owner.pulse.during(|| {
                if written { self.writer.append(Batch { records }) } else { self.writer.confirm() }
            });
            match result {
                Ok(position) => {
                    if written {
                        metrics::histogram!("muster_batch_commands").record(count(jobs.len()));
                        metrics::histogram!("muster_batch_records").record(count(events));
                        metrics::histogram!("muster_batch_duration_seconds")
                            .record(begun.elapsed().as_secs_f64());
                    }
                    self.ledger.commit(changes, &position);
                    for (waiting, outcome) in jobs.into_iter().zip(outcomes) {
                        self.answer(waiting, outcome, begun);
                    }
                    return Ok(());
                }
                Err(AppendError::Aborted(reason)) => {
                    tracing::warn!(
                        kafka.partition = self.owner.partition,
                        reason,
                        "batch aborted; it is done again"
                    );
                    if tries == TRIES || self.owner.is_stopping() {
                        for (waiting, outcome) in jobs.into_iter().zip(outcomes) {
                            // What needed no writing holds all the same.
                            let holds = matches!(outcome, Some(Outcome::Repeated { .. }));
                            self.answer(waiting, outcome.filter(|_| holds), begun);
                        }
                        return Ok(());
                    }
                    self.owner.pause(FIRST_PAUSE);
                }
                Err(error @ (AppendError::Fenced | AppendError::Unknown(_))) => {
                    tracing::warn!(kafka.partition = self.owner.partition, %error, "the log decides; taking over again");
                    for (waiting, outcome) in jobs.iter_mut().zip(outcomes) {
                        if let Some(Outcome::Written { first_event, .. }) = outcome {
                            waiting.first_event = first_event.or(waiting.first_event);
                        }
                    }
                    return Err(ended(&error, jobs));
                }
            }
        }
    }

    /// Has a snapshot kept when the next owner would have much to read. One that can't be kept now is after a later batch.
    fn keep_snapshot(&mut self) {
        let is_due = self.owner.common.snapshot_every.is_some_and(|every| self.ledger.wants_snapshot(every));
        if !is_due {
            return;
        }
        let (ledger, begun) = (&self.ledger, Instant::now());
        if self.writer.keep(&mut || ledger.image()).is_some() {
            // Commands wait meanwhile.
            metrics::histogram!("muster_snapshot_pause_seconds").record(begun.elapsed().as_secs_f64());
            self.ledger.kept();
        }
    }

    /// Whether only a commit of our own tells if the command can be answered here.
    fn must_reclaim(&self, command: &Command) -> bool {
        match command.ask {
            // Whoever claims the partition after this commit learns of the groups up to here before it serves.
            Ask::Barrier { .. } => true,
            // Somebody else wrote here, or a batch was aborted.
            Ask::User { .. } | Ask::Group { .. } | Ask::Claim { .. } | Ask::LetGo { .. } => {
                self.ledger.is_behind(&command.seen)
            }
        }
    }

    /// Tells the caller. `None` is a command that could not be decided or written.
    fn answer(&self, waiting: Taken, outcome: Option<Outcome>, begun: Instant) {
        let accepted = |version, repeated| {
            let position = self.ledger.committed().clone();
            Ok(Answer::Accepted { version, position, repeated })
        };
        let reply = match outcome {
            // An earlier try may have been written, and was not looked up.
            None if waiting.first_event.is_some() => Err(Failure::UnknownOutcome),
            None => Err(Failure::Unavailable { retry_after_ms: 1_000 }),
            Some(Outcome::Answered(answer)) => Ok(answer),
            Some(Outcome::Written { version, .. }) => accepted(version, false),
            // Found in the log with the event that this very request wrote: its first answer, only late.
            Some(Outcome::Repeated { version, first_event }) => {
                accepted(version, waiting.first_event.map(Mark::from) != Some(first_event))
            }
        };
        let command = &waiting.job.command;
        let outcome = match &reply {
            Ok(Answer::Accepted { repeated: false, .. }) => "accepted",
            Ok(Answer::Accepted { .. }) => "repeated",
            Ok(Answer::Refused(_)) => "refused",
            Ok(Answer::Forbidden) => "forbidden",
            Ok(Answer::OfAddress(_)) => "address",
            Err(_) => "failed",
        };
        metrics::counter!("muster_commands_total", "command" => command.ask.name(), "outcome" => outcome)
            .increment(1);
        tracing::info!(
            command.name = command.ask.name(),
            command.id = command.id,
            correlation_id = command.correlation_id,
            subject = command.ask.subject(),
            kafka.partition = self.owner.partition,
            outcome,
            duration_ms = millis(begun),
            "command decided"
        );
        // A caller that went away asks again under the same id.
        let _ = waiting.job.reply.send(reply);
    }
}

impl Owner {
    /// `None` when the groups that the command is decided by were not read in time.
    fn decide(
        &self,
        draft: &mut Draft<'_>,
        command: &Command,
        now: Timestamp,
        until: Instant,
    ) -> Option<Outcome> {
        let group = match &command.ask {
            Ask::User { command: asked, .. } => asked.group(),
            Ask::Group { .. } | Ask::Barrier { .. } | Ask::Claim { .. } | Ask::LetGo { .. } => None,
        };
        let is_by_groups = group.is_some() || matches!(command.ask, Ask::Barrier { .. });
        if is_by_groups && !self.common.groups.wait(&command.seen, until, &self.common.runtime) {
            return None;
        }
        let known = group.and_then(|id| self.common.groups.find(id));
        Some(draft.decide(command, known, now))
    }
}

/// The next owner reads the log either way; a fenced one first finds out whether the partition is still its own.
fn ended(error: &AppendError, jobs: Vec<Taken>) -> Ended {
    match error {
        AppendError::Fenced => Ended::Fenced(jobs),
        AppendError::Aborted(_) | AppendError::Unknown(_) => Ended::Lost(jobs),
    }
}

#[expect(clippy::cast_precision_loss, reason = "batches are far smaller than 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}
