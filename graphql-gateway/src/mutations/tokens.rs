//! Issuing auth tokens and ending them; a secret is shown in one answer alone.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::decision_context::Prepared;
use domain::id::TokenId;
use domain::refusal::Code;
use domain::user::{Command, tokens};
use secrecy::ExposeSecret;

use crate::error::api::{Fault, Stop, UserError, settle};
use crate::schema::scalar::DateTime;
use crate::schema::token::{AuthToken, TokenScope};
use crate::secrets::{digest, token_secret};
use crate::submission::{Errand, With, id};

/// Issues an auth token. Its id and secret are the user and password of HTTP Basic.
#[derive(InputObject)]
pub(crate) struct IssueAuthTokenInput {
    /// Whose: the caller's, or anybody's for an administrator.
    user_id: ID,
    /// The name, unique among the user's living tokens; up to 64 characters.
    name: String,
    /// Where it passes; at least one.
    scopes: Vec<TokenScope>,
    /// When it stops working, at most two years from now; never when absent.
    expires_at: Option<DateTime>,
    /// From where it passes, as CIDR or single addresses; from everywhere when empty or absent.
    allowed_networks: Option<Vec<String>>,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct IssueAuthTokenPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The token, without its secret.
    auth_token: Option<Result<AuthToken, Fault>>,
    /// The secret, shown this once; null when the same command was sent before.
    secret: Option<String>,
}

impl From<Vec<UserError>> for IssueAuthTokenPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, auth_token: None, secret: None }
    }
}

/// Ends an auth token.
#[derive(InputObject)]
#[expect(clippy::struct_field_names, reason = "the fields are called as the API calls them")]
pub(crate) struct RevokeAuthTokenInput {
    /// Whose: the caller's, or anybody's for an administrator.
    user_id: ID,
    /// The token.
    auth_token_id: ID,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct RevokeAuthTokenPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The token afterwards.
    auth_token: Option<Result<AuthToken, Fault>>,
}

impl From<Vec<UserError>> for RevokeAuthTokenPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, auth_token: None }
    }
}

#[derive(Default)]
pub(super) struct TokenMutations;

#[Object]
impl TokenMutations {
    /// Issues an auth token: one's own, or any user's for an administrator. It passes on every gateway at once.
    async fn issue_auth_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: IssueAuthTokenInput,
    ) -> Result<IssueAuthTokenPayload, Fault> {
        settle(issue(&Errand::of(ctx), input).await)
    }

    /// Ends an auth token: one's own, or any user's for an administrator.
    async fn revoke_auth_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: RevokeAuthTokenInput,
    ) -> Result<RevokeAuthTokenPayload, Fault> {
        settle(revoke(&Errand::of(ctx), &input).await)
    }
}

async fn issue(errand: &Errand<'_>, input: IssueAuthTokenInput) -> Result<IssueAuthTokenPayload, Stop> {
    let user = errand.looks_after("IssueAuthToken", &input.user_id)?;
    let secret = token_secret();
    let prepared = Prepared::TokenSecret { digest: digest(secret.expose_secret()) };
    let with = With::of(input.command_id.as_ref(), None).prepared(prepared);
    let command = Command::IssueAuthToken(tokens::IssueAuthToken {
        name: input.name,
        scopes: input.scopes.into_iter().map(Into::into).collect(),
        expires_at: input.expires_at.map(Into::into),
        allowed_networks: input.allowed_networks.unwrap_or_default(),
    });
    let done = errand.ask_user(user, command, with).await?;
    // The token's id is made of the number of the event that issued it, which was the command's last.
    let auth_token =
        errand.shown(&done, errand.gateway.views.token(TokenId::issued_at(user, done.version))).await;
    Ok(IssueAuthTokenPayload { user_errors: Vec::new(), auth_token, secret: done.secret(&secret) })
}

async fn revoke(errand: &Errand<'_>, input: &RevokeAuthTokenInput) -> Result<RevokeAuthTokenPayload, Stop> {
    let user = errand.looks_after("RevokeAuthToken", &input.user_id)?;
    let message = "The user has no such token.";
    let token_id: TokenId = id(&input.auth_token_id, "authTokenId", Code::UnknownToken, message)?;
    let with = With::of(input.command_id.as_ref(), None);
    let command = Command::RevokeAuthToken(tokens::RevokeAuthToken { token_id });
    let done = errand.ask_user(user, command, with).await?;
    let auth_token = errand.shown(&done, errand.gateway.views.token(token_id)).await;
    Ok(RevokeAuthTokenPayload { user_errors: Vec::new(), auth_token })
}
