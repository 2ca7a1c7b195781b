//! A command that waits for its owner, who of the two who care about it may give it up, and how it is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use domain::command::{Answer, Command, Failure};
use log_model::Position;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::dedup::EventFingerprint;
use crate::outcome::Outcome;
use crate::owner::millis;

/// A command that waits, and the way back.
pub(crate) struct QueuedCommand {
    pub(crate) command: Command,
    pub(crate) reply: oneshot::Sender<Result<Answer, Failure>>,
    pub(crate) ticket: Ticket,
}

/// Settles whether a waiting command was taken by its owner or given up by its caller: whoever comes first.
#[derive(Clone, Default)]
pub(crate) struct Ticket(Arc<AtomicBool>);

impl Ticket {
    /// True for the one who comes first.
    pub(crate) fn try_take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// A job that its owner has taken, with the first event that was written for it in a commit whose outcome is in doubt.
pub(crate) struct TakenCommand {
    pub(crate) queued: QueuedCommand,
    pub(crate) first_event: Option<Uuid>,
    /// Whether its owner has committed a claim since it was taken.
    pub(crate) reclaimed_since_taken: bool,
}

impl TakenCommand {
    /// The job, unless its caller has given up.
    pub(crate) fn of(queued: QueuedCommand) -> Option<Self> {
        queued.ticket.try_take().then_some(Self { queued, first_event: None, reclaimed_since_taken: false })
    }

    /// Whether nobody waits for it any more. Whoever asked may have been answered by another owner meanwhile, so it is
    /// not to be decided anew; what was written for it stands in the log.
    pub(crate) fn is_given_up(&self) -> bool {
        self.queued.reply.is_closed()
    }

    /// Answers that this owner will not decide it. What may have been written, only the log can tell.
    pub(crate) fn give_back(self) {
        let failure = match self.first_event {
            None => Failure::NotOwner,
            Some(_) => Failure::UnknownOutcome,
        };
        // A caller that went away asks again under the same id.
        let _ = self.queued.reply.send(Err(failure));
    }

    /// Tells the caller what the command came to in a batch that was begun at an instant, now that everything up to
    /// `committed` is. `None` is a command that could not be decided or written.
    pub(crate) fn answer(
        self,
        outcome: Option<Outcome>,
        committed: &Position,
        partition: u32,
        begun: Instant,
    ) {
        let accepted = |version, repeated| {
            let position = committed.clone();
            Ok(Answer::Accepted { version, position, repeated })
        };
        let reply = match outcome {
            // An earlier try may have been written, and was not looked up.
            None if self.first_event.is_some() => Err(Failure::UnknownOutcome),
            None => Err(Failure::Unavailable { retry_after_ms: 1_000 }),
            Some(Outcome::Answered(answer)) => Ok(answer),
            Some(Outcome::Written { version, .. }) => accepted(version, false),
            // Found in the log with the event that this very request wrote: its first answer, only late.
            Some(Outcome::Repeated { version, first_event }) => {
                accepted(version, self.first_event.map(EventFingerprint::from) != Some(first_event))
            }
        };
        let command = &self.queued.command;
        let outcome = match &reply {
            Ok(Answer::Accepted { repeated: false, .. }) => "accepted",
            Ok(Answer::Accepted { .. }) => "repeated",
            Ok(Answer::Refused(_)) => "refused",
            Ok(Answer::Forbidden) => "forbidden",
            Ok(Answer::OfAddress(_)) => "address",
            Err(_) => "failed",
        };
        metrics::counter!("muster_commands_total", "command" => command.ask.name(), "outcome" => outcome)
            .increment(1);
        tracing::info!(
            command.name = command.ask.name(),
            command.id = command.id,
            correlation_id = command.correlation_id,
            subject = command.ask.subject(),
            kafka.partition = partition,
            outcome,
            duration_ms = millis(begun),
            "command decided"
        );
        // A caller that went away asks again under the same id.
        let _ = self.queued.reply.send(reply);
    }
}
