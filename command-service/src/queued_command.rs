//! A queued command: taken by its owner or given up by its caller, whichever is first, and its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use domain::command::{Answer, Command, Failure};
use log_model::Position;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::fingerprint::EventFingerprint;
use crate::outcome::CommandOutcome;
use crate::telemetry::millis;

/// A command that waits for its owner, and the channel for the answer.
pub(crate) struct QueuedCommand {
    pub(crate) command: Command,
    pub(crate) reply: oneshot::Sender<Result<Answer, Failure>>,
    pub(crate) ticket: Ticket,
}

/// Settles the race between an owner that takes a command and a caller that gives it up.
#[derive(Clone, Default)]
pub(crate) struct Ticket(Arc<AtomicBool>);

impl Ticket {
    /// True for the first call, on whichever clone.
    pub(crate) fn try_take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// A command its owner has taken.
pub(crate) struct TakenCommand {
    pub(crate) queued: QueuedCommand,
    /// The first event of this command in an append whose outcome was unknown. It may stand in the log.
    pub(crate) first_event: Option<Uuid>,
    /// Whether the owner has committed a claim since it took the command.
    pub(crate) reclaimed_since_taken: bool,
}

impl TakenCommand {
    /// Takes a command, unless its caller has given it up.
    pub(crate) fn take(queued: QueuedCommand) -> Option<Self> {
        queued.ticket.try_take().then_some(Self { queued, first_event: None, reclaimed_since_taken: false })
    }

    /// Whether the caller no longer waits. It may have sent the command to another owner and have an answer, so this
    /// owner must not decide it anew. If it was written before, the log has it.
    pub(crate) fn is_given_up(&self) -> bool {
        self.queued.reply.is_closed()
    }

    /// Tells the caller that this owner will not decide the command.
    pub(crate) fn give_back(self) {
        let failure = match self.first_event {
            None => Failure::NotOwner,
            Some(_) => Failure::UnknownOutcome,
        };
        // The caller may be gone. It then asks again under the same id.
        let _ = self.queued.reply.send(Err(failure));
    }

    /// Tells the caller the outcome, after everything up to `committed` is committed. `None` stands for a command that
    /// could not be decided or not be written. `begun` is when the command's batch was begun.
    pub(crate) fn answer(
        self,
        outcome: Option<CommandOutcome>,
        committed: &Position,
        partition: u32,
        begun: Instant,
    ) {
        let accepted = |version, repeated| {
            let position = committed.clone();
            Ok(Answer::Accepted { version, position, repeated })
        };
        let reply = match outcome {
            // An earlier attempt may have been written, and nobody has looked it up since.
            None if self.first_event.is_some() => Err(Failure::UnknownOutcome),
            None => Err(Failure::Unavailable { retry_after_ms: 1_000 }),
            Some(CommandOutcome::Answered(answer)) => Ok(answer),
            Some(CommandOutcome::Written { version, .. }) => accepted(version, false),
            // If the log holds the very event that was written for this request, the caller hears of it for the first
            // time. Otherwise it was written for an earlier request with the same command.
            Some(CommandOutcome::Repeated { version, first_event }) => {
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
        // The caller may be gone. It then asks again under the same id.
        let _ = self.queued.reply.send(reply);
    }
}
