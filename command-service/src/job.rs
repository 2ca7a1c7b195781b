//! A command that waits for its owner, and who of the two who care about it may give it up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::command::{Answer, Command, Failure};
use tokio::sync::oneshot;
use uuid::Uuid;

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

/// A job that its owner has taken, with the first event that was written for it in a commit whose outcome is in doubt.
pub(crate) struct Taken {
    pub(crate) job: Job,
    pub(crate) first_event: Option<Uuid>,
    /// Whether its owner has committed a claim since it was taken.
    pub(crate) is_after_reclaim: bool,
}

impl Taken {
    /// The job, unless its caller has given up.
    pub(crate) fn of(job: Job) -> Option<Self> {
        job.ticket.draw().then_some(Self { job, first_event: None, is_after_reclaim: false })
    }

    /// Whether nobody waits for it any more. Whoever asked may have been answered by another owner meanwhile, so it is
    /// not to be decided anew; what was written for it stands in the log.
    pub(crate) fn is_given_up(&self) -> bool {
        self.job.reply.is_closed()
    }

    /// Answers that this owner will not decide it. What may have been written, only the log can tell.
    pub(crate) fn give_back(self) {
        let failure = match self.first_event {
            None => Failure::NotOwner,
            Some(_) => Failure::UnknownOutcome,
        };
        // A caller that went away asks again under the same id.
        let _ = self.job.reply.send(Err(failure));
    }
}
