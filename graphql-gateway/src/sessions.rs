//! Sessions: opaque bearer tokens that live in the views, next to the credentials that they depend on.
//!
//! A session is valid while it is used (`--session-idle`), until its absolute end (`--session-absolute`), while its
//! user is active, and until the user's password is replaced. Only the hash of a token is stored.

use std::time::Duration;

use domain::actor::{Actor, Client, Roles};
use domain::group::GroupRef;
use domain::id::UserId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;
use read_model::ReadModel;
use read_model::sessions::{self, Session, TokenHash};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::authentication::Authenticated;
use crate::clock::now;
use crate::config::Config;
use crate::error::ApiError;
use crate::secrets::session_token;

#[cfg(test)]
mod tests;

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
    absolute: Duration,
}

impl Sessions {
    pub(crate) fn new(views: ReadModel, config: &Config) -> Self {
        Self { views, idle: config.session_idle, absolute: config.session_absolute }
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

    /// Ends a session.
    pub(crate) async fn end(&self, session: &ActiveSession) -> Result<(), ApiError> {
        self.views.end_session(&session.token_hash).await?;
        Ok(())
    }

    /// Ends every session of a user.
    pub(crate) async fn end_all(&self, user: UserId) -> Result<(), ApiError> {
        self.views.end_sessions(user).await?;
        Ok(())
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
fn is_valid(found: &sessions::SessionWithUser, at: Timestamp, idle: Duration) -> bool {
    let session = &found.session;
    let has_current_password =
        found.password_version.is_some_and(|version| session.credential_version >= version);
    let is_in_time = at < session.expires_at && at < session.last_seen_at + idle;
    has_current_password && is_in_time && found.holder.state == UserStatus::Active
}

fn active(found: sessions::SessionWithUser) -> ActiveSession {
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
