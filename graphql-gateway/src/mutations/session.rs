//! Signing in and out.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::refusal::{Code, Refusal};
use secrecy::{ExposeSecret, SecretString};

use crate::authentication::No;
use crate::error::api::{Fault, Stop, UserError, settle};
use crate::schema::scalar::DateTime;
use crate::schema::user::User;
use crate::submission::Errand;

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

#[derive(Default)]
pub(super) struct SessionMutations;

#[Object]
impl SessionMutations {
    /// Signs somebody in. Anybody may try, with a growing delay after failures.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: SignInInput,
    ) -> Result<SignInPayload, Fault> {
        settle(sign_in(&Errand::of(ctx), input).await)
    }

    /// Ends the caller's session.
    async fn sign_out(&self, ctx: &Context<'_>) -> Result<SignOutPayload, Fault> {
        let errand = Errand::of(ctx);
        let session = errand.caller.any_session()?.ok_or(Fault::Unauthenticated)?;
        errand.gateway.sessions().end(session).await?;
        errand.caller.sign_out();
        Ok(SignOutPayload { user_errors: Vec::new() })
    }
}

async fn sign_in(errand: &Errand<'_>, input: SignInInput) -> Result<SignInPayload, Stop> {
    let gateway = errand.gateway;
    let password = SecretString::from(input.password);
    let attempt = errand.caller.attempt();
    let known = match gateway.password(&input.username, &password, &attempt).await {
        Ok(known) => known,
        // One answer for unknown, wrong, pending, suspended, expired and delayed: it tells nothing about who exists.
        Err(No::Because(_) | No::Delayed { .. }) => {
            let message = "The sign-in failed. Check the username and the password, or try again later.";
            return Err(Refusal::new(Code::SignInFailed, message).into());
        }
        Err(No::Failed(fault)) => return Err(fault.into()),
    };
    let must_change_password = known.credential.kind.must_change();
    let user = gateway.user(known.holder.id).await?;
    let (token, expires_at) = gateway.sessions().begin(&known, &errand.caller.client).await?;
    gateway.signed_in(&known, &attempt);
    gateway.strengthen(&known, password, &attempt);
    Ok(SignInPayload {
        user_errors: Vec::new(),
        viewer: user.map(User::from),
        session_token: Some(token.expose_secret().to_owned()),
        must_change_password,
        expires_at: Some(expires_at.into()),
    })
}
