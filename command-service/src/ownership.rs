//! Which partitions are ours: an owner for each that this process is given, replaced when it died or hangs. When a partition
//! is taken away its owner serves on until the next one has claimed it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use event_log::{Assignment, Membership, Owners};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval, timeout};

use crate::call_watchdog::CallWatchdog;
use crate::door::{Door, Lane};
use crate::owner::{Common, Owner, Term};

/// How often it is looked whether owners live and get on.
const LOOK: Duration = Duration::from_millis(500);
/// How long owners that are told to end may take for what they hold. Afterwards they are left to themselves: whatever one
/// still writes meets the fence of the next owner.
const ENDING: Duration = Duration::from_secs(4);
/// How long leaving the group may take; the group notices by itself that a member is gone.
const LEAVE: Duration = Duration::from_secs(2);
/// How long whoever has left serves on at most until others have claimed what it had.
const SUCCESSION: Duration = Duration::from_secs(8);

/// The owners of this process.
pub(crate) struct Ownership {
    common: Arc<Common>,
    door: Door,
    /// Longest silence of an owner inside one call of the log.
    patience: Duration,
    given: BTreeSet<u32>,
    /// Owners that serve or are about to.
    running: BTreeMap<u32, Running>,
    /// Threads of owners that were told to end.
    ending: Vec<(u32, JoinHandle<()>)>,
}

/// An owner and the ways to influence it.
struct Running {
    thread: JoinHandle<()>,
    term: watch::Sender<Term>,
    /// That of its last claim; 0 before it has made one.
    epoch: Arc<AtomicU64>,
    watchdog: CallWatchdog,
}

impl Ownership {
    pub(crate) fn new(common: Arc<Common>, door: Door, patience: Duration) -> Self {
        Self { common, door, patience, given: BTreeSet::new(), running: BTreeMap::new(), ending: Vec::new() }
    }

    /// Owns what this process is given until it is told to stop; then hands everything over.
    ///
    /// Nothing in here waits for an owner: the group gives a partition away a few seconds after it has said so, heard or not.
    pub(crate) async fn run(mut self, mut membership: Membership, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut look = interval(LOOK);
        let mut owners = self.common.log.owners();
        loop {
            tokio::select! {
                () = &mut stop => break,
                change = membership.next() => match change {
                    Some(Assignment::Given(partitions)) => self.take(partitions),
                    Some(Assignment::Taken(partitions, handover)) => {
                        self.yield_up(&partitions);
                        drop(handover);
                        // Whoever was away for long hears in any order what became of the partition meanwhile.
                        self.end_the_succeeded(&owners.borrow_and_update());
                    }
                    // The log was closed: nothing can be owned any more.
                    None => break,
                },
                Ok(()) = owners.changed() => self.end_the_succeeded(&owners.borrow_and_update()),
                _ = look.tick() => {
                    self.give_up_the_lost();
                    self.begin_missing();
                }
            }
        }
        self.hand_over(membership, owners).await;
    }

    /// Leaves, and serves on until others have claimed what this process had or nobody is there who could.
    async fn hand_over(&mut self, mut membership: Membership, mut owners: watch::Receiver<Owners>) {
        // First, so that nobody is given anything that its owner still takes for its own.
        self.yield_up(&self.given.iter().copied().collect::<Vec<_>>());
        membership.leave();
        let left = async { while membership.next().await.is_some() {} };
        if timeout(LEAVE, left).await.is_err() {
            tracing::warn!("the group of command services was not left in time");
        }
        let claimed = async {
            loop {
                self.end_the_succeeded(&owners.borrow_and_update());
                if self.running.is_empty() {
                    break;
                }
                tokio::select! {
                    Ok(()) = owners.changed() => {}
                    () = membership.all_left() => break,
                }
            }
        };
        if timeout(SUCCESSION, claimed).await.is_err() {
            tracing::warn!("others have not claimed in time what this process had");
        }
        self.end(self.running.keys().copied().collect());
        let ending = std::mem::take(&mut self.ending);
        let ended = spawn_blocking(move || ending.into_iter().for_each(join));
        if timeout(ENDING, ended).await.is_err() {
            tracing::warn!("an owner does not end; it is left to itself");
        }
    }

    /// Begins an owner for each of these.
    fn take(&mut self, partitions: Vec<u32>) {
        // Somebody else may have claimed a partition since it was yielded: only another claim makes it certain again.
        let yielded =
            |partition: &u32| self.running.contains_key(partition) && !self.given.contains(partition);
        self.end(partitions.iter().copied().filter(yielded).collect());
        self.given.extend(partitions);
        self.begin_missing();
        self.door.joined();
    }

    /// Tells the owners of these that others may claim them from now on.
    fn yield_up(&mut self, partitions: &[u32]) {
        for partition in partitions {
            self.given.remove(partition);
            self.door.yield_up(*partition);
            if let Some(running) = self.running.get(partition) {
                running.term.send_replace(Term::Yielded);
            }
        }
    }

    /// Ends the owners of what somebody else serves.
    fn end_the_succeeded(&mut self, owners: &Owners) {
        let is_succeeded = |partition: &u32, running: &Running| {
            let epoch = running.epoch.load(Ordering::Acquire);
            owners.get(partition).is_some_and(|owner| owner.epoch > epoch)
        };
        let yielded = self.running.iter().filter(|(partition, _)| !self.given.contains(partition));
        let succeeded = yielded.filter(|(partition, running)| is_succeeded(partition, running));
        self.end(succeeded.map(|(partition, _)| *partition).collect());
    }

    /// Begins an owner for every partition that is ours and has none.
    fn begin_missing(&mut self) {
        let missing: Vec<_> =
            self.given.iter().copied().filter(|partition| !self.running.contains_key(partition)).collect();
        for partition in missing {
            let (lane, queue, serving) = Lane::new(self.common.queue);
            let (term, of_owner) = watch::channel(Term::Given);
            let (epoch, watchdog) = (Arc::<AtomicU64>::default(), CallWatchdog::default());
            let owner = Owner {
                partition,
                common: self.common.clone(),
                serving,
                queue,
                term: of_owner,
                epoch: epoch.clone(),
                watchdog: watchdog.clone(),
            };
            match std::thread::Builder::new().name(format!("owner-{partition}")).spawn(move || owner.run()) {
                Ok(thread) => {
                    self.door.open(partition, lane);
                    self.running.insert(partition, Running { thread, term, epoch, watchdog });
                }
                // The next look tries again.
                Err(error) => {
                    tracing::error!(kafka.partition = partition, %error, "an owner can't be started");
                }
            }
        }
    }

    /// Tells owners to end.
    fn end(&mut self, partitions: Vec<u32>) {
        let now = Instant::now();
        for partition in partitions {
            self.given.remove(&partition);
            self.door.shut(partition);
            if let Some(running) = self.running.remove(&partition) {
                running.term.send_replace(Term::Over(now));
                self.ending.push((partition, running.thread));
            }
        }
    }

    /// Lets go of owners that ended by themselves, or that the log's client holds for ever. Whatever such a one still
    /// does meets the claim of the one that takes its place.
    fn give_up_the_lost(&mut self) {
        let patience = self.patience;
        self.running.retain(|partition, running| {
            let is_given = self.given.contains(partition);
            let reason = match running {
                Running { thread, .. } if thread.is_finished() => "ended",
                Running { watchdog, .. } if watchdog.silent_for() > patience => "hangs",
                Running { .. } => return true,
            };
            running.term.send_replace(Term::Over(Instant::now()));
            if is_given {
                tracing::error!(kafka.partition = partition, reason, "an owner is lost and replaced");
                metrics::counter!("muster_owners_replaced_total", "reason" => reason).increment(1);
            } else {
                tracing::info!(
                    kafka.partition = partition,
                    reason,
                    "an owner is gone before its partition is served elsewhere"
                );
                self.door.shut(*partition);
            }
            false
        });
        self.ending.extract_if(.., |(_, thread)| thread.is_finished()).for_each(join);
    }
}

/// Waits for an owner's thread.
fn join((partition, thread): (u32, JoinHandle<()>)) {
    if thread.join().is_err() {
        tracing::error!(kafka.partition = partition, "an owner ended by a panic");
    }
}
