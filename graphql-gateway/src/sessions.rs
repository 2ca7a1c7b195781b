//! Sessions: opaque tokens, valid while they are used, while their time lasts, and while password and user stay as they are.

use std::time::Duration;

use domain::actor::{Actor, Client, Roles};
use domain::id::UserId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;
use read_model::sessions::{self, Session, TokenHash};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::authentication::Proved;
use crate::clock::now;
use crate::error::api::Fault;
use crate::gateway::{Gateway, asked};
use crate::secrets::session_token;

/// How much of the idle time may pass until the use of a session is written again.
const WRITTEN_EVERY: Duration = Duration::from_mins(1);

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) roles: Roles,
    pub(crate) group: Option<domain::group::GroupRef>,
    pub(crate) partition: u32,
    /// Whether the session can do nothing but change the password.
    pub(crate) must_change_password: bool,
    token_hash: TokenHash,
}

impl SignedIn {
    /// The user as commands carry them.
    pub(crate) fn actor(&self) -> Actor {
        Actor::User { id: self.id, name: self.username.clone(), roles: self.roles }
    }
}

/// The sessions of a gateway.
pub(crate) struct Sessions<'a> {
    gateway: &'a Gateway,
}

impl Gateway {
    pub(crate) fn sessions(&self) -> Sessions<'_> {
        Sessions { gateway: self }
    }
}

impl Sessions<'_> {
    /// Begins a session. Its token exists nowhere else.
    pub(crate) async fn begin(
        &self,
        proved: &Proved,
        client: &Client,
    ) -> Result<(SecretString, Timestamp), Fault> {
        let token = session_token();
        let at = now();
        let expires_at = at + self.gateway.config.session_absolute;
        let session = Session {
            token_hash: hash(&token),
            user_id: proved.holder.id,
            credential_version: proved.credential.version,
            must_change: proved.credential.kind.must_change(),
            created_at: at,
            last_seen_at: at,
            expires_at,
            client: client.clone(),
        };
        self.gateway.views.create_session(&session).await.map_err(asked)?;
        Ok((token, expires_at))
    }

    /// The session of this token, if it is one that has not ended.
    pub(crate) async fn find(&self, token: &SecretString) -> Result<Option<SignedIn>, Fault> {
        let gateway = self.gateway;
        let token_hash = hash(token);
        let Some(found) = gateway.views.session(&token_hash).await.map_err(asked)? else { return Ok(None) };
        if found.holder.state != UserStatus::Active {
            // It does not come back when the user does.
            gateway.views.end_session(&token_hash).await.map_err(asked)?;
            return Ok(None);
        }
        let at = now();
        if !is_valid(&found, at, gateway.config.session_idle) {
            return Ok(None);
        }
        let written_every = WRITTEN_EVERY.min(gateway.config.session_idle / 10);
        if found.session.last_seen_at + written_every <= at {
            gateway.views.touch_session(&token_hash, at).await.map_err(asked)?;
        }
        Ok(Some(SignedIn {
            id: found.holder.id,
            username: found.holder.username,
            roles: found.holder.roles,
            group: found.holder.group,
            partition: found.holder.partition,
            must_change_password: found.session.must_change,
            token_hash,
        }))
    }

    /// Ends a session.
    pub(crate) async fn end(&self, session: &SignedIn) -> Result<(), Fault> {
        self.gateway.views.end_session(&session.token_hash).await.map(drop).map_err(asked)
    }

    /// Ends every session of a user.
    pub(crate) async fn end_all(&self, user: UserId) -> Result<(), Fault> {
        self.gateway.views.end_sessions(user).await.map(drop).map_err(asked)
    }

    /// Lets a session go on, as a full one, with the password that it has just chosen; ends the user's others.
    pub(crate) async fn follow(&self, session: &SignedIn, credential_version: u64) -> Result<(), Fault> {
        let views = &self.gateway.views;
        views.upgrade_session(&session.token_hash, credential_version).await.map_err(asked)?;
        views.end_other_sessions(session.id, &session.token_hash).await.map(drop).map_err(asked)
    }
}

/// A session of a version that the views don't show yet is valid too: it has just changed its password.
fn is_valid(found: &sessions::SignedIn, at: Timestamp, idle: Duration) -> bool {
    let session = &found.session;
    let has_its_password =
        found.password_version.is_some_and(|version| session.credential_version >= version);
    let is_in_time = at < session.expires_at && at < session.last_seen_at + idle;
    has_its_password && is_in_time && found.holder.state == UserStatus::Active
}

fn hash(token: &SecretString) -> TokenHash {
    Sha256::digest(token.expose_secret()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::names::Username;
    use read_model::credentials::Holder;

    const IDLE: Duration = Duration::from_hours(1);

    fn found() -> sessions::SignedIn {
        let id = UserId::of(&Username::parse("alice").unwrap());
        let begin = Timestamp::from_micros(0);
        sessions::SignedIn {
            session: Session {
                token_hash: [0; 32],
                user_id: id,
                credential_version: 3,
                must_change: false,
                created_at: begin,
                last_seen_at: begin,
                expires_at: begin + Duration::from_hours(24),
                client: Client::default(),
            },
            holder: Holder {
                id,
                username: "alice".to_owned(),
                state: UserStatus::Active,
                roles: Roles::BASE,
                group: None,
                version: 3,
                partition: 0,
            },
            password_version: Some(3),
        }
    }

    fn after(minutes: u64) -> Timestamp {
        Timestamp::from_micros(0) + Duration::from_mins(minutes)
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_when_its_time_is_over() {
        assert!(is_valid(&found(), after(59), IDLE));
        assert!(!is_valid(&found(), after(60), IDLE));
        let mut used = found();
        used.session.last_seen_at = after(24 * 60 - 1);
        assert!(is_valid(&used, after(24 * 60 - 1), IDLE));
        assert!(!is_valid(&used, after(24 * 60), IDLE));
    }

    #[test]
    fn a_session_ends_with_its_password_and_its_user() {
        let mut reset = found();
        reset.password_version = Some(4);
        assert!(!is_valid(&reset, after(1), IDLE));
        reset.password_version = None;
        assert!(!is_valid(&reset, after(1), IDLE));
        let mut suspended = found();
        suspended.holder.state = UserStatus::Suspended;
        assert!(!is_valid(&suspended, after(1), IDLE));
    }

    #[test]
    fn a_session_that_changed_its_password_does_not_wait_for_the_views() {
        let mut ahead = found();
        ahead.session.credential_version = 4;
        assert!(is_valid(&ahead, after(1), IDLE));
    }
}
