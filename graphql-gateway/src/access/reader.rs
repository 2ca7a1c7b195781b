//! Who may read the feeds of events, when a stream is opened and for as long as it is open.

use axum::http::HeaderMap;
use domain::actor::{Actor, Roles};
use domain::credential::Kind;
use domain::id::{TokenId, UserId};
use domain::user::UserStatus;
use read_model::sessions::TokenHash;

use super::decision::{AccessCheck, AccessDenied};
use super::service::Service;
use crate::clock::now;
use crate::headers::{Credentials, credentials};
use crate::request::RequestContext;
use crate::sessions::ActiveSession;

/// What a reader has shown. A stream ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ReaderCredential {
    /// A session.
    Session(TokenHash),
    /// An auth token with the scope for the feeds.
    Token(TokenId),
}

/// Somebody whose credential is good for reading. What they may read depends on their roles.
#[derive(Debug, Clone)]
pub(crate) struct EventReader {
    pub(crate) credential: ReaderCredential,
    pub(crate) user: UserId,
    pub(crate) username: String,
    pub(crate) roles: Roles,
}

impl EventReader {
    /// The holder of a session that was found to be good just now.
    pub(crate) fn of_session(session: &ActiveSession) -> Self {
        let credential = ReaderCredential::Session(session.token_hash());
        let (user, username, roles) = (session.user_id, session.username.clone(), session.roles);
        Self { credential, user, username, roles }
    }

    /// The reader, as the audit log names them.
    pub(crate) fn actor(&self) -> Actor {
        Actor::User { id: self.user, name: self.username.clone(), roles: self.roles }
    }
}

impl AccessCheck {
    /// The reader behind a request: a full session, or an auth token with the scope for the feeds.
    pub(crate) async fn check_reader(
        &self,
        headers: &HeaderMap,
        context: &RequestContext,
    ) -> Result<EventReader, AccessDenied> {
        match credentials(headers) {
            // A password is not asked for here: programs that read for weeks have tokens.
            Credentials::Basic(name, _) if name.parse::<TokenId>().is_err() => {
                Err(AccessDenied::Unauthenticated)
            }
            Credentials::Basic(..) => {
                let granted = self.check_access(headers, context, Service::Events).await?;
                let token = granted.token.ok_or(AccessDenied::Unauthenticated)?;
                let credential = ReaderCredential::Token(token);
                Ok(EventReader {
                    credential,
                    user: granted.user,
                    username: granted.username,
                    roles: granted.roles,
                })
            }
            Credentials::Bearer(token) => {
                let session = self.sessions.find(&token).await?.ok_or(AccessDenied::Unauthenticated)?;
                self.freshness.require(session.partition)?;
                if session.must_change_password {
                    return Err(AccessDenied::Forbidden);
                }
                Ok(EventReader::of_session(&session))
            }
            Credentials::None | Credentials::Unreadable => Err(AccessDenied::Unauthenticated),
        }
    }

    /// The roles of the reader behind a credential that was good before; `None` once it has ended. This is no use of the
    /// session or token.
    pub(crate) async fn roles_of(&self, credential: ReaderCredential) -> Result<Option<Roles>, AccessDenied> {
        let (roles, partition) = match credential {
            ReaderCredential::Session(token_hash) => {
                let Some(session) = self.sessions.standing(token_hash).await? else { return Ok(None) };
                (session.roles, session.partition)
            }
            ReaderCredential::Token(id) => {
                let found = self.authenticator.holder(id).await?;
                let Some((holder, credential)) = found else { return Ok(None) };
                let is_good = match &credential.kind {
                    Kind::Token { expires_at, .. } => expires_at.is_none_or(|end| end > now()),
                    Kind::Permanent { .. } | Kind::Temporary { .. } | Kind::WebhookSecret { .. } => false,
                };
                if !is_good || holder.state != UserStatus::Active {
                    return Ok(None);
                }
                (holder.roles, holder.partition)
            }
        };
        self.freshness.require(partition)?;
        Ok(Some(roles))
    }
}
