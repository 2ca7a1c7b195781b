//! Mutations of auth tokens: issue, revoke. The secret of a token is shown in one answer alone.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::decision_context::Prepared;
use domain::id::TokenId;
use domain::refusal::Code;
use domain::user::{Action, Command, tokens};
use secrecy::ExposeSecret;

use super::payload::read_back;
use super::retry::RetryFields;
use crate::error::{ApiError, UserError, into_payload};
use crate::ids::parse_id;
use crate::schema::context::submission;
use crate::schema::scalar::DateTime;
use crate::schema::token::{AuthToken, TokenScope};
use crate::secrets::{digest, token_secret};
use crate::submission::CommandOptions;

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
    #[graphql(flatten)]
    retry: RetryFields,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct IssueAuthTokenPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The token, without its secret.
    auth_token: Option<Result<AuthToken, ApiError>>,
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
pub(crate) struct RevokeAuthTokenInput {
    /// Whose: the caller's, or anybody's for an administrator.
    user_id: ID,
    /// The token.
    auth_token_id: ID,
    #[graphql(flatten)]
    retry: RetryFields,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct RevokeAuthTokenPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The token afterwards.
    auth_token: Option<Result<AuthToken, ApiError>>,
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
    ) -> Option<Result<IssueAuthTokenPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let user = submission.authorizer.require(Action::IssueAuthToken, &input.user_id)?;
            let secret = token_secret();
            let prepared = Prepared::TokenSecret { digest: digest(secret.expose_secret()) };
            let options = CommandOptions::from(input.retry).prepared(prepared);
            let command = Command::IssueAuthToken(tokens::IssueAuthToken {
                name: input.name,
                scopes: input.scopes.into_iter().map(Into::into).collect(),
                expires_at: input.expires_at.map(Into::into),
                allowed_networks: input.allowed_networks.unwrap_or_default(),
            });
            let completed = submission.send_to_user(user, command, options).await?;
            // The token's id is derived from the sequence number of the event that issued it, the command's last.
            let auth_token = read_back(
                &completed,
                submission.gateway.views.token(TokenId::issued_at(user, completed.version)),
            )
            .await;
            Ok(IssueAuthTokenPayload {
                user_errors: Vec::new(),
                auth_token,
                secret: completed.secret(&secret),
            })
        })
        .await
    }

    /// Ends an auth token: one's own, or any user's for an administrator.
    async fn revoke_auth_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: RevokeAuthTokenInput,
    ) -> Option<Result<RevokeAuthTokenPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let user = submission.authorizer.require(Action::RevokeAuthToken, &input.user_id)?;
            let message = "The user has no such token.";
            let token_id: TokenId =
                parse_id(&input.auth_token_id, "authTokenId", Code::UnknownToken, message)?;
            let options = CommandOptions::from(input.retry);
            let command = Command::RevokeAuthToken(tokens::RevokeAuthToken { token_id });
            let completed = submission.send_to_user(user, command, options).await?;
            let auth_token = read_back(&completed, submission.gateway.views.token(token_id)).await;
            Ok(RevokeAuthTokenPayload { user_errors: Vec::new(), auth_token })
        })
        .await
    }
}
