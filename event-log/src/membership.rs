//! How the processes of a deployment share the partitions: what each is told, and how it hands over.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

/// A change of what this process is to own. It only decides who tries: what makes an owner safe is the claim.
#[derive(Debug)]
pub enum Assignment {
    /// These are for this process to claim; none when it has joined and others have them all.
    Given(Vec<u32>),
    /// These go to somebody else, who is told when the handover is dropped or has taken too long.
    Taken(Vec<u32>, Handover),
}

/// Held for as long as something may still be written to partitions that were taken away.
#[derive(Debug)]
pub struct Handover {
    _held: SyncSender<()>,
}

/// Waits for a [`Handover`] to be dropped.
pub(crate) struct HandedOver(Receiver<()>);

/// The seat of this process among those that share the partitions. Dropping it leaves too.
pub struct Membership {
    assignments: mpsc::Receiver<Assignment>,
    leave: watch::Sender<bool>,
}

/// The adapter's end of a [`Membership`].
pub struct Seat {
    /// Tells the member what changes. Dropping it says that it has left.
    pub assignments: mpsc::Sender<Assignment>,
    leave: watch::Receiver<bool>,
}

impl Membership {
    /// A membership and the seat from which an adapter of the log serves it.
    pub fn channel() -> (Seat, Self) {
        // A process is told a few things an hour; a full channel only makes the teller wait.
        let (told, assignments) = mpsc::channel(16);
        let (leave, leaving) = watch::channel(false);
        (Seat { assignments: told, leave: leaving }, Self { assignments, leave })
    }

    /// What changes next; `None` when this process has left.
    pub async fn next(&mut self) -> Option<Assignment> {
        self.assignments.recv().await
    }

    /// Asks to leave: everything that is still held is [`Assignment::Taken`], then the end comes.
    pub fn leave(&self) {
        self.leave.send_replace(true);
    }
}

impl Seat {
    /// Whether the member wants to leave, or is gone.
    pub fn is_given_up(&self) -> bool {
        *self.leave.borrow() || self.leave.has_changed().is_err()
    }

    /// Waits until the member wants to leave or is gone.
    pub async fn given_up(&mut self) {
        // An error says that it is gone.
        self.leave.wait_for(|leave| *leave).await.ok();
    }
}

impl Handover {
    pub(crate) fn new() -> (Self, HandedOver) {
        let (held, waiting) = sync_channel(0);
        (Self { _held: held }, HandedOver(waiting))
    }
}

impl HandedOver {
    /// Whether it was dropped in time. Blocks.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        self.0.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected)
    }
}
