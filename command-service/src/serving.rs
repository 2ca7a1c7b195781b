//! An owner that has taken over: decide, append, answer; while one batch is being written, the next is decided on top of it.

use std::collections::VecDeque;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use domain::command::{Ask, Command};
use event_log::{AppendError, Record, Writer};
use log_model::{Position, Stream};
use tokio::sync::mpsc::error::TryRecvError;

use crate::appender::{AppendRequest, Appender, FinishedAppend, OwnershipProof, PendingAppend};
use crate::batch::{InFlightBatch, NextBatch};
use crate::batch_draft::DecisionBase;
use crate::ledger::Ledger;
use crate::outcome::Outcome;
use crate::owner::{Common, FIRST_PAUSE, Owner};
use crate::queued_command::{QueuedCommand, TakenCommand};

/// For how long an owner waits for a group that the gateway has seen already.
const GROUP_WAIT: Duration = Duration::from_secs(2);
/// How often a batch that was aborted for certain is tried before its callers are told.
const TRIES: u32 = 3;
/// For how long an owner that is to end goes on with what waits. The rest goes back to its callers.
const LAST_WORDS: Duration = Duration::from_millis(300);
const AT_HOME: &str = "the writer is here while nothing is in flight";
/// How often an owner looks at what has come while a batch is written, as often as that took the last time. Whoever hands in
/// a command would have to wake it otherwise, for each one.
const LOOKS: u32 = 4;
const SHORTEST_LOOK: Duration = Duration::from_micros(200);
const LONGEST_LOOK: Duration = Duration::from_millis(2);
/// A batch that is in flight for longer meets a log that does not get on.
const LONG: Duration = Duration::from_secs(3);

/// Why serving ended.
pub(crate) enum Ended {
    /// The owner was to end, and has answered what it held.
    Stopped,
    /// Somebody else claimed the partition; the log alone knows what became of these.
    Fenced(Vec<TakenCommand>),
    /// A commit came to no answer; the log alone knows what became of these.
    Lost(Vec<TakenCommand>),
}

/// An owner that has taken over.
pub(crate) struct Serving<'a> {
    owner: &'a mut Owner,
    ledger: Ledger,
    appender: Appender,
    /// Away with the batch in flight.
    writer: Option<Box<dyn Writer>>,
    /// A smaller batch is appended where it was decided.
    ahead_from: usize,
    /// From when on an append begins at once.
    ready_at: Instant,
    in_flight: Option<(InFlightBatch, PendingAppend)>,
    /// How long it is left alone.
    look: Duration,
    next: NextBatch,
    /// What is to be decided before anything that waits in the queue. While something is in it, the queue is left alone.
    first: VecDeque<TakenCommand>,
    /// Whether nobody hands in anything any more.
    closed: bool,
    /// How many batches in a row were aborted.
    aborted_in_a_row: u32,
}

impl<'a> Serving<'a> {
    pub(crate) fn new(
        owner: &'a mut Owner,
        ledger: Ledger,
        writer: Box<dyn Writer>,
        appender: Appender,
    ) -> Self {
        Self {
            owner,
            ledger,
            appender,
            ahead_from: writer.ahead_from(),
            writer: Some(writer),
            ready_at: Instant::now(),
            in_flight: None,
            look: SHORTEST_LOOK,
            next: NextBatch::default(),
            first: VecDeque::new(),
            closed: false,
            aborted_in_a_row: 0,
        }
    }

    /// Batch after batch. What was in doubt comes first: it is in the log, or is decided anew.
    pub(crate) fn run(mut self, in_doubt: Vec<TakenCommand>) -> Ended {
        self.first.extend(in_doubt);
        let served = self.serve();
        self.not_written().into_iter().for_each(TakenCommand::give_back);
        served.err().unwrap_or(Ended::Stopped)
    }

    fn serve(&mut self) -> Result<(), Ended> {
        loop {
            if self.is_overdue() {
                if self.in_flight.is_none() {
                    return Ok(());
                }
            } else {
                self.decide_what_waits()?;
                self.launch()?;
                if self.is_idle() && !self.first.is_empty() {
                    continue;
                }
                if self.is_idle() && self.closed {
                    return Ok(());
                }
            }
            self.wait()?;
        }
    }

    fn is_overdue(&self) -> bool {
        self.owner.is_overdue(LAST_WORDS)
    }

    /// Whether nothing is decided that isn't committed.
    fn is_idle(&self) -> bool {
        self.in_flight.is_none() && self.next.decided.is_empty()
    }

    /// Takes more into the next batch, until it is full, or something has to wait for what was decided before it.
    fn decide_what_waits(&mut self) -> Result<(), Ended> {
        while self.has_room()
            && let Some(taken) = self.take()
        {
            let command = &taken.queued.command;
            let asks_log = !taken.reclaimed_since_taken && self.must_reclaim(command);
            let asks_groups =
                self.next.group_deadline.is_none() && !self.owner.common.groups.suffice(command);
            if (asks_log || asks_groups) && !self.is_idle() {
                self.first.push_front(taken);
                break;
            }
            if asks_log {
                self.first.push_front(taken);
                self.reclaim()?;
                continue;
            }
            if asks_groups {
                self.next.group_deadline = Some(Instant::now() + GROUP_WAIT);
            }
            self.decide(taken);
        }
        Ok(())
    }

    /// Whether the next batch may grow. While the log does not get on, commands stay in the queue: a caller whose patience
    /// ends hears that nothing was done, where one that was taken hears that nobody knows.
    fn has_room(&self) -> bool {
        let gets_on = self.in_flight.as_ref().is_none_or(|(batch, _)| batch.launched.elapsed() < LONG);
        gets_on && self.next.decided.len() < self.owner.common.batch
    }

    /// What comes next, if it is there already and somebody waits for it.
    fn take(&mut self) -> Option<TakenCommand> {
        loop {
            let taken = match self.first.pop_front() {
                None => TakenCommand::of(self.queued()?),
                first => first,
            };
            if let Some(taken) = taken
                && !taken.is_given_up()
            {
                return Some(taken);
            }
        }
    }

    fn queued(&mut self) -> Option<QueuedCommand> {
        let queued = self.owner.queue.try_recv();
        self.closed |= matches!(queued, Err(TryRecvError::Disconnected));
        queued.ok()
    }

    /// Whether only a commit of our own tells if the command can be answered here.
    fn must_reclaim(&self, command: &Command) -> bool {
        match command.ask {
            // Whoever claims the partition after this commit learns of the groups up to here before it serves.
            Ask::Barrier { .. } => true,
            // Somebody else wrote here, or a batch was aborted.
            Ask::User { .. }
            | Ask::Group { .. }
            | Ask::ReserveAddress { .. }
            | Ask::ReleaseAddress { .. } => self.ledger.is_behind(&command.seen),
        }
    }

    /// Commits a claim of our own, once for everything that waits until now.
    fn reclaim(&mut self) -> Result<(), Ended> {
        while self.first.len() < self.owner.common.batch
            && let Some(queued) = self.queued()
        {
            self.first.extend(TakenCommand::of(queued));
        }
        let writer = self.writer.as_mut().expect(AT_HOME);
        match self.owner.watchdog.during(|| writer.reclaim()) {
            Ok(position) => {
                self.ledger.confirmed(&position);
                self.first.iter_mut().for_each(|taken| taken.reclaimed_since_taken = true);
                Ok(())
            }
            Err(error) => {
                tracing::info!(kafka.partition = self.owner.partition, %error, "whether this is still the owner is not certain");
                Err(ended(&error, self.not_written()))
            }
        }
    }

    fn decide(&mut self, taken: TakenCommand) {
        let Common { limits, groups, runtime, .. } = &*self.owner.common;
        let in_flight = self.in_flight.as_ref().map(|(batch, _)| &batch.changes);
        self.next.decide(
            taken,
            DecisionBase { ledger: &self.ledger, in_flight, limits: *limits },
            groups,
            runtime,
        );
    }

    /// Hands the next batch to the log, if it may be.
    fn launch(&mut self) -> Result<(), Ended> {
        if !self.may_launch() {
            return Ok(());
        }
        if self.next.decided.len() >= self.ahead_from {
            self.send_off();
            return Ok(());
        }
        let (batch, records) = self.next.take();
        let request = self.request(records);
        let appended = self.appender.append(request);
        self.landed(batch, Some(appended))
    }

    /// Has the next batch written while the one after it is decided.
    fn send_off(&mut self) {
        let (batch, records) = self.next.take();
        let request = self.request(records);
        let answered = self.appender.begin(request);
        self.in_flight = Some((batch, answered));
    }

    /// The order to append what has been decided. A partition that is given now was so when that was decided.
    fn request(&mut self, records: Vec<(Stream, Record)>) -> AppendRequest {
        let proof = if self.owner.is_given() { OwnershipProof::Lease } else { OwnershipProof::NewClaim };
        AppendRequest { writer: self.writer.take().expect(AT_HOME), records, proof }
    }

    /// Whether nothing else is being written and there is a batch, which has to be full while the log isn't ready.
    fn may_launch(&self) -> bool {
        let is_full = !self.first.is_empty() || self.next.decided.len() >= self.owner.common.batch;
        let is_ready = is_full || self.ready_at <= Instant::now();
        self.in_flight.is_none() && !self.next.decided.is_empty() && is_ready
    }

    /// Waits for the batch in flight, though not without a look at what has come meanwhile; or for the log to be ready; or
    /// for a command.
    fn wait(&mut self) -> Result<(), Ended> {
        let takes_more = self.has_room() && self.first.is_empty() && !self.closed;
        if let Some((batch, answered)) = self.in_flight.take() {
            let answer = if takes_more {
                answered.recv_timeout(self.look)
            } else {
                answered.recv().map_err(RecvTimeoutError::from)
            };
            match answer {
                Err(RecvTimeoutError::Timeout) => self.in_flight = Some((batch, answered)),
                answer => {
                    self.look = (batch.launched.elapsed() / LOOKS).clamp(SHORTEST_LOOK, LONGEST_LOOK);
                    self.landed(batch, answer.ok())?;
                }
            }
        } else if self.next.decided.is_empty() {
            match self.owner.queue.blocking_recv() {
                Some(queued) => self.first.extend(TakenCommand::of(queued)),
                None => self.closed = true,
            }
        } else {
            thread::sleep(self.ready_at.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }

    /// Takes in what became of a batch. It is none when the thread that appends has ended.
    fn landed(&mut self, mut batch: InFlightBatch, appended: Option<FinishedAppend>) -> Result<(), Ended> {
        let result = match appended {
            Some(FinishedAppend { writer, result }) => {
                self.ready_at = Instant::now() + writer.ready_in();
                self.writer = Some(writer);
                result
            }
            None => Err(AppendError::Unknown("the thread that appends has ended".to_owned())),
        };
        match result {
            Ok(position) => self.committed(batch, &position),
            Err(AppendError::Aborted(reason)) => self.aborted(batch, &reason),
            Err(error @ (AppendError::Fenced | AppendError::Unknown(_))) => {
                if self.owner.is_given() {
                    tracing::warn!(kafka.partition = self.owner.partition, %error, "the log decides; taking over again");
                } else {
                    tracing::info!(kafka.partition = self.owner.partition, %error, "somebody else has taken over");
                }
                for (taken, outcome) in &mut batch.decided {
                    if let Some(Outcome::Written { first_event, .. }) = outcome {
                        taken.first_event = first_event.or(taken.first_event);
                    }
                }
                let mut queue: Vec<_> = batch.decided.into_iter().map(|(taken, _)| taken).collect();
                queue.extend(self.not_written());
                return Err(ended(&error, queue));
            }
        }
        Ok(())
    }

    fn committed(&mut self, batch: InFlightBatch, position: &Position) {
        self.aborted_in_a_row = 0;
        batch.measure();
        self.ledger.commit(batch.changes, position);
        let keeps = self.wants_snapshot();
        // The log has something to do while answers are given.
        if !keeps && self.next.decided.len() >= self.ahead_from && self.may_launch() && !self.is_overdue() {
            self.send_off();
        }
        for (taken, outcome) in batch.decided {
            self.answer(taken, outcome, batch.begun);
        }
        if keeps {
            self.save_snapshot();
        }
    }

    /// Has a batch done again, and with it what was decided on top of it; or gives it up.
    fn aborted(&mut self, batch: InFlightBatch, reason: &str) {
        self.aborted_in_a_row += 1;
        tracing::warn!(kafka.partition = self.owner.partition, reason, "batch aborted; it is done again");
        self.first = self.not_written().into();
        if self.aborted_in_a_row < TRIES && !self.owner.is_over() {
            self.owner.pause(FIRST_PAUSE);
            for (taken, _) in batch.decided.into_iter().rev() {
                self.first.push_front(taken);
            }
            return;
        }
        self.aborted_in_a_row = 0;
        let undone = batch.first_events();
        for (taken, outcome) in batch.decided {
            // What was done by an earlier batch holds all the same.
            let holds = |outcome: &Outcome| matches!(outcome, Outcome::Repeated { first_event, .. } if !undone.contains(first_event));
            self.answer(taken, outcome.filter(holds), batch.begun);
        }
    }

    fn answer(&self, taken: TakenCommand, outcome: Option<Outcome>, begun: Instant) {
        taken.answer(outcome, self.ledger.committed(), self.owner.partition, begun);
    }

    /// Everything that was taken and never handed to the log, in its order.
    fn not_written(&mut self) -> Vec<TakenCommand> {
        let decided = std::mem::take(&mut self.next).decided.into_iter().map(|(taken, _)| taken);
        decided.chain(self.first.drain(..)).collect()
    }

    /// Whether the next owner would have much to read.
    fn wants_snapshot(&self) -> bool {
        let every = self.owner.common.snapshot_every.filter(|_| self.owner.is_given());
        every.is_some_and(|every| self.ledger.wants_snapshot(every))
    }

    /// Has a snapshot kept, while nothing is in flight. One that can't be kept now is after a later batch.
    fn save_snapshot(&mut self) {
        let (ledger, begun) = (&self.ledger, Instant::now());
        let writer = self.writer.as_mut().expect(AT_HOME);
        if writer.save_snapshot(&mut || ledger.snapshot()).is_some() {
            // Commands wait meanwhile.
            metrics::histogram!("muster_snapshot_pause_seconds").record(begun.elapsed().as_secs_f64());
            self.ledger.snapshot_saved();
        }
    }
}

/// The next owner reads the log either way; a fenced one first finds out whether the partition is still its own.
fn ended(error: &AppendError, queue: Vec<TakenCommand>) -> Ended {
    match error {
        AppendError::Fenced => Ended::Fenced(queue),
        AppendError::Aborted(_) | AppendError::Unknown(_) => Ended::Lost(queue),
    }
}
