//! Mutations that end sessions other than by signing out.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::id::SessionId;
use domain::policy::{self, Denial};
use domain::refusal::{Code, Refusal};
use read_model::sessions::SessionWithUser;

use crate::error::{ApiError, UserError, into_payload};
use crate::ids::parse_id;
use crate::schema::context::submission;

const NO_SESSION: &str = "There is no such session.";

/// Ends one session.
#[derive(InputObject)]
pub(crate) struct EndSessionInput {
    /// The session, one of the caller's own; for administrators anybody's.
    session_id: ID,
}

/// Ends the sessions of a user.
#[derive(InputObject)]
pub(crate) struct EndSessionsInput {
    /// The user: the caller, or for administrators anybody.
    user_id: ID,
    /// Whether the session that asks stays.
    #[graphql(default_with = "Some(true)")]
    except_current: Option<bool>,
}

/// What became of the session.
#[derive(SimpleObject)]
pub(crate) struct EndSessionPayload {
    /// Why a rule said no; empty when the session has ended.
    user_errors: Vec<UserError>,
}

/// What became of the sessions.
#[derive(SimpleObject)]
pub(crate) struct EndSessionsPayload {
    /// Why a rule said no; empty when the sessions have ended.
    user_errors: Vec<UserError>,
    /// How many have ended.
    ended: i32,
}

impl From<Vec<UserError>> for EndSessionPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors }
    }
}

impl From<Vec<UserError>> for EndSessionsPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, ended: 0 }
    }
}

#[derive(Default)]
pub(super) struct SessionEndings;

#[Object]
impl SessionEndings {
    /// Ends a session of the caller; for administrators anybody's.
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: EndSessionInput,
    ) -> Option<Result<EndSessionPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let sessions = &submission.gateway.sessions;
            let actor = submission.caller.require_session()?.actor();
            let id: SessionId = parse_id(&input.session_id, "sessionId", Code::UnknownSession, NO_SESSION)?;
            let unknown = || Refusal::new(Code::UnknownSession, NO_SESSION).at("sessionId");
            let SessionWithUser { session, holder, .. } =
                sessions.find_by_id(id).await?.ok_or_else(unknown)?;
            match policy::may_end_sessions(&actor, holder.id, holder.roles) {
                Ok(()) => {}
                // Somebody else's session looks as if it did not exist.
                Err(Denial::Forbidden) => return Err(unknown().into()),
                Err(Denial::Refused(Refusal { code, message, .. })) => {
                    return Err(Refusal::new(code, message).at("sessionId").into());
                }
            }
            sessions.end_stored(&session).await?;
            Ok(EndSessionPayload { user_errors: Vec::new() })
        })
        .await
    }

    /// Ends the sessions of the caller; for administrators anybody's.
    async fn end_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: EndSessionsInput,
    ) -> Option<Result<EndSessionsPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let sessions = &submission.gateway.sessions;
            let user = submission.authorizer.require_self_or_administrator("EndSessions", &input.user_id)?;
            let asking = submission.caller.require_session()?;
            let unknown = || Refusal::new(Code::UnknownUser, "There is no such user.").at("userId");
            let roles = submission.gateway.views.user(user).await?.ok_or_else(unknown)?.roles;
            match policy::may_end_sessions(&asking.actor(), user, roles) {
                Ok(()) => {}
                Err(Denial::Forbidden) => return Err(ApiError::Forbidden.into()),
                Err(Denial::Refused(refusal)) => return Err(refusal.into()),
            }
            let ended = if input.except_current.unwrap_or(true) {
                sessions.end_others(user, asking).await?
            } else {
                sessions.end_all(user).await?
            };
            Ok(EndSessionsPayload {
                user_errors: Vec::new(),
                ended: i32::try_from(ended).unwrap_or(i32::MAX),
            })
        })
        .await
    }
}
