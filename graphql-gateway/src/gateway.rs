//! What every request shares: the views, the way to the owners, the hasher, the counters.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::actor::Client;
use domain::command::{Ask, Command};
use domain::credential::{Kind, Scope};
use domain::decision_context::Prepared;
use domain::id::{GroupId, TokenId, UserId};
use domain::user;
use event_log::EventLog;
use log_model::Position;
use read_model::ReadModel;
use read_model::groups::GroupRow;
use read_model::tokens::TokenUse;
use read_model::users::UserRow;
use secrecy::SecretString;
use uuid::Uuid;

use crate::access_records::Notes;
use crate::authentication::{Attempt, Proved, Turnstile};
use crate::caller::Caller;
use crate::clock::now;
use crate::commands::CommandRoute;
use crate::config::Config;
use crate::error::api::Fault;
use crate::pace::Pace;
use crate::rate::{PerAddress, TooOften};
use crate::secrets::Hasher;

/// How often the last use of a token is written at most.
const TOKEN_USE_EVERY: Duration = Duration::from_mins(1);
/// Most tokens whose last use is remembered; then all are forgotten and written once more.
const TOKENS_REMEMBERED: usize = 50_000;

/// What every request shares.
pub(crate) struct Gateway {
    pub(crate) config: Config,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) views: ReadModel,
    pub(crate) commands: Arc<dyn CommandRoute>,
    pub(crate) hasher: Hasher,
    pub(crate) notes: Notes,
    pub(crate) turnstile: Turnstile,
    pub(crate) registrations_took: Pace,
    pub(crate) registrations: PerAddress,
    pub(crate) token_uses: TokenUses,
}

impl Gateway {
    /// The user as the views show them.
    pub(crate) async fn user(&self, id: UserId) -> Result<Option<UserRow>, Fault> {
        self.views.user(id).await.map_err(asked)
    }

    /// The group as the views show it.
    pub(crate) async fn group(&self, id: GroupId) -> Result<Option<GroupRow>, Fault> {
        self.views.group(id).await.map_err(asked)
    }

    /// Whether one more registration is taken from the caller's address.
    pub(crate) fn may_register(&self, caller: &Caller) -> Result<(), Fault> {
        self.registrations
            .take(caller.address(), Instant::now())
            .map_err(|TooOften { retry_after_ms }| Fault::RateLimited { retry_after_ms })
    }

    /// Stores the password that was just verified under the present cost, if it was stored under less. Nobody waits
    /// for it; when it fails, the next sign-in tries again.
    pub(crate) fn strengthen(
        self: &Arc<Self>,
        proved: &Proved,
        password: SecretString,
        attempt: &Attempt<'_>,
    ) {
        let Kind::Permanent { phc } = &proved.credential.kind else { return };
        if !self.hasher.is_weaker(phc) {
            return;
        }
        let gateway = Arc::clone(self);
        let (proved, client) = (proved.clone(), attempt.client.clone());
        let correlation_id = attempt.correlation_id.to_owned();
        tokio::spawn(async move {
            let Ok(phc) = gateway.hasher.hash(&password).await else { return };
            let command = Command {
                id: Uuid::now_v7().to_string(),
                actor: proved.actor(),
                client,
                correlation_id,
                traceparent: None,
                ask: Ask::User {
                    id: proved.holder.id,
                    expected_version: None,
                    command: user::Command::RehashPassword,
                },
                prepared: Some(Prepared::ChosenPassword { phc, checked: proved.credential.version }),
                reservation: None,
                seen: Position::new(),
            };
            let deadline = tokio::time::Instant::now() + gateway.config.command_deadline;
            if let Err(failure) = gateway.commands.submit(command, deadline).await {
                tracing::debug!(
                    error = &failure as &dyn std::error::Error,
                    "A password stays as it was stored."
                );
            }
        });
    }

    /// Remembers that a token passed, off the way of the request.
    pub(crate) fn token_passed(&self, id: TokenId, client: &Client, service: Option<Scope>) {
        if !self.token_uses.is_due(id, Instant::now()) {
            return;
        }
        let views = self.views.clone();
        let last_use = TokenUse { at: now(), address: client.address.clone(), service };
        tokio::spawn(async move {
            if let Err(error) = views.token_used(id, &last_use).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "The last use of a token was not written."
                );
            }
        });
    }
}

/// When the last use of each token was written by this gateway.
#[derive(Debug, Default)]
pub(crate) struct TokenUses {
    written: Mutex<HashMap<TokenId, Instant>>,
}

impl TokenUses {
    fn is_due(&self, id: TokenId, now: Instant) -> bool {
        let mut written = self.written.lock().expect("nothing panics while it remembers");
        if written.get(&id).is_some_and(|last| now.duration_since(*last) < TOKEN_USE_EVERY) {
            return false;
        }
        if written.len() >= TOKENS_REMEMBERED {
            written.clear();
        }
        written.insert(id, now);
        true
    }
}

/// What callers hear when the views could not be asked.
#[expect(clippy::needless_pass_by_value, reason = "this is what map_err hands over")]
pub(crate) fn asked(error: read_model::Error) -> Fault {
    match &error {
        read_model::Error::BadCursor => Fault::BadRequest("The cursor does not belong to this list."),
        read_model::Error::Unavailable(_) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "The views can't be asked.");
            Fault::Unavailable { retry_after_ms: 1_000 }
        }
        _ => {
            tracing::error!(error = &error as &dyn std::error::Error, "The views refused a question.");
            Fault::Internal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_use_of_a_token_is_written_once_a_minute_at_most() {
        let uses = TokenUses::default();
        let (one, other) = (TokenId::from_uuid(Uuid::nil()), TokenId::from_uuid(Uuid::max()));
        let start = Instant::now();
        assert!(uses.is_due(one, start));
        assert!(!uses.is_due(one, start + Duration::from_secs(59)));
        assert!(uses.is_due(other, start + Duration::from_secs(59)));
        assert!(uses.is_due(one, start + Duration::from_mins(1)));
    }
}
