//! Sessions and failed sign-ins: operational state. The log doesn't hold it, and refilling the views leaves it alone.

use std::time::Duration;

use domain::actor::Client;
use domain::id::{SessionId, UserId};
use domain::timestamp::Timestamp;
use uuid::Uuid;

use crate::credentials::{HOLDER, Holder};
use crate::database::Database;
use crate::error::Error;
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns, broken};
use crate::statement::sql;

/// SHA-256 of a session's token.
pub type TokenHash = [u8; 32];

/// A session as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token. The token itself is not stored.
    pub token_hash: TokenHash,
    /// The user.
    pub user_id: UserId,
    /// Version of the password at sign-in. The session is valid while the password has this version.
    pub credential_version: u64,
    /// Whether the password has to be changed first.
    pub must_change: bool,
    /// The time of sign-in.
    pub created_at: Timestamp,
    /// The last recorded use.
    pub last_seen_at: Timestamp,
    /// When it ends, regardless of use.
    pub expires_at: Timestamp,
    /// The client at sign-in.
    pub client: Client,
}

impl Session {
    /// Names the session. It is half of the digest, so it opens nothing.
    pub fn id(&self) -> SessionId {
        let mut half = [0; 16];
        half.copy_from_slice(&self.token_hash[..16]);
        SessionId::from_uuid(Uuid::from_bytes(half))
    }
}

/// Without the hash, which has no place in logs.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("user_id", &self.user_id)
            .field("must_change", &self.must_change)
            .finish_non_exhaustive()
    }
}

/// A session with its user and the present password version, on which its validity depends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionWithUser {
    /// The session.
    pub session: Session,
    /// The user as the views show it now.
    pub holder: Holder,
    /// The present version of the password; `None` if the user has no password any more.
    pub password_version: Option<u64>,
}

/// Consecutive failed sign-ins of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// Their number.
    pub failures: u32,
    /// No sign-in is tried before this instant.
    pub next_allowed_at: Timestamp,
}

impl ReadModel {
    /// Stores a new session.
    pub async fn create_session(&self, session: &Session) -> Result<(), Error> {
        let statement =
            sql("INSERT INTO operational.sessions (token_hash, user_id, credential_version, must_change, \
             created_at, last_seen_at, expires_at, client_address, client_agent) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(&session.token_hash)
            .bind(session.user_id)
            .bind(session.credential_version)
            .bind(session.must_change)
            .bind(session.created_at)
            .bind(session.last_seen_at)
            .bind(session.expires_at)
            .bind(&session.client.address)
            .bind(&session.client.agent);
        self.database.execute(statement).await.map(drop)
    }

    /// The session with this token hash, with its user and the present password version, in one query.
    pub async fn session(&self, token_hash: &TokenHash) -> Result<Option<SessionWithUser>, Error> {
        let text = with_user("WHERE sessions.token_hash = $1");
        self.database.maybe_one(sql(text).bind(token_hash)).await
    }

    /// The session with this id.
    pub async fn session_by_id(&self, id: SessionId) -> Result<Option<SessionWithUser>, Error> {
        let half = id.uuid().into_bytes();
        let (mut least, mut most) = ([0; 32], [u8::MAX; 32]);
        least[..16].copy_from_slice(&half);
        most[..16].copy_from_slice(&half);
        let text = with_user("WHERE sessions.token_hash BETWEEN $1 AND $2");
        self.database.maybe_one(sql(text).bind(&least).bind(&most)).await
    }

    /// The sessions of a user, valid or not, the last used first; at most `most`.
    pub async fn sessions_of(&self, user: UserId, most: u32) -> Result<Vec<SessionWithUser>, Error> {
        let text = with_user(
            "WHERE sessions.user_id = $1 ORDER BY sessions.last_seen_at DESC, sessions.token_hash LIMIT $2",
        );
        self.database.all(sql(text).bind(user).bind(most)).await
    }

    /// Records a use of a session.
    pub async fn touch_session(&self, token_hash: &TokenHash, at: Timestamp) -> Result<(), Error> {
        let text =
            "UPDATE operational.sessions SET last_seen_at = $2 WHERE token_hash = $1 AND last_seen_at < $2";
        self.database.execute(sql(text).bind(token_hash).bind(at)).await.map(drop)
    }

    /// Ends a session. Returns whether there was one.
    pub async fn end_session(&self, token_hash: &TokenHash) -> Result<bool, Error> {
        let text = "DELETE FROM operational.sessions WHERE token_hash = $1";
        Ok(self.database.execute(sql(text).bind(token_hash)).await? > 0)
    }

    /// Ends all other sessions of a user. Returns how many.
    pub async fn end_other_sessions(&self, user: UserId, kept: &TokenHash) -> Result<u64, Error> {
        let text = "DELETE FROM operational.sessions WHERE user_id = $1 AND token_hash <> $2";
        self.database.execute(sql(text).bind(user).bind(kept)).await
    }

    /// Ends all sessions of a user. Returns how many.
    pub async fn end_sessions(&self, user: UserId) -> Result<u64, Error> {
        self.database.execute(sql("DELETE FROM operational.sessions WHERE user_id = $1").bind(user)).await
    }

    /// Makes a session unrestricted and valid for this version of the password.
    pub async fn upgrade_session(
        &self,
        token_hash: &TokenHash,
        credential_version: u64,
    ) -> Result<(), Error> {
        let text =
            "UPDATE operational.sessions SET credential_version = $2, must_change = $3 WHERE token_hash = $1";
        self.database.execute(sql(text).bind(token_hash).bind(credential_version).bind(false)).await.map(drop)
    }

    /// Deletes sessions that ended before an instant. Returns how many.
    pub async fn forget_sessions(&self, before: Timestamp) -> Result<u64, Error> {
        self.database
            .execute(sql("DELETE FROM operational.sessions WHERE expires_at < $1").bind(before))
            .await
    }

    /// The failed sign-ins of an account. The caller decides what text names an account.
    pub async fn throttle(&self, account: &str) -> Result<Option<Throttle>, Error> {
        let text = "SELECT failures, next_allowed_at FROM operational.throttles WHERE account = $1";
        self.database.maybe_one(sql(text).bind(account)).await
    }

    /// Counts one more failure. `delay` maps the number of failures to the time before the next attempt.
    pub async fn sign_in_failed(
        &self,
        account: &str,
        now: Timestamp,
        delay: impl Fn(u32) -> Duration + Send + 'static,
    ) -> Result<Throttle, Error> {
        let counted = "INSERT INTO operational.throttles (account, failures, next_allowed_at) VALUES ($1, 1, $2) \
            ON CONFLICT (account) DO UPDATE SET failures = throttles.failures + 1 RETURNING failures, next_allowed_at";
        let (database, account) = (self.database.clone(), account.to_owned());
        let counting = async move {
            let mut work = database.begin().await?;
            let counted: Option<Throttle> = work.maybe_one(sql(counted).bind(&account).bind(now)).await?;
            let Throttle { failures, .. } = counted.ok_or(sqlx::Error::RowNotFound)?;
            let next_allowed_at = now + delay(failures);
            let text = "UPDATE operational.throttles SET next_allowed_at = $2 WHERE account = $1";
            work.execute(sql(text).bind(&account).bind(next_allowed_at)).await?;
            work.commit().await?;
            Ok(Throttle { failures, next_allowed_at })
        };
        Database::whole(counting).await
    }

    /// Deletes failures whose delay ended before an instant. Names without a user are counted too, so they pile up.
    pub async fn forget_throttles(&self, before: Timestamp) -> Result<u64, Error> {
        let text = "DELETE FROM operational.throttles WHERE next_allowed_at < $1";
        self.database.execute(sql(text).bind(before)).await
    }

    /// Deletes the failures of an account.
    pub async fn sign_in_succeeded(&self, account: &str) -> Result<(), Error> {
        let text = "DELETE FROM operational.throttles WHERE account = $1";
        self.database.execute(sql(text).bind(account)).await.map(drop)
    }
}

/// Reads sessions with their users and the present versions of the passwords.
fn with_user(condition: &str) -> String {
    format!(
        "SELECT sessions.token_hash, sessions.user_id, sessions.credential_version, sessions.must_change, \
         sessions.created_at, sessions.last_seen_at, sessions.expires_at, sessions.client_address, \
         sessions.client_agent, {HOLDER}, credentials.version AS password_version \
         FROM operational.sessions JOIN users ON users.id = sessions.user_id \
         LEFT JOIN credentials ON credentials.id = sessions.user_id {condition}"
    )
}

impl FromColumns for SessionWithUser {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let token_hash = row.bytes("token_hash")?;
        let session = Session {
            token_hash: token_hash.try_into().map_err(|_| broken("token_hash", "has another length"))?,
            user_id: row.user_id("user_id")?,
            credential_version: row.number("credential_version")?,
            must_change: row.flag("must_change")?,
            created_at: row.time("created_at")?,
            last_seen_at: row.time("last_seen_at")?,
            expires_at: row.time("expires_at")?,
            client: Client {
                address: row.maybe_text("client_address")?,
                agent: row.maybe_text("client_agent")?,
            },
        };
        Ok(Self {
            session,
            holder: Holder::from_columns(row)?,
            password_version: row.maybe_number("password_version")?,
        })
    }
}

impl FromColumns for Throttle {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self { failures: row.number("failures")?, next_allowed_at: row.time("next_allowed_at")? })
    }
}
