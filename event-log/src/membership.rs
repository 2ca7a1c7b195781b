//! How the processes of a deployment share the partitions: what each is told, and how it hands over.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

/// A change of what this process is to own. It only decides who tries: what makes an owner safe is the claim.
#[derive(Debug)]
pub enum Assignment {
    /// These are for this process to claim; none when it has joined and others have them all.
    Given(Vec<u32>),
    /// These go to somebody else, who is told when the handover is dropped or has taken too long, and may claim them at
    /// any moment from then on.
    Taken(Vec<u32>, Handover),
}

/// Held for as long as this process takes it for granted that nobody else claims partitions that are taken away.
#[derive(Debug)]
pub struct Handover {
    _held: SyncSender<()>,
}

/// Waits for a [`Handover`] to be dropped.
#[derive(Debug)]
pub struct HandoverDone(Receiver<()>);

/// The seat of this process among those that share the partitions. Dropping it leaves too.
pub struct Membership {
    assignments: mpsc::Receiver<Assignment>,
    leave: watch::Sender<bool>,
    /// Closed when nobody else is there.
    others: mpsc::Receiver<Infallible>,
}

/// The adapter's end of a [`Membership`]. Dropping it says that the member has left and that nobody else is there.
pub struct MemberHandle {
    /// Tells the member what changes.
    pub assignments: mpsc::Sender<Assignment>,
    leave: watch::Receiver<bool>,
    others: mpsc::Sender<Infallible>,
}

/// What is left of a [`MemberHandle`] once its member has left. Dropping it says that nobody else is there.
pub struct LeftMember {
    leave: watch::Receiver<bool>,
    _others: mpsc::Sender<Infallible>,
}

impl Membership {
    /// A membership and the seat from which an adapter of the log serves it.
    pub fn channel() -> (MemberHandle, Self) {
        // A process is told a few things an hour; a full channel only makes the teller wait.
        let (told, assignments) = mpsc::channel(16);
        let (leave, leaving) = watch::channel(false);
        let (there, others) = mpsc::channel(1);
        (
            MemberHandle { assignments: told, leave: leaving, others: there },
            Self { assignments, leave, others },
        )
    }

    /// What changes next; `None` when this process has left.
    pub async fn next(&mut self) -> Option<Assignment> {
        self.assignments.recv().await
    }

    /// Asks to leave: everything that is still held is [`Assignment::Taken`], then the end comes.
    pub fn leave(&self) {
        self.leave.send_replace(true);
    }

    /// Waits, once this process has left, until no other shares the partitions any more: nobody will claim what it had.
    pub async fn all_left(&mut self) {
        // Whoever still waits to hear that something may be given away need not wait any longer.
        while self.assignments.recv().await.is_some() {}
        let None = self.others.recv().await;
    }
}

impl MemberHandle {
    /// Whether the member wants to leave, or is gone.
    pub fn is_leaving(&self) -> bool {
        *self.leave.borrow() || self.leave.has_changed().is_err()
    }

    /// Waits until the member wants to leave or is gone.
    pub async fn leaving(&mut self) {
        // An error says that it is gone.
        self.leave.wait_for(|leave| *leave).await.ok();
    }

    /// Tells the member that it has left.
    pub fn leave(self) -> LeftMember {
        LeftMember { leave: self.leave, _others: self.others }
    }
}

impl LeftMember {
    /// Whether nobody asks any more who else is there.
    pub fn is_abandoned(&self) -> bool {
        self.leave.has_changed().is_err()
    }
}

impl Handover {
    /// One to give away, and the end that waits for it.
    pub fn new() -> (Self, HandoverDone) {
        let (held, waiting) = sync_channel(0);
        (Self { _held: held }, HandoverDone(waiting))
    }
}

impl HandoverDone {
    /// Whether it was dropped in time. Blocks.
    pub fn wait(&self, patience: Duration) -> bool {
        self.0.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected)
    }
}
