//! Temporary passwords: generated here and shown in one answer, so that the command side sees their digest alone.
//!
//! See `docs/adr/0005-secrets-stay-at-the-gateway.md`.

use domain::decision_context::Prepared;
use domain::id::UserId;
use domain::timestamp::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::payload::{PasswordPayload, read_back};
use super::payload_names::PayloadName;
use crate::clock::now;
use crate::config::Config;
use crate::secrets::{digest, temporary_password};
use crate::submission::{Completed, Submission};

/// A new temporary password.
pub(super) struct TemporaryPassword {
    password: SecretString,
    expires_at: Timestamp,
}

impl TemporaryPassword {
    pub(super) fn generate(config: &Config) -> Self {
        let expires_at = now() + config.temporary_passwords.temporary_password_validity;
        Self { password: temporary_password(), expires_at }
    }

    /// What the command carries.
    pub(super) fn prepared(&self) -> Prepared {
        let digest = digest(self.password.expose_secret());
        Prepared::TemporaryPassword { digest, expires_at: self.expires_at }
    }

    /// The answer that shows the password. It does not if the command was repeated: then this one was not used.
    pub(super) async fn payload<M: PayloadName>(
        &self,
        submission: &Submission<'_>,
        completed: &Completed,
        id: UserId,
    ) -> PasswordPayload<M> {
        let user = read_back(completed, submission.gateway.views.user(id)).await;
        let expires_at = completed.unless_repeated(self.expires_at.into());
        PasswordPayload::new(user, completed.secret(&self.password), expires_at)
    }
}
