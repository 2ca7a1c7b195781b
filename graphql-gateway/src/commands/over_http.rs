//! Commands to owners in other processes, over HTTP. The log announces where they are.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::command::{Answer, Command, DEADLINE_HEADER, Failure, Reply};
use event_log::{AnnouncedOwner, EventLog, Owners};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use service_kit::causes::Causes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::route::CommandRoute;

#[cfg(test)]
mod tests;

/// Pause before the same owner is asked again.
const RETRY: Duration = Duration::from_millis(200);
/// When callers are told to try again, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

/// Sends each command to its owner, and once more to the next owner when one is announced.
pub struct OwnersOverHttp {
    log: Arc<dyn EventLog>,
    token: SecretString,
    http: reqwest::Client,
}

/// The HTTP client for commands can't be built.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for commands can't be made")]
pub struct HttpClientError(#[source] reqwest::Error);

/// How one attempt ended.
enum SendOutcome {
    /// With the owner's answer.
    Answered(Result<Answer, Failure>),
    /// Certainly without effect: it was not sent, or refused by a process that is not the owner.
    NoEffect,
    /// Perhaps with effect: it was sent, and there is no answer or the owner does not know.
    MaybeApplied,
}

impl OwnersOverHttp {
    /// A route that follows the announcements of `log`. All services share `token`.
    pub fn try_new(log: Arc<dyn EventLog>, token: SecretString) -> Result<Self, HttpClientError> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(2))
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(HttpClientError)?;
        Ok(Self { log, token, http })
    }

    async fn send(&self, owner: &AnnouncedOwner, command: &Command, deadline: Instant) -> SendOutcome {
        let url = format!("{}/commands", owner.url.trim_end_matches('/'));
        let left = deadline.saturating_duration_since(Instant::now());
        let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        let request = self.http.post(url).bearer_auth(self.token.expose_secret()).timeout(left);
        let response = match request.header(DEADLINE_HEADER, millis).json(command).send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() || error.is_builder() => {
                tracing::debug!(
                    owner.url,
                    error = %Causes(&error),
                    "The owner can't be reached."
                );
                return SendOutcome::NoEffect;
            }
            Err(_) => return SendOutcome::MaybeApplied,
        };
        let status = response.status();
        match response.json::<Reply>().await {
            Ok(Reply::Answer(answer)) => SendOutcome::Answered(Ok(answer)),
            Ok(Reply::Failure(Failure::NotOwner)) => SendOutcome::NoEffect,
            // It lost the partition while it wrote. The next owner has read the log and knows the outcome.
            Ok(Reply::Failure(Failure::UnknownOutcome)) => SendOutcome::MaybeApplied,
            Ok(Reply::Failure(failure)) => SendOutcome::Answered(Err(failure)),
            // Refused before it was read: by an owner with another token, or by something else at that address.
            Err(_) if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT => {
                tracing::warn!(
                    owner.url,
                    http.status = status.as_u16(),
                    "The owner's door refused a command."
                );
                SendOutcome::NoEffect
            }
            Err(_) => SendOutcome::MaybeApplied,
        }
    }
}

#[async_trait]
impl CommandRoute for OwnersOverHttp {
    async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure> {
        let partition = command.ask.route_key().partition(self.log.partitions());
        let mut owners = self.log.owners();
        // Once an attempt may have had an effect, only an answer can rule that out.
        let mut maybe_applied = false;
        loop {
            let owner = owners.borrow_and_update().get(&partition).cloned();
            let Some(owner) = owner else {
                match timeout_at(deadline, owners.changed()).await {
                    Ok(Ok(())) => continue,
                    _ => return Err(without_answer(maybe_applied)),
                }
            };
            let outcome = tokio::select! {
                outcome = self.send(&owner, &command, deadline) => outcome,
                // Safe while the older owner is still silent, because the newer one recognises the command by its id.
                () = newer(&mut owners, partition, owner.epoch) => { maybe_applied = true; continue }
                () = sleep_until(deadline) => return Err(Failure::UnknownOutcome),
            };
            match outcome {
                // This attempt wrote nothing, but an earlier one may have.
                SendOutcome::Answered(Err(Failure::Unavailable { .. })) if maybe_applied => {}
                SendOutcome::Answered(answer) => return answer,
                SendOutcome::NoEffect => {}
                SendOutcome::MaybeApplied => maybe_applied = true,
            }
            tokio::select! {
                () = newer(&mut owners, partition, owner.epoch) => {}
                () = sleep_until((Instant::now() + RETRY).min(deadline)) => {}
            }
            if Instant::now() >= deadline {
                return Err(without_answer(maybe_applied));
            }
        }
    }
}

fn without_answer(maybe_applied: bool) -> Failure {
    if maybe_applied {
        Failure::UnknownOutcome
    } else {
        Failure::Unavailable { retry_after_ms: RETRY_AFTER_MS }
    }
}

/// Waits until an owner of a greater epoch is announced; indefinitely once the log is closed.
async fn newer(owners: &mut watch::Receiver<Owners>, partition: u32, epoch: u64) {
    let announced = |owners: &Owners| owners.get(&partition).is_some_and(|owner| owner.epoch > epoch);
    if owners.wait_for(announced).await.is_err() {
        std::future::pending::<()>().await;
    }
}
