//! The way to the owner: in process, or over HTTP.

mod over_http;
mod reserving;

use async_trait::async_trait;
use domain::command::{Answer, Command, Failure};
use tokio::time::Instant;

pub use over_http::OwnersOverHttp;
pub use reserving::ReservingRoute;

/// Brings a command to whoever owns what it is about.
#[async_trait]
pub trait CommandRoute: Send + Sync + 'static {
    /// The owner's answer, or why there is none when `deadline` has passed.
    ///
    /// [`Failure::Unavailable`] says that nothing was written; [`Failure::UnknownOutcome`] that it may have been.
    async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure>;
}
