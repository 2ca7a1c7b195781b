//! Keeps an owner running for each partition assigned to this process, and replaces one that died or hangs.
//!
//! If a partition is taken away, its owner serves on until another process has claimed it
//! (docs/adr/0009-sharing-partitions.md).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use event_log::{Assignment, Membership, Owners};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval, timeout};

use crate::command_queues::{CommandQueues, PartitionQueue};
use crate::owner::Owner;
use crate::tenure::{SharedContext, Signals, Tenure, TenureState};

/// How often owners are checked for being alive and making progress.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// How long owners that must end may take to finish. Afterwards they are left alone: anything they still write meets the
/// fence of the next owner.
const ENDING_TIMEOUT: Duration = Duration::from_secs(4);
/// How long leaving the group may take. Without a farewell the group finds out by itself that a member is gone.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);
/// After leaving the group, how long this process serves on until others have claimed its partitions.
const SUCCESSION_TIMEOUT: Duration = Duration::from_secs(8);

/// The owners of this process.
pub(crate) struct Ownership {
    shared: Arc<SharedContext>,
    queues: CommandQueues,
    /// Longest time an owner may be inside one call of the log without progress.
    patience: Duration,
    /// Partitions assigned to this process.
    assigned: BTreeSet<u32>,
    /// Owners that serve or are about to.
    running: BTreeMap<u32, RunningOwner>,
    /// Threads of owners that were told to end, with their partitions.
    ending: Vec<(u32, JoinHandle<()>)>,
}

/// An owner's thread and the ways to influence and observe it.
struct RunningOwner {
    thread: JoinHandle<()>,
    state: watch::Sender<TenureState>,
    signals: Signals,
}

impl Ownership {
    pub(crate) fn new(shared: Arc<SharedContext>, queues: CommandQueues, patience: Duration) -> Self {
        Self {
            shared,
            queues,
            patience,
            assigned: BTreeSet::new(),
            running: BTreeMap::new(),
            ending: Vec::new(),
        }
    }

    /// Owns the assigned partitions until `stop` is ready, then hands everything over.
    ///
    /// Nothing in here waits for an owner, because the group doesn't wait either. It reassigns a partition a few seconds
    /// after its notice, whether or not this process has read the notice.
    pub(crate) async fn run(mut self, mut membership: Membership, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut check = interval(CHECK_INTERVAL);
        let mut owners = self.shared.log.owners();
        loop {
            tokio::select! {
                () = &mut stop => break,
                change = membership.next() => match change {
                    Some(Assignment::Given(partitions)) => self.assign(partitions),
                    Some(Assignment::Taken(partitions, handover)) => {
                        self.yield_up(&partitions);
                        drop(handover);
                        // After a long pause this process may hear of the next owner before it hears that it lost the
                        // partition.
                        self.end_superseded(&owners.borrow_and_update());
                    }
                    // The log was closed, so nothing can be owned any more.
                    None => break,
                },
                Ok(()) = owners.changed() => self.end_superseded(&owners.borrow_and_update()),
                _ = check.tick() => {
                    self.drop_lost();
                    self.start_missing();
                }
            }
        }
        self.hand_over(membership, owners).await;
    }

    /// Leaves the group, and serves on until others have claimed the partitions, or until no other member is left.
    async fn hand_over(&mut self, mut membership: Membership, mut owners: watch::Receiver<Owners>) {
        // Yield before leaving: afterwards others may be assigned what an owner here still trusts to be its own.
        self.yield_up(&self.assigned.iter().copied().collect::<Vec<_>>());
        membership.leave();
        let left = async { while membership.next().await.is_some() {} };
        if timeout(LEAVE_TIMEOUT, left).await.is_err() {
            tracing::warn!("the group of command services was not left in time");
        }
        let claimed = async {
            loop {
                self.end_superseded(&owners.borrow_and_update());
                if self.running.is_empty() {
                    break;
                }
                tokio::select! {
                    Ok(()) = owners.changed() => {}
                    () = membership.all_left() => break,
                }
            }
        };
        if timeout(SUCCESSION_TIMEOUT, claimed).await.is_err() {
            tracing::warn!("others have not claimed in time what this process had");
        }
        self.end(self.running.keys().copied().collect());
        let ending = std::mem::take(&mut self.ending);
        let ended = spawn_blocking(move || ending.into_iter().for_each(join));
        if timeout(ENDING_TIMEOUT, ended).await.is_err() {
            tracing::warn!("an owner does not end; it is left to itself");
        }
    }

    /// Starts an owner for each of these partitions.
    fn assign(&mut self, partitions: Vec<u32>) {
        // Another process may have claimed a partition since it was yielded. Only a new claim settles that.
        let yielded =
            |partition: &u32| self.running.contains_key(partition) && !self.assigned.contains(partition);
        self.end(partitions.iter().copied().filter(yielded).collect());
        self.assigned.extend(partitions);
        self.start_missing();
        self.queues.set_joined();
    }

    /// Tells the owners of these partitions that others may claim them from now on.
    fn yield_up(&mut self, partitions: &[u32]) {
        for partition in partitions {
            self.assigned.remove(partition);
            self.queues.yield_up(*partition);
            if let Some(running) = self.running.get(partition) {
                running.state.send_replace(TenureState::Yielded);
            }
        }
    }

    /// Ends the owners of yielded partitions that a newer owner serves.
    fn end_superseded(&mut self, owners: &Owners) {
        let is_superseded = |partition: &u32, running: &RunningOwner| {
            let epoch = running.signals.epoch.load(Ordering::Acquire);
            owners.get(partition).is_some_and(|owner| owner.epoch > epoch)
        };
        let yielded = self.running.iter().filter(|(partition, _)| !self.assigned.contains(partition));
        let superseded = yielded.filter(|(partition, running)| is_superseded(partition, running));
        self.end(superseded.map(|(partition, _)| *partition).collect());
    }

    /// Starts an owner for every assigned partition that has none.
    fn start_missing(&mut self) {
        let missing: Vec<_> =
            self.assigned.iter().copied().filter(|partition| !self.running.contains_key(partition)).collect();
        for partition in missing {
            let signals = Signals::default();
            let (partition_queue, queue) =
                PartitionQueue::new(self.shared.queue_capacity, signals.accepting.clone());
            let (state, of_owner) = watch::channel(TenureState::Assigned);
            let tenure = Tenure::new(partition, self.shared.clone(), of_owner, signals.clone());
            let owner = Owner { tenure, queue };
            match std::thread::Builder::new().name(format!("owner-{partition}")).spawn(move || owner.run()) {
                Ok(thread) => {
                    self.queues.open(partition, partition_queue);
                    self.running.insert(partition, RunningOwner { thread, state, signals });
                }
                // The next check tries again.
                Err(error) => {
                    tracing::error!(kafka.partition = partition, %error, "an owner can't be started");
                }
            }
        }
    }

    /// Tells the owners of these partitions to end.
    fn end(&mut self, partitions: Vec<u32>) {
        let now = Instant::now();
        for partition in partitions {
            self.assigned.remove(&partition);
            self.queues.close(partition);
            if let Some(running) = self.running.remove(&partition) {
                running.state.send_replace(TenureState::Ended(now));
                self.ending.push((partition, running.thread));
            }
        }
    }

    /// Drops owners that ended by themselves or hang inside a call of the log. Whatever a hanging owner still writes
    /// meets the fence of its replacement.
    fn drop_lost(&mut self) {
        let patience = self.patience;
        self.running.retain(|partition, running| {
            let is_assigned = self.assigned.contains(partition);
            let reason = match running {
                RunningOwner { thread, .. } if thread.is_finished() => "ended",
                RunningOwner { signals, .. } if signals.watchdog.silent_for() > patience => "hangs",
                RunningOwner { .. } => return true,
            };
            running.state.send_replace(TenureState::Ended(Instant::now()));
            if is_assigned {
                tracing::error!(kafka.partition = partition, reason, "an owner is lost and replaced");
                metrics::counter!("muster_owners_replaced_total", "reason" => reason).increment(1);
            } else {
                tracing::info!(
                    kafka.partition = partition,
                    reason,
                    "an owner is gone before its partition is served elsewhere"
                );
                self.queues.close(*partition);
            }
            false
        });
        self.ending.extract_if(.., |(_, thread)| thread.is_finished()).for_each(join);
    }
}

/// Waits for an owner's thread to end.
fn join((partition, thread): (u32, JoinHandle<()>)) {
    if thread.join().is_err() {
        tracing::error!(kafka.partition = partition, "an owner ended by a panic");
    }
}
