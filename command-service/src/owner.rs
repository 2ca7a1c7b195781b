//! One partition, on a thread of its own: take over, serve, and take over again when the log alone knows what happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::decision_context::Limits;
use event_log::{AppendError, ClaimError, EventLog, Recorded, Replay, Writer};
use log_model::{Position, Stream, StreamPartition};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use crate::appender::Appender;
use crate::call_watchdog::CallWatchdog;
use crate::groups::Groups;
use crate::ledger::Ledger;
use crate::queued_command::{QueuedCommand, TakenCommand};
use crate::serving::{Ended, Serving};

/// Pause between two tries to take over, growing up to [`LONGEST_PAUSE`].
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const UNREADABLE_PAUSE: Duration = Duration::from_mins(5);
/// How long a fenced owner waits before it takes over again: longer than it takes to hear that the partition has been
/// given to somebody else, whom another claim would only disturb.
const REGROUP: Duration = Duration::from_secs(1);
/// How long a new owner waits at most until it has read the groups, and how often it looks meanwhile whether it is wanted.
const CATCH_UP: Duration = Duration::from_secs(30);
const LOOK_UP: Duration = Duration::from_millis(500);
/// How many records are replayed between two signs of life.
const BEAT: usize = 1_024;

/// What all owners of a process share.
pub(crate) struct Common {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) groups: Groups,
    pub(crate) url: String,
    pub(crate) limits: Limits,
    /// Most commands of one transaction.
    pub(crate) batch: usize,
    /// Commands that may wait for one owner.
    pub(crate) queue: usize,
    /// User events after which a snapshot is kept; none is kept or begun with where there is no number.
    pub(crate) snapshot_every: Option<usize>,
    pub(crate) runtime: Handle,
}

/// The owner of one partition.
pub(crate) struct Owner {
    pub(crate) partition: u32,
    pub(crate) common: Arc<Common>,
    /// Whether commands may be handed in.
    pub(crate) serving: Arc<AtomicBool>,
    /// Closed when the owner is to end; what waits in it is still answered.
    pub(crate) queue: mpsc::Receiver<QueuedCommand>,
    pub(crate) term: watch::Receiver<Term>,
    /// That of its last claim; 0 before it has made one.
    pub(crate) epoch: Arc<AtomicU64>,
    pub(crate) watchdog: CallWatchdog,
}

/// For how long an owner is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Term {
    /// The partition is this process's.
    Given,
    /// It goes to somebody else, who may claim it at any moment. Until then nobody would serve it but this owner, which
    /// does not claim it again.
    Yielded,
    /// The owner is to end, since then.
    Over(tokio::time::Instant),
}

impl Owner {
    /// Owns the partition until it is told to end, or somebody else claims what was yielded. An owner that is fenced in
    /// its own partition takes over again.
    pub(crate) fn run(mut self) {
        let _closes = Closes(self.serving.clone());
        let mut in_doubt = Vec::new();
        let mut pause = FIRST_PAUSE;
        while self.is_given() {
            match self.take_over() {
                Ok((ledger, writer, appender)) => {
                    pause = FIRST_PAUSE;
                    let ended =
                        Serving::new(&mut self, ledger, writer, appender).run(std::mem::take(&mut in_doubt));
                    self.serving.store(false, Ordering::Release);
                    match ended {
                        Ended::Stopped => break,
                        Ended::Fenced(queue) => {
                            in_doubt = queue;
                            self.pause(REGROUP);
                        }
                        Ended::Lost(queue) => in_doubt = queue,
                    }
                }
                Err(_) if !self.is_given() => break,
                Err(error) => {
                    tracing::warn!(kafka.partition = self.partition, %error, "the partition can't be taken over yet");
                    in_doubt.retain(|taken: &TakenCommand| !taken.is_given_up());
                    match error {
                        // Somebody else claims as well: one of the two is about to hear that the partition isn't its.
                        ClaimError::Fenced => pause = pause.max(REGROUP),
                        // Every try reads everything, and only an operator can mend this.
                        ClaimError::Unreadable { .. } => {
                            tracing::error!(kafka.partition = self.partition, %error, "the partition stays without an owner");
                            pause = UNREADABLE_PAUSE;
                        }
                        ClaimError::Unavailable(_) => {}
                    }
                    self.pause(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE.max(pause));
                }
            }
        }
        in_doubt.into_iter().for_each(TakenCommand::give_back);
        self.queue.close();
        while let Ok(queued) = self.queue.try_recv() {
            TakenCommand::of(queued).into_iter().for_each(TakenCommand::give_back);
        }
    }

    fn take_over(&self) -> Result<(Ledger, Box<dyn Writer>, Appender), ClaimError> {
        let begun = Instant::now();
        let appender = Appender::start(self.partition, self.watchdog.clone())
            .map_err(|error| ClaimError::Unavailable(error.to_string()))?;
        let ledger = Ledger::of(self.partition, self.common.log.partitions());
        let mut replaying = Replaying { owner: self, ledger, restored: 0, replayed: 0 };
        let mut writer = self.watchdog.during(|| self.common.log.claim(self.partition, &mut replaying))?;
        if !self.is_given() {
            return Err(ClaimError::Fenced);
        }
        let Replaying { mut ledger, restored, replayed, .. } = replaying;
        ledger.replayed();
        let ends = self.watchdog.during(|| self.common.runtime.block_on(self.common.log.ends()));
        let ends = ends.map_err(|error| ClaimError::Unavailable(error.to_string()))?;
        let mut end = Position::new();
        ends.into_iter().filter(|(_, next)| *next > 0).for_each(|(place, next)| end.cover(place, next - 1));
        // An earlier owner may have promised, before this claim, to let nobody into a group any more.
        if !self.knows_groups(&end) {
            return Err(ClaimError::Unavailable("the groups are not read to their end yet".to_owned()));
        }
        // An answer to a repeated command covers the credentials too, which a claim does not replay.
        let credentials = StreamPartition::new(Stream::Credentials, self.partition);
        if let Some(last) = end.covered(credentials) {
            ledger.confirmed(&Position::at(credentials, last));
        }
        // Whoever hears the announcement finds the door open.
        self.serving.store(true, Ordering::Release);
        self.epoch.store(writer.epoch(), Ordering::Release);
        if let Err(error) = self.watchdog.during(|| writer.announce(&self.common.url)) {
            self.serving.store(false, Ordering::Release);
            return Err(match error {
                AppendError::Fenced => ClaimError::Fenced,
                other => ClaimError::Unavailable(other.to_string()),
            });
        }
        tracing::info!(
            kafka.partition = self.partition,
            users = ledger.users(),
            restored,
            replayed,
            duration_ms = millis(begun),
            "partition taken over"
        );
        metrics::histogram!("muster_takeover_duration_seconds").record(begun.elapsed().as_secs_f64());
        Ok((ledger, writer, appender))
    }

    /// Waits until the groups are read up to there. The claim is kept meanwhile: another one would only disturb others.
    fn knows_groups(&self, end: &Position) -> bool {
        let until = Instant::now() + CATCH_UP;
        loop {
            let step = until.min(Instant::now() + LOOK_UP);
            if self.common.groups.wait(end, step, &self.common.runtime) {
                return true;
            }
            if !self.is_given() || Instant::now() >= until {
                return false;
            }
        }
    }

    /// Waits, but not longer than the partition is given.
    pub(crate) fn pause(&mut self, pause: Duration) {
        let taken = self.term.wait_for(|term| *term != Term::Given);
        let _ = self.common.runtime.block_on(async { tokio::time::timeout(pause, taken).await });
    }

    /// Whether nobody else may claim the partition.
    pub(crate) fn is_given(&self) -> bool {
        *self.term.borrow() == Term::Given
    }

    /// Whether it was told to end.
    pub(crate) fn is_over(&self) -> bool {
        matches!(*self.term.borrow(), Term::Over(_))
    }

    /// Whether it was told to end so long ago that what still waits goes back to its callers.
    pub(crate) fn is_overdue(&self, patience: Duration) -> bool {
        matches!(*self.term.borrow(), Term::Over(since) if since.elapsed() > patience)
    }
}

/// A ledger while it takes in what a claim finds.
struct Replaying<'a> {
    owner: &'a Owner,
    ledger: Ledger,
    /// Users that a snapshot knew.
    restored: usize,
    /// Records that were replayed.
    replayed: usize,
}

impl Replay for Replaying<'_> {
    fn restore(&mut self, parts: &[Vec<u8>]) -> Result<(), String> {
        if self.owner.common.snapshot_every.is_none() {
            return Err("snapshots are switched off".to_owned());
        }
        self.ledger.restore(parts)?;
        self.restored = self.ledger.users();
        Ok(())
    }

    fn replay(&mut self, recorded: &Recorded) -> Result<(), String> {
        self.replayed += 1;
        if self.replayed.is_multiple_of(BEAT) {
            self.beat()?;
        }
        self.ledger.replay(recorded)
    }

    fn beat(&mut self) -> Result<(), String> {
        self.owner.watchdog.report_progress();
        if self.owner.is_given() { Ok(()) } else { Err("the partition was taken away".to_owned()) }
    }
}

/// Nobody hands anything to an owner that has ended, whatever ended it.
struct Closes(Arc<AtomicBool>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

pub(crate) fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
