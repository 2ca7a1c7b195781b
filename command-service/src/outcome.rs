//! The outcome of one decided command.

use domain::command::Answer;
use log_model::Position;
use uuid::Uuid;

use crate::fingerprint::EventFingerprint;

/// What a decision leads to. Nothing of it is told to the caller before the batch is committed.
#[derive(Debug)]
pub(crate) enum CommandOutcome {
    /// The answer, for which nothing has to be written.
    Answered(Answer),
    /// Accepted once the batch is committed.
    Written {
        /// Version of the aggregate after the command's last event.
        version: u64,
        /// Id of the command's first event; `None` for a command without events.
        first_event: Option<Uuid>,
    },
    /// The same command was executed before.
    Repeated {
        /// Version of the aggregate after the command's last event.
        version: u64,
        /// The command's first event, as it was written then.
        first_event: EventFingerprint,
    },
}

/// The answer without a position, for callers that do not wait for views.
impl From<CommandOutcome> for Answer {
    fn from(outcome: CommandOutcome) -> Self {
        let (version, repeated) = match outcome {
            CommandOutcome::Answered(answer) => return answer,
            CommandOutcome::Written { version, .. } => (version, false),
            CommandOutcome::Repeated { version, .. } => (version, true),
        };
        Self::Accepted { version, position: Position::new(), repeated }
    }
}
