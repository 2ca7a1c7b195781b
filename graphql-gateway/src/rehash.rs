//! Hashes a password anew at a sign-in, if it is stored under a lower cost than the present one.
//!
//! See `docs/adr/0005-secrets-stay-at-the-gateway.md`.

use std::sync::Arc;
use std::time::Duration;

use domain::command::{Ask, Command};
use domain::credential::Kind;
use domain::decision_context::Prepared;
use domain::user;
use log_model::Position;
use secrecy::SecretString;
use service_kit::causes::Causes;
use tokio::time::Instant;
use uuid::Uuid;

use crate::authentication::{Authenticated, SignInAttempt};
use crate::commands::CommandRoute;
use crate::secrets::Hasher;

/// Hashes passwords anew in the background.
pub(crate) struct Rehasher {
    pub(crate) hasher: Arc<Hasher>,
    pub(crate) commands: Arc<dyn CommandRoute>,
    pub(crate) command_deadline: Duration,
}

impl Rehasher {
    /// Hashes the password that was just verified anew, if the stored hash is weaker. Nobody waits for it; if it
    /// fails, the next sign-in tries again.
    pub(crate) fn rehash_if_weaker(
        &self,
        user: &Authenticated,
        password: SecretString,
        attempt: &SignInAttempt<'_>,
    ) {
        let Kind::Permanent { phc } = &user.credential.kind else { return };
        if !self.hasher.is_weaker(phc) {
            return;
        }
        let (hasher, commands) = (Arc::clone(&self.hasher), Arc::clone(&self.commands));
        let command_deadline = self.command_deadline;
        let (user, client) = (user.clone(), attempt.client.clone());
        let correlation_id = attempt.correlation_id.to_owned();
        tokio::spawn(async move {
            let Ok(phc) = hasher.hash(&password).await else { return };
            let command = Command {
                id: Uuid::now_v7().to_string(),
                actor: user.actor(),
                client,
                correlation_id,
                traceparent: None,
                ask: Ask::User {
                    id: user.holder.id,
                    expected_version: None,
                    command: user::Command::RehashPassword,
                },
                prepared: Some(Prepared::ChosenPassword { phc, checked: user.credential.version }),
                reservation: None,
                seen: Position::new(),
            };
            if let Err(failure) = commands.submit(command, Instant::now() + command_deadline).await {
                tracing::debug!(
                    error = %Causes(&failure),
                    "A password stays as it was stored."
                );
            }
        });
    }
}
