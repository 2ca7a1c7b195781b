//! How processes share the partitions: what each is assigned, and how a partition is handed over.
//!
//! Assignment only decides who tries to own a partition. What makes an owner safe is the claim.
//! `docs/adr/0009-sharing-partitions.md` explains the decision.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

/// A change of what this process is to own.
#[derive(Debug)]
pub enum Assignment {
    /// This process is to claim these partitions. Empty when it has joined and others own them all.
    Given(Vec<u32>),
    /// These partitions go to somebody else.
    ///
    /// The next owner is told once the handover is dropped, or after a timeout. It may claim them at any
    /// moment from then on.
    Taken(Vec<u32>, Handover),
}

/// Held while this process may still assume that nobody else claims the partitions it is losing.
#[derive(Debug)]
pub struct Handover {
    _held: SyncSender<()>,
}

/// Waits for a [`Handover`] to be dropped.
#[derive(Debug)]
pub struct HandoverDone(Receiver<()>);

/// This process's membership among those that share the partitions. Dropping it leaves as well.
pub struct Membership {
    assignments: mpsc::Receiver<Assignment>,
    leave: watch::Sender<bool>,
    /// Closed when no other member is left.
    others: mpsc::Receiver<Infallible>,
}

/// The adapter's end of a [`Membership`]. Dropping it tells the member that it has left and that no other
/// member remains.
pub struct MemberHandle {
    /// Tells the member about changes.
    pub assignments: mpsc::Sender<Assignment>,
    leave: watch::Receiver<bool>,
    others: mpsc::Sender<Infallible>,
}

/// What remains of a [`MemberHandle`] once its member has left. Dropping it says that no other member
/// remains.
pub struct LeftMember {
    leave: watch::Receiver<bool>,
    _others: mpsc::Sender<Infallible>,
}

impl Membership {
    /// A membership, and the handle through which an adapter serves it.
    pub fn channel() -> (MemberHandle, Self) {
        // A process hears of a few changes an hour. A full channel only makes the adapter wait.
        let (told, assignments) = mpsc::channel(16);
        let (leave, leaving) = watch::channel(false);
        let (there, others) = mpsc::channel(1);
        (
            MemberHandle { assignments: told, leave: leaving, others: there },
            Self { assignments, leave, others },
        )
    }

    /// Waits for the next change; `None` when this process has left.
    pub async fn next(&mut self) -> Option<Assignment> {
        self.assignments.recv().await
    }

    /// Asks to leave. Everything still held arrives as [`Assignment::Taken`], then [`Membership::next`] ends.
    pub fn leave(&self) {
        self.leave.send_replace(true);
    }

    /// Waits until no other process shares the partitions. Then nobody will claim what this one had. Call it
    /// after leaving.
    pub async fn all_left(&mut self) {
        // Dropping the handovers that still arrive tells the adapter not to wait for them.
        while self.assignments.recv().await.is_some() {}
        let None = self.others.recv().await;
    }
}

impl MemberHandle {
    /// Whether the member wants to leave or was dropped.
    pub fn is_leaving(&self) -> bool {
        *self.leave.borrow() || self.leave.has_changed().is_err()
    }

    /// Waits until the member wants to leave or was dropped.
    pub async fn leaving(&mut self) {
        // An error says that it was dropped.
        self.leave.wait_for(|leave| *leave).await.ok();
    }

    /// Tells the member that it has left.
    pub fn leave(self) -> LeftMember {
        LeftMember { leave: self.leave, _others: self.others }
    }
}

impl LeftMember {
    /// Whether the member was dropped. Then nobody waits any more for the others to leave.
    pub fn is_abandoned(&self) -> bool {
        self.leave.has_changed().is_err()
    }
}

impl Handover {
    /// A handover to give to the member, and the end that waits for it.
    pub fn new() -> (Self, HandoverDone) {
        let (held, waiting) = sync_channel(0);
        (Self { _held: held }, HandoverDone(waiting))
    }
}

impl HandoverDone {
    /// Waits until the handover is dropped, and returns whether that happened within `patience`. Blocks.
    pub fn wait(&self, patience: Duration) -> bool {
        self.0.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected)
    }
}
