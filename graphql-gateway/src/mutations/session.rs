//! Mutations that begin and end sessions: sign in and sign out.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use axum::http::header;
use domain::refusal::{Code, Refusal};
use secrecy::{ExposeSecret, SecretString};

use crate::authentication::SignInError;
use crate::error::{ApiError, UserError, into_payload};
use crate::schema::context::submission;
use crate::schema::scalar::DateTime;
use crate::schema::user::User;
use crate::sessions::Sessions;

/// Signs somebody in.
#[derive(InputObject)]
pub(crate) struct SignInInput {
    /// The username; capital letters count as small ones.
    username: String,
    /// The password, temporary or chosen.
    #[graphql(secret)]
    password: String,
    /// Whether the session travels as a cookie that no script can read, and not in the answer. For pages of this door.
    #[graphql(default_with = "Some(false)")]
    cookie: Option<bool>,
}

/// What became of the sign-in.
#[derive(SimpleObject)]
pub(crate) struct SignInPayload {
    /// `sign_in_failed`, whatever the reason; empty when the sign-in succeeded.
    user_errors: Vec<UserError>,
    /// Who is signed in now.
    viewer: Option<User>,
    /// The session, to be sent as `Authorization: Bearer`; shown this once, and null for a session in a cookie.
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
            let in_cookie = input.cookie == Some(true);
            if in_cookie && !submission.caller.is_own_page {
                return Err(ApiError::Forbidden.into());
            }
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
            if in_cookie {
                let Sessions { cookie, absolute, .. } = &*gateway.sessions;
                ctx.insert_http_header(header::SET_COOKIE, cookie.set(&token, *absolute));
            }
            Ok(SignInPayload {
                user_errors: Vec::new(),
                viewer: viewer.map(User::from),
                session_token: (!in_cookie).then(|| token.expose_secret().to_owned()),
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
            if submission.caller.has_cookie {
                ctx.insert_http_header(header::SET_COOKIE, submission.gateway.sessions.cookie.clear());
            }
            Ok(SignOutPayload { user_errors: Vec::new() })
        })
        .await
    }
}
