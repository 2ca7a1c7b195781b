//! The way to the owner: in process, or over HTTP.

mod over_http;

use async_trait::async_trait;
use domain::command::{Answer, Command, Failure};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use over_http::OwnersOverHttp;

/// Brings a command to whoever owns what it is about.
#[async_trait]
pub trait CommandRoute: Send + Sync + 'static {
    /// The owner's answer, or why there is none when `deadline` has passed.
    ///
    /// [`Failure::Unavailable`] says that nothing was written; [`Failure::UnknownOutcome`] that it may have been.
    async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure>;
}

/// What the owner's door says to a command: the body of `POST /commands`.
///
/// An answer comes with 200, a failure with 409 (not the owner), 503 (nothing was written) or 504 (unknown outcome).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The command was decided.
    #[serde(rename = "answer")]
    Answer(Answer),
    /// It was not, or not certainly.
    #[serde(rename = "failure")]
    Failure(Failure),
}
