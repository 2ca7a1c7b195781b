//! Which partitions are ours: an owner for each that this process is given, ended when it is taken, replaced when it died or hangs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use event_log::{Assignment, Membership};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval, timeout};

use crate::door::{Door, Lane};
use crate::owner::{Common, Owner};
use crate::pulse::Pulse;

/// How often it is looked whether owners live and get on.
const LOOK: Duration = Duration::from_millis(500);
/// How long an owner that is told to end may take for what it holds. Afterwards it is left to itself: whatever it
/// still writes meets the fence of the next owner.
const HANDOVER: Duration = Duration::from_secs(4);
/// How long leaving the group may take; the group notices by itself that a member is gone.
const LEAVE: Duration = Duration::from_secs(2);

/// The owners of this process.
pub(crate) struct Ownership {
    common: Arc<Common>,
    door: Door,
    /// Longest silence of an owner inside one call of the log.
    patience: Duration,
    given: BTreeSet<u32>,
    running: BTreeMap<u32, Running>,
}

/// An owner and the ways to influence it.
struct Running {
    thread: JoinHandle<()>,
    /// Since when it is to end.
    stopping: watch::Sender<Option<Instant>>,
    pulse: Pulse,
}

impl Ownership {
    pub(crate) fn new(common: Arc<Common>, door: Door, patience: Duration) -> Self {
        Self { common, door, patience, given: BTreeSet::new(), running: BTreeMap::new() }
    }

    /// Owns what this process is given until it is told to stop; then hands everything over.
    pub(crate) async fn run(mut self, mut membership: Membership, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut look = interval(LOOK);
        loop {
            tokio::select! {
                () = &mut stop => break,
                change = membership.next() => match change {
                    Some(Assignment::Given(partitions)) => {
                        self.given.extend(partitions);
                        self.begin_missing();
                        self.door.joined();
                    }
                    Some(Assignment::Taken(partitions, handover)) => {
                        self.end(partitions).await;
                        drop(handover);
                    }
                    // The log was closed: nothing can be owned any more.
                    None => break,
                },
                _ = look.tick() => {
                    self.give_up_the_lost();
                    self.begin_missing();
                }
            }
        }
        // First, so that the group gives nothing to others that is still being written.
        self.end(self.given.iter().copied().collect()).await;
        membership.leave();
        let left = async { while membership.next().await.is_some() {} };
        if timeout(LEAVE, left).await.is_err() {
            tracing::warn!("the group of command services was not left in time");
        }
    }

    /// Begins an owner for every partition that is ours and has none.
    fn begin_missing(&mut self) {
        let missing: Vec<_> =
            self.given.iter().copied().filter(|partition| !self.running.contains_key(partition)).collect();
        for partition in missing {
            let (lane, jobs, serving) = Lane::new(self.common.queue);
            let (stopping, stopped) = watch::channel(None);
            let pulse = Pulse::default();
            let owner = Owner::new(partition, self.common.clone(), serving, jobs, stopped, pulse.clone());
            match std::thread::Builder::new().name(format!("owner-{partition}")).spawn(move || owner.run()) {
                Ok(thread) => {
                    self.door.open(partition, lane);
                    self.running.insert(partition, Running { thread, stopping, pulse });
                }
                // The next look tries again.
                Err(error) => {
                    tracing::error!(kafka.partition = partition, %error, "an owner can't be started");
                }
            }
        }
    }

    /// Ends owners and waits for them, but not for ever.
    async fn end(&mut self, partitions: Vec<u32>) {
        let now = Instant::now();
        let mut threads = Vec::new();
        for partition in partitions {
            self.given.remove(&partition);
            self.door.shut(partition);
            if let Some(running) = self.running.remove(&partition) {
                running.stopping.send_replace(Some(now));
                threads.push((partition, running.thread));
            }
        }
        let joined = spawn_blocking(move || {
            for (partition, thread) in threads {
                if thread.join().is_err() {
                    tracing::error!(kafka.partition = partition, "an owner ended by a panic");
                }
            }
        });
        if timeout(HANDOVER, joined).await.is_err() {
            tracing::warn!("an owner does not end; it is left to itself");
        }
    }

    /// Lets go of owners that ended by themselves, or that the log's client holds for ever. Whatever such a one still
    /// does meets the claim of the one that takes its place.
    fn give_up_the_lost(&mut self) {
        let patience = self.patience;
        self.running.retain(|partition, running| {
            let reason = match running {
                Running { thread, .. } if thread.is_finished() => "ended",
                Running { pulse, .. } if pulse.silent_for() > patience => "hangs",
                Running { .. } => return true,
            };
            tracing::error!(kafka.partition = partition, reason, "an owner is lost and replaced");
            metrics::counter!("muster_owners_replaced_total", "reason" => reason).increment(1);
            running.stopping.send_replace(Some(Instant::now()));
            false
        });
    }
}
