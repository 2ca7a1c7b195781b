//! Sessions: opaque bearer tokens that live in the views, next to the credentials that they depend on.
//!
//! A session is valid while it is used (`--session-idle`), until its absolute end (`--session-absolute`), while its
//! user is active, and until the user's password is replaced. Only the hash of a token is stored.

use std::time::Duration;

use domain::actor::{Actor, Client, Roles};
use domain::group::GroupRef;
use domain::id::{SessionId, UserId};
use domain::timestamp::Timestamp;
use domain::user::UserStatus;
use read_model::sessions::{Session, SessionWithUser, TokenHash};
use read_model::{Edge, Page, ReadModel, Window};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::authentication::Authenticated;
use crate::clock::now;
use crate::config::Config;
use crate::error::ApiError;
use crate::secrets::session_token;
use crate::session_cookie::SessionCookie;

#[cfg(test)]
mod tests;

/// Sessions of one user that are listed. Older ones are those that nobody used for longest.
const MOST_LISTED: u32 = 500;
/// Longest time for which the last use of a session stays unwritten.
const TOUCH_INTERVAL: Duration = Duration::from_mins(1);

/// A session that was valid when the request came, and its user.
#[derive(Debug, Clone)]
pub(crate) struct ActiveSession {
    pub(crate) user_id: UserId,
    pub(crate) username: String,
    pub(crate) roles: Roles,
    pub(crate) group: Option<GroupRef>,
    /// The partition of the user's events.
    pub(crate) partition: u32,
    /// Whether the session may only change the password.
    pub(crate) must_change_password: bool,
    token_hash: TokenHash,
}

impl ActiveSession {
    /// Whether a stored session is this one.
    pub(crate) fn is(&self, stored: &Session) -> bool {
        self.token_hash == stored.token_hash
    }

    /// The user, as commands name them.
    pub(crate) fn actor(&self) -> Actor {
        Actor::User { id: self.user_id, name: self.username.clone(), roles: self.roles }
    }

    /// What names the session without giving it away.
    pub(crate) fn token_hash(&self) -> TokenHash {
        self.token_hash
    }
}

/// Begins, finds and ends sessions.
pub(crate) struct Sessions {
    views: ReadModel,
    /// A session that is unused for this long has ended.
    idle: Duration,
    /// A session lives no longer than this.
    pub(crate) absolute: Duration,
    /// How browsers hold their session.
    pub(crate) cookie: SessionCookie,
}

impl Sessions {
    pub(crate) fn new(views: ReadModel, config: &Config) -> Self {
        let cookie = SessionCookie::new(config.is_dev());
        Self { views, idle: config.session_idle, absolute: config.session_absolute, cookie }
    }

    /// Begins a session. Returns its token, which exists nowhere else, and its absolute end.
    pub(crate) async fn begin(
        &self,
        user: &Authenticated,
        client: &Client,
    ) -> Result<(SecretString, Timestamp), ApiError> {
        let token = session_token();
        let at = now();
        let expires_at = at + self.absolute;
        let session = Session {
            token_hash: hash(&token),
            user_id: user.holder.id,
            credential_version: user.credential.version,
            must_change: user.credential.kind.must_change(),
            created_at: at,
            last_seen_at: at,
            expires_at,
            client: client.clone(),
        };
        self.views.create_session(&session).await?;
        Ok((token, expires_at))
    }

    /// The valid session of this token, if there is one.
    pub(crate) async fn find(&self, token: &SecretString) -> Result<Option<ActiveSession>, ApiError> {
        let token_hash = hash(token);
        let Some(found) = self.views.session(&token_hash).await? else { return Ok(None) };
        if found.holder.state != UserStatus::Active {
            // Deleted, so that it stays ended when the user is reactivated.
            self.views.end_session(&token_hash).await?;
            return Ok(None);
        }
        let at = now();
        if !is_valid(&found, at, self.idle) {
            return Ok(None);
        }
        let touch_interval = TOUCH_INTERVAL.min(self.idle / 10);
        if found.session.last_seen_at + touch_interval <= at {
            self.views.touch_session(&token_hash, at).await?;
        }
        Ok(Some(active(found)))
    }

    /// The session, if it is still valid. Asking is no use of it: somebody who only looks on does not stay signed in.
    pub(crate) async fn standing(&self, token_hash: TokenHash) -> Result<Option<ActiveSession>, ApiError> {
        let found = self.views.session(&token_hash).await?;
        Ok(found.filter(|found| is_valid(found, now(), self.idle)).map(active))
    }

    /// Part of the valid sessions of a user, the last used first. A cursor is the id of a session.
    pub(crate) async fn page(&self, user: UserId, window: &Window) -> Result<Page<Session>, ApiError> {
        let at = now();
        let stored = self.views.sessions_of(user, MOST_LISTED).await?;
        let valid: Vec<Session> = stored
            .into_iter()
            .filter(|found| is_valid(found, at, self.idle))
            .map(|found| found.session)
            .collect();
        let start = match &window.after {
            Some(cursor) => {
                valid.iter().position(|session| session.id().to_string() == *cursor).map_or(0, |at| at + 1)
            }
            None => 0,
        };
        let size = usize::try_from(window.size).unwrap_or(usize::MAX);
        let (number, has_next) = (valid.len() as u64, valid.len() > start + size);
        let rows = valid.into_iter().skip(start).take(size);
        let edges: Vec<_> = rows.map(|row| Edge { cursor: row.id().to_string(), row }).collect();
        let cursor = |edge: Option<&Edge<Session>>| edge.map(|edge| edge.cursor.clone());
        let (start_cursor, end) = (cursor(edges.first()), cursor(edges.last()));
        Ok(Page { edges, has_next, has_previous: start > 0, start: start_cursor, end, total: Some(number) })
    }

    /// The valid session of this id and its user, if there is one.
    pub(crate) async fn find_by_id(&self, id: SessionId) -> Result<Option<SessionWithUser>, ApiError> {
        let found = self.views.session_by_id(id).await?;
        Ok(found.filter(|found| is_valid(found, now(), self.idle)))
    }

    /// Ends the session that is stored so.
    pub(crate) async fn end_stored(&self, session: &Session) -> Result<(), ApiError> {
        self.views.end_session(&session.token_hash).await?;
        Ok(())
    }

    /// Ends every session of a user but, if it is one of them, the one that asks. Returns how many.
    pub(crate) async fn end_others(&self, user: UserId, asking: &ActiveSession) -> Result<u64, ApiError> {
        Ok(self.views.end_other_sessions(user, &asking.token_hash).await?)
    }

    /// Ends a session.
    pub(crate) async fn end(&self, session: &ActiveSession) -> Result<(), ApiError> {
        self.views.end_session(&session.token_hash).await?;
        Ok(())
    }

    /// Ends every session of a user. Returns how many.
    pub(crate) async fn end_all(&self, user: UserId) -> Result<u64, ApiError> {
        Ok(self.views.end_sessions(user).await?)
    }

    /// After a change of password: makes the session a full one of the new password, and ends the user's others.
    pub(crate) async fn renew(
        &self,
        session: &ActiveSession,
        credential_version: u64,
    ) -> Result<(), ApiError> {
        self.views.upgrade_session(&session.token_hash, credential_version).await?;
        self.views.end_other_sessions(session.user_id, &session.token_hash).await?;
        Ok(())
    }
}

/// A session may be of a later version than the views show: it has just changed its password.
fn is_valid(found: &SessionWithUser, at: Timestamp, idle: Duration) -> bool {
    let session = &found.session;
    let has_current_password =
        found.password_version.is_some_and(|version| session.credential_version >= version);
    let is_in_time = at < session.expires_at && at < session.last_seen_at + idle;
    has_current_password && is_in_time && found.holder.state == UserStatus::Active
}

fn active(found: SessionWithUser) -> ActiveSession {
    ActiveSession {
        user_id: found.holder.id,
        username: found.holder.username,
        roles: found.holder.roles,
        group: found.holder.group,
        partition: found.holder.partition,
        must_change_password: found.session.must_change,
        token_hash: found.session.token_hash,
    }
}

fn hash(token: &SecretString) -> TokenHash {
    Sha256::digest(token.expose_secret()).into()
}
