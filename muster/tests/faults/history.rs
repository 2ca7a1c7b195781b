//! What clients did and heard: every sending of a command, with its times and its outcome.

use std::sync::Arc;
use std::time::Instant;

use domain::command::{Answer, Command, Failure};
use domain::refusal::Code;
use serde_json::{Value, json};

/// Microseconds since the suite began, on a clock that only goes forward.
pub(crate) type Moment = u64;

/// One sending of a command.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) command: Arc<Command>,
    /// When it was sent.
    pub(crate) asked: Moment,
    /// When its sender knew how it ended.
    pub(crate) answered: Moment,
    pub(crate) outcome: Outcome,
}

/// How a sending ended, as its sender heard it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It holds.
    Accepted { version: u64, repeated: bool },
    /// A rule said no; nothing was written.
    Refused(Vec<Code>),
    /// The actor may not; nothing was written.
    Forbidden,
    /// It was not taken; nothing was written.
    Unavailable,
    /// It was written or not.
    Unknown,
}

impl From<Result<Answer, Failure>> for Outcome {
    fn from(result: Result<Answer, Failure>) -> Self {
        match result {
            Ok(Answer::Accepted { version, repeated, .. }) => Self::Accepted { version, repeated },
            Ok(Answer::Refused(refusals)) => {
                Self::Refused(refusals.into_iter().map(|refusal| refusal.code).collect())
            }
            Ok(Answer::Forbidden) => Self::Forbidden,
            Ok(Answer::OfAddress(reply)) => panic!("the route does not end with {reply:?}"),
            Err(Failure::Unavailable { .. } | Failure::NotOwner) => Self::Unavailable,
            Err(Failure::UnknownOutcome) => Self::Unknown,
        }
    }
}

impl Attempt {
    /// One line of evidence.
    pub(crate) fn line(&self) -> Value {
        let outcome = format!("{:?}", self.outcome);
        json!({ "asked": self.asked, "answered": self.answered, "outcome": outcome, "command": &*self.command })
    }
}

/// The clock of the suite.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Moment {
        u64::try_from(self.0.elapsed().as_micros()).expect("no run takes half a million years")
    }
}
