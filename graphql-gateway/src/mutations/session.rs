//! Mutations that begin and end sessions: sign in and sign out.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::refusal::{Code, Refusal};
use secrecy::{ExposeSecret, SecretString};

use crate::authentication::SignInError;
use crate::error::{ApiError, UserError, into_payload};
use crate::schema::context::submission;
use crate::schema::scalar::DateTime;
use crate::schema::user::User;

/// Signs somebody in.
#[derive(InputObject)]
pub(crate) struct SignInInput {
    /// The username; capital letters count as small ones.
    username: String,
    /// The password, temporary or chosen.
    #[graphql(secret)]
    password: String,
}

/// What became of the sign-in.
#[derive(SimpleObject)]
pub(crate) struct SignInPayload {
    /// `sign_in_failed`, whatever the reason; empty when the sign-in succeeded.
    user_errors: Vec<UserError>,
    /// Who is signed in now.
    viewer: Option<User>,
    /// The session, to be sent as `Authorization: Bearer`; shown this once.
    session_token: Option<String>,
    /// Whether the session can do nothing but change the password.
    must_change_password: bool,
    /// When the session ends at the latest.
    expires_at: Option<DateTime>,
}

impl From<Vec<UserError>> for SignInPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, viewer: None, session_token: None, must_change_password: false, expires_at: None }
    }
}

/// What became of the sign-out.
#[derive(SimpleObject)]
pub(crate) struct SignOutPayload {
    /// Always empty: whoever is signed in can sign out.
    user_errors: Vec<UserError>,
}

impl From<Vec<UserError>> for SignOutPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors }
    }
}

#[derive(Default)]
pub(super) struct SessionMutations;

#[Object]
impl SessionMutations {
    /// Signs somebody in. Anybody may try, with a growing delay after failures.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: SignInInput,
    ) -> Option<Result<SignInPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let gateway = submission.gateway;
            let password = SecretString::from(input.password);
            let attempt = submission.caller.sign_in_attempt();
            let user = match gateway.authenticator.password(&input.username, &password, &attempt).await {
                Ok(user) => user,
                // One answer for unknown, wrong, pending, suspended, expired and delayed: it must not tell who exists.
                Err(SignInError::Rejected(_) | SignInError::Delayed { .. }) => {
                    let message =
                        "The sign-in failed. Check the username and the password, or try again later.";
                    return Err(Refusal::new(Code::SignInFailed, message).into());
                }
                Err(SignInError::Failed(error)) => return Err(error.into()),
            };
            let must_change_password = user.credential.kind.must_change();
            let viewer = gateway.views.user(user.holder.id).await?;
            let (token, expires_at) = gateway.sessions.begin(&user, &submission.caller.client).await?;
            gateway.authenticator.record_sign_in(&user, &attempt);
            gateway.rehasher.rehash_if_weaker(&user, password, &attempt);
            Ok(SignInPayload {
                user_errors: Vec::new(),
                viewer: viewer.map(User::from),
                session_token: Some(token.expose_secret().to_owned()),
                must_change_password,
                expires_at: Some(expires_at.into()),
            })
        })
        .await
    }

    /// Ends the caller's session.
    async fn sign_out(&self, ctx: &Context<'_>) -> Option<Result<SignOutPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let session = submission.caller.any_session()?.ok_or(ApiError::Unauthenticated)?;
            submission.gateway.sessions.end(session).await?;
            submission.caller.sign_out();
            Ok(SignOutPayload { user_errors: Vec::new() })
        })
        .await
    }
}
