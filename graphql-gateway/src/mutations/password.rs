//! Temporary and chosen passwords: made or checked here, so that the command side only ever sees digests.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::access::FailedBecause;
use domain::command::{Answer, Ask};
use domain::decision_context::Prepared;
use domain::refusal::{Code, Refusal};
use domain::timestamp::Timestamp;
use domain::user::{Command, password};
use secrecy::{ExposeSecret, SecretString};

use super::payload::{Mutation, PasswordPayload, ResetPassword};
use crate::authentication::No;
use crate::clock::now;
use crate::error::api::{Fault, Stop, UserError, settle};
use crate::gateway::Gateway;
use crate::schema::user::User;
use crate::secrets::{composed, digest, temporary_password};
use crate::submission::{Done, Errand, With, unfinished};

/// Replaces a user's password by a temporary one.
#[derive(InputObject)]
pub(crate) struct ResetPasswordInput {
    /// The active user.
    user_id: ID,
    /// Whether every auth token of the user ends as well.
    #[graphql(default = false)]
    revoke_tokens: bool,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
}

/// Replaces the caller's password.
#[derive(InputObject)]
pub(crate) struct ChangePasswordInput {
    /// The password until now, temporary or chosen.
    #[graphql(secret)]
    current_password: String,
    /// The password from now on: 15 to 128 characters, not easily guessed.
    #[graphql(secret)]
    new_password: String,
}

/// What became of the change.
#[derive(SimpleObject)]
pub(crate) struct ChangePasswordPayload {
    /// Why a rule said no; empty when the password was changed.
    user_errors: Vec<UserError>,
}

impl From<Vec<UserError>> for ChangePasswordPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors }
    }
}

/// A temporary password on its way to the one answer that shows it.
pub(super) struct Temporary {
    password: SecretString,
    expires_at: Timestamp,
}

impl Temporary {
    pub(super) fn make(gateway: &Gateway) -> Self {
        let expires_at = now() + gateway.config.temporary_password_validity;
        Self { password: temporary_password(), expires_at }
    }

    /// What the command carries of it.
    pub(super) fn prepared(&self) -> Prepared {
        let digest = digest(self.password.expose_secret());
        Prepared::TemporaryPassword { digest, expires_at: self.expires_at }
    }

    /// The answer that shows it, unless the command was sent before and this password never came to be.
    pub(super) fn payload<M: Mutation>(
        &self,
        user: Option<Result<User, Fault>>,
        done: &Done,
    ) -> PasswordPayload<M> {
        PasswordPayload::new(user, done.secret(&self.password), done.unless_repeated(self.expires_at.into()))
    }
}

#[derive(Default)]
pub(super) struct PasswordMutations;

#[Object]
impl PasswordMutations {
    /// Replaces a user's password by a temporary one, shown this once; ends all sessions. For administrators.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ResetPasswordInput,
    ) -> Result<PasswordPayload<ResetPassword>, Fault> {
        settle(reset(&Errand::of(ctx), &input).await)
    }

    /// Replaces the caller's password. This session stays and becomes a full one; the others end.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload, Fault> {
        settle(change(&Errand::of(ctx), input).await)
    }
}

async fn reset(
    errand: &Errand<'_>,
    input: &ResetPasswordInput,
) -> Result<PasswordPayload<ResetPassword>, Stop> {
    let id = errand.administers("ResetPassword", &input.user_id)?;
    let temporary = Temporary::make(errand.gateway);
    let with = With::of(input.command_id.as_ref(), None).prepared(temporary.prepared());
    let command = Command::ResetPassword(password::ResetPassword { revoke_tokens: input.revoke_tokens });
    let done = errand.ask_user(id, command, with).await?;
    Ok(temporary.payload(errand.user(&done, id).await, &done))
}

async fn change(errand: &Errand<'_>, input: ChangePasswordInput) -> Result<ChangePasswordPayload, Stop> {
    let gateway = errand.gateway;
    let session = errand.caller.any_session()?.ok_or(Fault::Unauthenticated)?;
    let current = SecretString::from(input.current_password);
    let new = composed(&input.new_password.into());
    let attempt = errand.caller.attempt();
    let known = match gateway.password(&session.username, &current, &attempt).await {
        Ok(known) => known,
        Err(No::Delayed { retry_after_ms }) => return Err(Fault::RateLimited { retry_after_ms }.into()),
        Err(No::Because(FailedBecause::NotActive)) => return Err(Fault::Unauthenticated.into()),
        Err(No::Because(_)) => {
            let refusal = Refusal::new(Code::WrongPassword, "This is not the current password.");
            return Err(refusal.at("currentPassword").into());
        }
        Err(No::Failed(fault)) => return Err(fault.into()),
    };
    if new.expose_secret() == composed(&current).expose_secret() {
        let refusal = Refusal::new(Code::WeakPassword, "The new password must be another one.");
        return Err(refusal.at("newPassword").into());
    }
    let email = gateway.user(session.id).await?.and_then(|user| user.email);
    let words = [Some(session.username.clone()), email].into_iter().flatten().collect();
    gateway.hasher.judge(&new, words).await?.map_err(|refusal| refusal.at("newPassword"))?;
    let phc = gateway.hasher.hash(&new).await?;
    let prepared = Prepared::ChosenPassword { phc, checked: known.credential.version };
    let ask = Ask::User { id: session.id, expected_version: None, command: Command::ChangePassword };
    match errand.submit(ask, With::default().prepared(prepared)).await? {
        Answer::Accepted { version, position, .. } => {
            // The session follows the password at once: it would end when the views show the new one.
            gateway.sessions().follow(session, version).await?;
            // Whoever hears that it was changed may sign in with it; longer than its time nobody waits for that.
            let _shown = errand.wait(&position).await;
            Ok(ChangePasswordPayload { user_errors: Vec::new() })
        }
        Answer::Refused(refusals) => Err(refusals.into()),
        Answer::Forbidden => Err(errand.denied("ChangePassword", None).into()),
        Answer::OfAddress(_) => Err(unfinished()),
    }
}
