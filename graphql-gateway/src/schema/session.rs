//! The GraphQL type of sessions: where a user is signed in.

use async_graphql::{ID, SimpleObject};
use read_model::sessions::Session as SessionRow;

use super::connection::Listed;
use super::scalar::DateTime;
use crate::sessions::ActiveSession;

/// Where a user is signed in at the portals.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Session {
    /// Names it alone; opens nothing.
    #[graphql(owned)]
    pub(crate) id: ID,
    /// When the user signed in.
    created_at: DateTime,
    /// When it was used last, exact to a minute.
    last_seen_at: DateTime,
    /// When it ends at the latest.
    expires_at: DateTime,
    /// The address that signed in.
    client_address: Option<String>,
    /// The program that signed in, as it names itself.
    user_agent: Option<String>,
    /// Whether the question comes from this session.
    current: bool,
}

impl Session {
    /// The session as `asking` sees it.
    pub(crate) fn seen_by(row: SessionRow, asking: &ActiveSession) -> Self {
        Self {
            id: row.id().into(),
            created_at: row.created_at.into(),
            last_seen_at: row.last_seen_at.into(),
            expires_at: row.expires_at.into(),
            current: asking.is(&row),
            client_address: row.client.address,
            user_agent: row.client.agent,
        }
    }
}

impl Listed for Session {
    const CONNECTION: &'static str = "SessionConnection";
    const EDGE: &'static str = "SessionEdge";
}
