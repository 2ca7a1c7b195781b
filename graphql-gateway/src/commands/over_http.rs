//! Commands to their owners over HTTP, wherever the log announces them to be.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::command::{Answer, Command, DEADLINE_HEADER, Failure, Reply};
use event_log::{EventLog, Owner, Owners};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::CommandRoute;

#[cfg(test)]
mod tests;

/// How long to wait before the same owner is asked again when no newer one is announced.
const AGAIN: Duration = Duration::from_millis(200);
/// When asking again makes sense, for callers.
const RETRY_AFTER_MS: u64 = 1_000;

/// Sends each command straight to its owner, and again to the next one when that one is announced.
pub struct OwnersOverHttp {
    log: Arc<dyn EventLog>,
    token: SecretString,
    http: reqwest::Client,
}

/// The client that commands travel with can't be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for commands can't be made")]
pub struct NoClient(#[source] reqwest::Error);

/// How one attempt ended.
enum Attempt {
    /// With the owner's answer.
    Answered(Result<Answer, Failure>),
    /// Certainly without effect: it was not sent, or refused by somebody who is not the owner.
    WithoutEffect,
    /// Perhaps with effect: it was sent, and no answer came or the owner did not know.
    Open,
}

impl OwnersOverHttp {
    /// A route that follows the announcements of `log` and shows `token`, the one that all services share.
    pub fn try_new(log: Arc<dyn EventLog>, token: SecretString) -> Result<Self, NoClient> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(2))
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(NoClient)?;
        Ok(Self { log, token, http })
    }

    async fn send(&self, owner: &Owner, command: &Command, deadline: Instant) -> Attempt {
        let url = format!("{}/commands", owner.url.trim_end_matches('/'));
        let left = deadline.saturating_duration_since(Instant::now());
        let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        let request = self.http.post(url).bearer_auth(self.token.expose_secret()).timeout(left);
        let response = match request.header(DEADLINE_HEADER, millis).json(command).send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() || error.is_builder() => {
                tracing::debug!(
                    owner.url,
                    error = &error as &dyn std::error::Error,
                    "The owner can't be reached."
                );
                return Attempt::WithoutEffect;
            }
            Err(_) => return Attempt::Open,
        };
        let status = response.status();
        match response.json::<Reply>().await {
            Ok(Reply::Answer(answer)) => Attempt::Answered(Ok(answer)),
            Ok(Reply::Failure(Failure::NotOwner)) => Attempt::WithoutEffect,
            // It lost the partition while it wrote. The next owner has read the log and knows.
            Ok(Reply::Failure(Failure::UnknownOutcome)) => Attempt::Open,
            Ok(Reply::Failure(failure)) => Attempt::Answered(Err(failure)),
            // Refused before it was read: by a door with another token, or by something that is no owner at all.
            Err(_) if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT => {
                tracing::warn!(
                    owner.url,
                    http.status = status.as_u16(),
                    "The owner's door refused a command."
                );
                Attempt::WithoutEffect
            }
            Err(_) => Attempt::Open,
        }
    }
}

#[async_trait]
impl CommandRoute for OwnersOverHttp {
    async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure> {
        let partition = command.ask.route_key().partition(self.log.partitions());
        let mut owners = self.log.owners();
        // Once an attempt may have had an effect, only an answer can say that it had none.
        let mut open = false;
        loop {
            let owner = owners.borrow_and_update().get(&partition).cloned();
            let Some(owner) = owner else {
                match timeout_at(deadline, owners.changed()).await {
                    Ok(Ok(())) => continue,
                    _ => return Err(without_answer(open)),
                }
            };
            let attempt = tokio::select! {
                attempt = self.send(&owner, &command, deadline) => attempt,
                // The same command id makes it safe to ask the newer owner while the older one is still silent.
                () = newer(&mut owners, partition, owner.epoch) => { open = true; continue }
                () = sleep_until(deadline) => return Err(Failure::UnknownOutcome),
            };
            match attempt {
                // Nothing was written by this attempt; but an earlier one may have.
                Attempt::Answered(Err(Failure::Unavailable { .. })) if open => {}
                Attempt::Answered(answer) => return answer,
                Attempt::WithoutEffect => {}
                Attempt::Open => open = true,
            }
            tokio::select! {
                () = newer(&mut owners, partition, owner.epoch) => {}
                () = sleep_until((Instant::now() + AGAIN).min(deadline)) => {}
            }
            if Instant::now() >= deadline {
                return Err(without_answer(open));
            }
        }
    }
}

fn without_answer(open: bool) -> Failure {
    if open { Failure::UnknownOutcome } else { Failure::Unavailable { retry_after_ms: RETRY_AFTER_MS } }
}

/// Waits until an owner of a greater epoch is announced; for ever when the log is closed.
async fn newer(owners: &mut watch::Receiver<Owners>, partition: u32, epoch: u64) {
    let announced = |owners: &Owners| owners.get(&partition).is_some_and(|owner| owner.epoch > epoch);
    if owners.wait_for(announced).await.is_err() {
        std::future::pending::<()>().await;
    }
}
