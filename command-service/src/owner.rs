//! One partition, on a thread of its own: take over, then queue, decide, append, answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::aggregate::Limits;
use domain::command::{Answer, Command, Failure};
use domain::position::{Place, Position, Stream};
use domain::timestamp::Timestamp;
use event_log::{AppendError, Batch, ClaimError, EventLog, Writer};
use time::OffsetDateTime;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use crate::groups::Groups;
use crate::ledger::{Ledger, Outcome};

/// For how long an owner waits for a group that the gateway has seen already.
const GROUP_WAIT: Duration = Duration::from_secs(2);
/// Pause between two tries to take over, growing up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const UNREADABLE_PAUSE: Duration = Duration::from_mins(5);

/// How often a batch that was aborted for certain is tried before its callers are told.
const TRIES: u32 = 3;

/// A command that waits, and the way back.
pub(crate) struct Job {
    pub(crate) command: Command,
    pub(crate) reply: oneshot::Sender<Result<Answer, Failure>>,
    pub(crate) ticket: Ticket,
}

/// Settles whether a waiting command was taken by its owner or given up by its caller: whoever comes first.
#[derive(Clone, Default)]
pub(crate) struct Ticket(Arc<AtomicBool>);

impl Ticket {
    /// True for the one who comes first.
    pub(crate) fn draw(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// What an owner needs.
pub(crate) struct Owner {
    pub(crate) partition: u32,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) groups: Groups,
    pub(crate) url: String,
    pub(crate) limits: Limits,
    pub(crate) batch: usize,
    pub(crate) runtime: Handle,
    /// Whether commands may be handed in.
    pub(crate) serving: Arc<AtomicBool>,
    /// Closed when the service stops; what waits in it is still answered.
    pub(crate) jobs: mpsc::Receiver<Job>,
    /// Set when the service stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// A job of a batch whose commit is in doubt, with the first event that was written for it.
struct InDoubt {
    job: Job,
    first_event: Option<Uuid>,
}

/// Why serving ended.
enum Ended {
    /// The queue was closed: the service stops.
    Stopped,
    /// The log alone knows what became of these.
    Lost(Vec<InDoubt>),
}

impl Owner {
    /// Owns the partition until the queue is closed. A fenced owner takes over again.
    pub(crate) fn run(mut self) {
        let _closes = Closes(self.serving.clone());
        let mut in_doubt = Vec::new();
        let mut pause = FIRST_PAUSE;
        loop {
            match self.take_over() {
                Ok((ledger, writer)) => {
                    pause = FIRST_PAUSE;
                    let ended =
                        Serving { owner: &mut self, ledger, writer }.run(std::mem::take(&mut in_doubt));
                    self.serving.store(false, Ordering::Release);
                    match ended {
                        Ended::Stopped => return,
                        Ended::Lost(jobs) => in_doubt = jobs,
                    }
                }
                Err(error) => {
                    tracing::warn!(kafka.partition = self.partition, %error, "the partition can't be taken over yet");
                    if self.is_stopping() {
                        return fail_all(in_doubt);
                    }
                    in_doubt.retain(|waiting| !waiting.job.reply.is_closed());
                    if matches!(error, ClaimError::Unreadable { .. }) {
                        // Every try leaves a claim record in the log, and only an operator can mend this.
                        tracing::error!(kafka.partition = self.partition, %error, "the partition stays without an owner");
                        pause = UNREADABLE_PAUSE;
                    }
                    self.pause(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE.max(pause));
                }
            }
        }
    }

    fn take_over(&self) -> Result<(Ledger, Box<dyn Writer>), ClaimError> {
        let begun = Instant::now();
        let mut ledger = Ledger::default();
        let mut writer = self.log.claim(self.partition, &mut |recorded| ledger.replay(recorded))?;
        // Whoever hears the announcement finds the door open.
        self.serving.store(true, Ordering::Release);
        if let Err(error) = writer.announce(&self.url) {
            self.serving.store(false, Ordering::Release);
            return Err(match error {
                AppendError::Fenced => ClaimError::Fenced,
                other => ClaimError::Unavailable(other.to_string()),
            });
        }
        // An answer to a repeated command covers the credentials too, which a claim does not replay.
        if let Ok(ends) = self.runtime.block_on(self.log.ends()) {
            let own = Place::new(Stream::Credentials, self.partition);
            let written = ends.into_iter().filter(|(place, next)| *place == own && *next > 0);
            written.for_each(|(place, next)| ledger.confirmed(&Position::at(place, next - 1)));
        }
        tracing::info!(
            kafka.partition = self.partition,
            users = ledger.users(),
            duration_ms = millis(begun),
            "partition taken over"
        );
        metrics::histogram!("muster_takeover_duration_seconds").record(begun.elapsed().as_secs_f64());
        Ok((ledger, writer))
    }

    /// Waits, but not longer than the service lives.
    fn pause(&mut self, pause: Duration) {
        let stopped = self.stopping.wait_for(|stopping| *stopping);
        let _ = self.runtime.block_on(async { tokio::time::timeout(pause, stopped).await });
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}

/// An owner that has taken over.
struct Serving<'a> {
    owner: &'a mut Owner,
    ledger: Ledger,
    writer: Box<dyn Writer>,
}

impl Serving<'_> {
    /// Batch after batch. What was in doubt comes first: it is in the log, or is decided anew.
    fn run(mut self, in_doubt: Vec<InDoubt>) -> Ended {
        let mut waiting = in_doubt;
        loop {
            if waiting.is_empty() {
                let Some(job) = self.owner.jobs.blocking_recv() else { return Ended::Stopped };
                waiting.extend(taken(job));
            }
            while waiting.len() < self.owner.batch
                && let Ok(job) = self.owner.jobs.try_recv()
            {
                waiting.extend(taken(job));
            }
            if let Err(lost) = self.batch(std::mem::take(&mut waiting)) {
                return Ended::Lost(lost);
            }
        }
    }

    /// Decides and writes one batch; an aborted one is done again.
    fn batch(&mut self, mut jobs: Vec<InDoubt>) -> Result<(), Vec<InDoubt>> {
        let mut tries = 0;
        loop {
            tries += 1;
            let begun = Instant::now();
            // Nobody waits for these any more, and nothing was written for them.
            jobs.retain(|waiting| waiting.first_event.is_some() || !waiting.job.reply.is_closed());
            if jobs.iter().any(|waiting| self.ledger.is_behind(&waiting.job.command.seen)) {
                // Somebody else wrote here, or a batch was aborted: only a commit of our own tells which.
                match self.writer.reclaim() {
                    Ok(position) => self.ledger.confirmed(&position),
                    Err(error) => {
                        tracing::info!(kafka.partition = self.owner.partition, %error, "callers have seen more than was read here");
                        return Err(jobs);
                    }
                }
            }
            let mut draft = self.ledger.draft(self.owner.limits);
            let now = Timestamp::from(OffsetDateTime::now_utc());
            // One wait for the whole batch, so that a log of groups that lags does not stall the partition.
            let until = begun + GROUP_WAIT;
            let mut outcomes = Vec::with_capacity(jobs.len());
            for waiting in &jobs {
                outcomes.push(self.owner.decide(&mut draft, &waiting.job.command, now, until));
            }
            let (records, changes) = draft.finish();
            let (events, written) = (records.len(), !records.is_empty());
            let result = if written { self.writer.append(Batch { records }) } else { self.writer.confirm() };
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
                    return Err(jobs);
                }
            }
        }
    }

    /// Tells the caller. `None` is a command that could not be decided or written.
    fn answer(&self, waiting: InDoubt, outcome: Option<Outcome>, begun: Instant) {
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
                accepted(version, waiting.first_event != Some(first_event))
            }
        };
        let command = &waiting.job.command;
        let outcome = match &reply {
            Ok(Answer::Accepted { repeated: false, .. }) => "accepted",
            Ok(Answer::Accepted { .. }) => "repeated",
            Ok(Answer::Refused(_)) => "refused",
            Ok(Answer::Forbidden) => "forbidden",
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
    /// `None` when the group that the command names was not read in time.
    fn decide(
        &self,
        draft: &mut crate::ledger::Draft<'_>,
        command: &Command,
        now: Timestamp,
        until: Instant,
    ) -> Option<Outcome> {
        let group = match &command.ask {
            domain::command::Ask::User { command: asked, .. } => asked.group(),
            domain::command::Ask::Group { .. } => None,
        };
        let known = match group {
            None => None,
            Some(id) => {
                if !self.groups.wait(&command.seen, until, &self.runtime) {
                    return None;
                }
                self.groups.find(id)
            }
        };
        Some(draft.decide(command, known, now))
    }
}

/// Nobody hands anything to an owner that has ended, whatever ended it.
struct Closes(Arc<AtomicBool>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
        if std::thread::panicking() {
            tracing::error!(
                "an owner ended by a panic; its partition has none until the process is started again"
            );
        }
    }
}

/// The job, unless its caller has given up.
fn taken(job: Job) -> Option<InDoubt> {
    job.ticket.draw().then_some(InDoubt { job, first_event: None })
}

/// The service ends before the log could say what became of these.
fn fail_all(jobs: Vec<InDoubt>) {
    for waiting in jobs {
        let _ = waiting.job.reply.send(Err(Failure::UnknownOutcome));
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "batches are far smaller than 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}
