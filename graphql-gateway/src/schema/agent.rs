//! The GraphQL types of file agents: their general config and their mailboxes.

use async_graphql::{ID, SimpleObject};
use domain::id::{MailboxId, UfaConfigId};
use domain::timestamp::Timestamp;
use domain::user::agent;
use read_model::mailboxes::MailboxRow;
use read_model::users::UserRow;

use super::connection::Listed;
use super::scalar::{DateTime, int};

/// What a user's file agent does in general.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct UfaConfig {
    /// Made from the user; never changes.
    #[graphql(owned)]
    pub(crate) id: ID,
    /// Whether the agent logs in detail.
    debug: bool,
    /// Where the agent logs; empty for its own default.
    log_file: String,
    /// Seconds between two heartbeats.
    heartbeat_interval: i32,
    /// Seconds between two looks at this config.
    config_interval: i32,
    /// Most transfers at a time.
    max_jobs: i32,
    /// Grows with every change of the config, of rules and of mailboxes that rules use.
    version: i32,
    /// When that changed last.
    updated_at: DateTime,
}

impl UfaConfig {
    pub(crate) fn of(user: &UserRow) -> Self {
        Self::new(UfaConfigId::of(user.id), &user.config, user.ufa_version, user.ufa_updated_at)
    }

    /// The config with this version, changed last at this instant.
    pub(super) fn new(
        id: UfaConfigId,
        config: &agent::UfaConfig,
        version: u64,
        updated_at: Timestamp,
    ) -> Self {
        Self {
            id: id.into(),
            debug: config.debug,
            log_file: config.log_file.clone(),
            heartbeat_interval: int(config.heartbeat_interval.into()),
            config_interval: int(config.config_interval.into()),
            max_jobs: int(config.max_jobs.into()),
            version: int(version),
            updated_at: updated_at.into(),
        }
    }
}

/// Where files wait for a user.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Mailbox {
    /// Made from the user and the name; never changes.
    #[graphql(owned)]
    pub(crate) id: ID,
    /// The name, unique within the user.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// Name of the topic downstream that carries its files.
    topic: String,
    /// Since when it is there.
    created_at: DateTime,
}

impl Mailbox {
    /// Whether it is this mailbox.
    pub(super) fn has_id(&self, id: MailboxId) -> bool {
        self.id.parse().is_ok_and(|own: MailboxId| own == id)
    }
}

impl From<MailboxRow> for Mailbox {
    fn from(row: MailboxRow) -> Self {
        let topic = row.topic();
        Self {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            topic,
            created_at: row.created_at.into(),
        }
    }
}

impl Listed for Mailbox {
    const CONNECTION: &'static str = "MailboxConnection";
    const EDGE: &'static str = "MailboxEdge";
}
