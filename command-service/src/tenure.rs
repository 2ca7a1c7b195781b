//! The tenure of one owner: its partition, how long it may act for it, and what it tells the rest of the process.
//!
//! The owner's thread holds the [`Tenure`]. [`Ownership`](crate::ownership::Ownership) moves it from state to state and
//! reads its signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use domain::decision_context::Limits;
use event_log::EventLog;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::call_watchdog::CallWatchdog;
use crate::groups::Groups;

/// First pause before something is tried again.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// What all owners of a process share.
pub(crate) struct SharedContext {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) groups: Groups,
    /// Where gateways reach this process; announced with each takeover.
    pub(crate) url: String,
    pub(crate) limits: Limits,
    /// Most commands in one batch, and so in one transaction.
    pub(crate) max_batch: usize,
    /// Commands that may wait for one owner.
    pub(crate) queue_capacity: usize,
    /// User events after which an owner saves a snapshot. `None` turns snapshots off, reading them included.
    pub(crate) snapshot_every: Option<usize>,
    pub(crate) runtime: Handle,
}

/// What an owner may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TenureState {
    /// The partition is assigned to this process, so no other process is about to claim it.
    Assigned,
    /// The group may assign the partition to another process, which may claim it at any moment. Until then only this
    /// owner can serve it. It relies on no lease and does not claim the partition again
    /// (docs/adr/0009-sharing-partitions.md).
    Yielded,
    /// The owner must end. It was told so at this instant.
    Ended(Instant),
}

/// One owner's hold on its partition.
pub(crate) struct Tenure {
    pub(crate) partition: u32,
    pub(crate) shared: Arc<SharedContext>,
    state: watch::Receiver<TenureState>,
    signals: Signals,
}

/// What an owner tells the rest of the process.
#[derive(Clone, Default)]
pub(crate) struct Signals {
    /// Whether commands may be queued for the owner.
    pub(crate) accepting: Arc<AtomicBool>,
    /// Epoch of the owner's last claim; 0 before the first one.
    pub(crate) epoch: Arc<AtomicU64>,
    /// Shows how long the owner has been inside one call of the log.
    pub(crate) watchdog: CallWatchdog,
}

impl Tenure {
    pub(crate) fn new(
        partition: u32,
        shared: Arc<SharedContext>,
        state: watch::Receiver<TenureState>,
        signals: Signals,
    ) -> Self {
        Self { partition, shared, state, signals }
    }

    pub(crate) fn watchdog(&self) -> &CallWatchdog {
        &self.signals.watchdog
    }

    /// Lets commands be queued, under the epoch of a new claim.
    pub(crate) fn start_accepting(&self, epoch: u64) {
        self.signals.accepting.store(true, Ordering::Release);
        self.signals.epoch.store(epoch, Ordering::Release);
    }

    /// Lets no more commands be queued.
    pub(crate) fn stop_accepting(&self) {
        self.signals.accepting.store(false, Ordering::Release);
    }

    /// Whether no other process may claim the partition.
    pub(crate) fn is_assigned(&self) -> bool {
        *self.state.borrow() == TenureState::Assigned
    }

    /// Whether the owner was told to end.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(*self.state.borrow(), TenureState::Ended(_))
    }

    /// Whether the owner was told to end more than `grace` ago.
    pub(crate) fn is_overdue(&self, grace: Duration) -> bool {
        matches!(*self.state.borrow(), TenureState::Ended(since) if since.elapsed() > grace)
    }

    /// Blocks for `pause`, or until the partition is no longer assigned.
    pub(crate) fn pause(&mut self, pause: Duration) {
        let unassigned = self.state.wait_for(|state| *state != TenureState::Assigned);
        let _ = self.shared.runtime.block_on(async { timeout(pause, unassigned).await });
    }
}

/// An owner that has ended accepts nothing, even if it ended by a panic.
impl Drop for Tenure {
    fn drop(&mut self) {
        self.stop_accepting();
    }
}
