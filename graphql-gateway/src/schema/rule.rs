//! Agent rules: what a user's file agent uploads and downloads.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Interface, Object, SimpleObject};
use domain::id::{MailboxId, UserId};
use domain::user::rules::{self, Download, Kind, Upload};
use read_model::agents::RuleRow;

use super::agent::Mailbox;
use super::connection::Listed;
use super::loader::Loaders;
use super::scalar::DateTime;
use super::user::int;
use crate::error::api::Fault;

/// What becomes of a file that was uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::AckMode")]
pub(crate) enum AckMode {
    /// It stays.
    None,
    /// It moves to the archive.
    Archive,
    /// It is deleted.
    Delete,
}

/// Where in a mailbox to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::DeliverPolicy")]
pub(crate) enum DeliverPolicy {
    /// With the oldest file.
    All,
    /// With the next file that arrives.
    New,
    /// With the newest file.
    Last,
    /// With the first file after an instant.
    ByStartTime,
}

/// One thing that a user's file agent does.
#[derive(Debug, Clone, Interface)]
#[expect(clippy::duplicated_attributes, reason = "two of the fields have the same type")]
#[graphql(
    field(name = "id", ty = "ID", desc = "Made from the user and the name; never changes."),
    field(name = "name", ty = "&str", desc = "The name, unique within the user."),
    field(name = "active", ty = "bool", desc = "Whether the agent does it."),
    field(name = "poll_interval", ty = "i32", desc = "Seconds between two looks."),
    field(name = "subscribers", ty = "i32", desc = "Transfers at a time.")
)]
pub(crate) enum AgentRule {
    /// Files go from the agent to the platform.
    UploadRule(UploadRule),
    /// Files go from a mailbox to the agent.
    DownloadRule(DownloadRule),
}

impl Listed for AgentRule {
    const CONNECTION: &'static str = "AgentRuleConnection";
    const EDGE: &'static str = "AgentRuleEdge";
}

impl From<RuleRow> for AgentRule {
    fn from(row: RuleRow) -> Self {
        let topic = row.topic().unwrap_or_default();
        let common = Common {
            id: row.rule.id.into(),
            name: row.rule.name,
            active: row.rule.active,
            poll_interval: int(row.rule.poll_interval.into()),
            subscribers: int(row.rule.subscribers.into()),
        };
        match row.rule.kind {
            Kind::Upload(upload) => Self::UploadRule(UploadRule { common, upload }),
            Kind::Download(download) => {
                Self::DownloadRule(DownloadRule { common, user: row.user_id, topic, download })
            }
        }
    }
}

/// What every kind of rule has.
#[derive(Debug, Clone)]
struct Common {
    id: ID,
    name: String,
    active: bool,
    poll_interval: i32,
    subscribers: i32,
}

/// One piece of metadata.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct MetadataEntry {
    /// Its name.
    key: String,
    /// Its value.
    value: String,
}

/// Files that match a pattern go from the agent to the platform.
#[derive(Debug, Clone)]
pub(crate) struct UploadRule {
    common: Common,
    upload: Upload,
}

/// Files that match a pattern go from the agent to the platform.
#[Object]
impl UploadRule {
    /// Made from the user and the name; never changes.
    pub(crate) async fn id(&self) -> ID {
        self.common.id.clone()
    }

    /// The name, unique within the user.
    pub(crate) async fn name(&self) -> &str {
        &self.common.name
    }

    /// Whether the agent does it.
    pub(crate) async fn active(&self) -> bool {
        self.common.active
    }

    /// Seconds between two looks.
    pub(crate) async fn poll_interval(&self) -> i32 {
        self.common.poll_interval
    }

    /// Transfers at a time.
    pub(crate) async fn subscribers(&self) -> i32 {
        self.common.subscribers
    }

    /// Which files, as a glob or a regular expression.
    async fn match_pattern(&self) -> &str {
        &self.upload.match_pattern
    }

    /// Whether the pattern is a regular expression.
    async fn regex(&self) -> bool {
        self.upload.regex
    }

    /// Template of the name under which a file arrives; empty keeps the name.
    async fn upload_format(&self) -> &str {
        &self.upload.upload_format
    }

    /// What is attached to every file.
    async fn metadata(&self) -> Vec<MetadataEntry> {
        let entry =
            |entry: &rules::Entry| MetadataEntry { key: entry.key.clone(), value: entry.value.clone() };
        self.upload.metadata.iter().map(entry).collect()
    }

    /// What becomes of a file that was uploaded.
    async fn ack_mode(&self) -> AckMode {
        self.upload.ack_mode.into()
    }
}

/// Files go from one of the user's mailboxes to the agent.
#[derive(Debug, Clone)]
pub(crate) struct DownloadRule {
    common: Common,
    user: UserId,
    topic: String,
    download: Download,
}

/// Files go from one of the user's mailboxes to the agent.
#[Object]
impl DownloadRule {
    /// Made from the user and the name; never changes.
    pub(crate) async fn id(&self) -> ID {
        self.common.id.clone()
    }

    /// The name, unique within the user.
    pub(crate) async fn name(&self) -> &str {
        &self.common.name
    }

    /// Whether the agent does it.
    pub(crate) async fn active(&self) -> bool {
        self.common.active
    }

    /// Seconds between two looks.
    pub(crate) async fn poll_interval(&self) -> i32 {
        self.common.poll_interval
    }

    /// Transfers at a time.
    pub(crate) async fn subscribers(&self) -> i32 {
        self.common.subscribers
    }

    /// The mailbox that is read.
    async fn mailbox(&self, ctx: &Context<'_>) -> Result<Mailbox, Fault> {
        let id = MailboxId::of(self.user, &self.download.mailbox);
        // A mailbox that a rule uses can't be deleted; between two reads both may go.
        ctx.data_unchecked::<Arc<Loaders>>()
            .mailbox(id)
            .await?
            .ok_or(Fault::Unavailable { retry_after_ms: 100 })
    }

    /// Name of the topic downstream that is read.
    async fn topic(&self) -> &str {
        &self.topic
    }

    /// Where in the mailbox to begin.
    async fn deliver_policy(&self) -> DeliverPolicy {
        self.download.deliver_policy.into()
    }

    /// When to begin; for `BY_START_TIME` alone.
    async fn start_time(&self) -> Option<DateTime> {
        self.download.start_time.map(Into::into)
    }

    /// Where files go.
    async fn download_path(&self) -> &str {
        &self.download.download_path
    }

    /// Most files at a time.
    async fn max_files(&self) -> i32 {
        int(self.download.max_files.into())
    }
}
