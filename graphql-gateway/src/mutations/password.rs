//! Mutations of passwords: an administrator resets one, a user changes their own.
//!
//! Passwords are checked and hashed here, so that the command side sees digests alone:
//! `docs/adr/0005-secrets-stay-at-the-gateway.md`.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::access::SignInFailureReason;
use domain::command::{Answer, Ask};
use domain::decision_context::Prepared;
use domain::refusal::{Code, Refusal};
use domain::user::{Action, Command, password};
use secrecy::{ExposeSecret, SecretString};

use super::payload::PasswordPayload;
use super::payload_names::ResetPassword;
use super::retry::RetryFields;
use super::temporary_password::TemporaryPassword;
use crate::authentication::SignInError;
use crate::error::{ApiError, UserError, into_payload};
use crate::schema::context::submission;
use crate::secrets::normalised;
use crate::submission::{CommandOptions, unresolved_reservation};

/// Whether a reset ends the auth tokens, where the input doesn't say.
const REVOKE_TOKENS: bool = false;

/// Replaces a user's password by a temporary one.
#[derive(InputObject)]
pub(crate) struct ResetPasswordInput {
    /// The active user; not the caller, who changes the password instead.
    user_id: ID,
    /// Whether every auth token of the user ends as well.
    #[graphql(default_with = "Some(REVOKE_TOKENS)")]
    revoke_tokens: Option<bool>,
    #[graphql(flatten)]
    retry: RetryFields,
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

#[derive(Default)]
pub(super) struct PasswordMutations;

#[Object]
impl PasswordMutations {
    /// Replaces a user's password by a temporary one, shown this once; ends all sessions. For administrators.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ResetPasswordInput,
    ) -> Option<Result<PasswordPayload<ResetPassword>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let id = submission.authorizer.require(Action::ResetPassword, &input.user_id)?;
            let temporary = TemporaryPassword::generate(&submission.gateway.config);
            let options = CommandOptions::from(input.retry).prepared(temporary.prepared());
            let revoke_tokens = input.revoke_tokens.unwrap_or(REVOKE_TOKENS);
            let command = Command::ResetPassword(password::ResetPassword { revoke_tokens });
            let completed = submission.send_to_user(id, command, options).await?;
            Ok(temporary.payload(&submission, &completed, id).await)
        })
        .await
    }

    /// Replaces the caller's password. This session stays and becomes a full one; the others end.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ChangePasswordInput,
    ) -> Option<Result<ChangePasswordPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let gateway = submission.gateway;
            let session = submission.caller.any_session()?.ok_or(ApiError::Unauthenticated)?;
            let current = SecretString::from(input.current_password);
            let new = normalised(&input.new_password.into());
            let attempt = submission.caller.sign_in_attempt();
            let user = match gateway.authenticator.password(&session.username, &current, &attempt).await {
                Ok(user) => user,
                Err(SignInError::Delayed { retry_after_ms }) => {
                    return Err(ApiError::RateLimited { retry_after_ms }.into());
                }
                Err(SignInError::Rejected(SignInFailureReason::NotActive)) => {
                    return Err(ApiError::Unauthenticated.into());
                }
                Err(SignInError::Rejected(_)) => {
                    let refusal = Refusal::new(Code::WrongPassword, "This is not the current password.");
                    return Err(refusal.at("currentPassword").into());
                }
                Err(SignInError::Failed(error)) => return Err(error.into()),
            };
            if new.expose_secret() == normalised(&current).expose_secret() {
                let refusal = Refusal::new(Code::WeakPassword, "The new password must be another one.");
                return Err(refusal.at("newPassword").into());
            }
            let email = gateway.views.user(session.user_id).await?.and_then(|user| user.email);
            let words = [Some(session.username.clone()), email].into_iter().flatten().collect();
            gateway.hasher.check_policy(&new, words).await?.map_err(|refusal| refusal.at("newPassword"))?;
            let phc = gateway.hasher.hash(&new).await?;
            let prepared = Prepared::ChosenPassword { phc, checked: user.credential.version };
            let ask =
                Ask::User { id: session.user_id, expected_version: None, command: Command::ChangePassword };
            match submission.submit(ask, CommandOptions::default().prepared(prepared)).await? {
                Answer::Accepted { version, position, .. } => {
                    // At once: otherwise the session would end when the views show the new password.
                    gateway.sessions.renew(session, version).await?;
                    // After the answer the new password should open a session. If the wait is too long, it will soon.
                    let _visible = submission.wait_until_visible(&position).await;
                    Ok(ChangePasswordPayload { user_errors: Vec::new() })
                }
                Answer::Refused(refusals) => Err(refusals.into()),
                Answer::Forbidden => Err(submission.authorizer.deny("ChangePassword", None).into()),
                Answer::OfAddress(_) => Err(unresolved_reservation()),
            }
        })
        .await
    }
}
