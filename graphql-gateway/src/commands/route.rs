//! The port through which the gateway sends commands.

use async_trait::async_trait;
use domain::command::{Answer, Command, Failure};
use tokio::time::Instant;

/// Brings a command to the owner of what it is about.
#[async_trait]
pub trait CommandRoute: Send + Sync + 'static {
    /// The owner's answer, or why there is none by `deadline`.
    ///
    /// [`Failure::Unavailable`] says that nothing was written; [`Failure::UnknownOutcome`] that it may have been.
    async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure>;
}
