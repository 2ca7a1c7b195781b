//! The GraphQL types of agent rules: an interface, and an object for each kind.

use std::ops::Deref;

use async_graphql::{Context, Enum, ID, Interface, Object, SimpleObject};
use domain::id::{MailboxId, UserId};
use domain::user::rules::{self, Download, Kind};
use read_model::agents::RuleRow;

use super::agent::Mailbox;
use super::connection::Listed;
use super::context::loaders;
use super::scalar::{DateTime, int};
use crate::error::ApiError;

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
    field(name = "name", ty = "&String", desc = "The name, unique within the user."),
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
        let common = RuleCommon {
            id: row.rule.id.into(),
            name: row.rule.name,
            active: row.rule.active,
            poll_interval: int(row.rule.poll_interval.into()),
            subscribers: int(row.rule.subscribers.into()),
        };
        match row.rule.kind {
            Kind::Upload(upload) => Self::UploadRule(UploadRule {
                common,
                match_pattern: upload.match_pattern,
                regex: upload.regex,
                upload_format: upload.upload_format,
                metadata: upload.metadata.into_iter().map(Into::into).collect(),
                ack_mode: upload.ack_mode.into(),
            }),
            Kind::Download(download) => {
                Self::DownloadRule(DownloadRule { common, user: row.user_id, topic, download, mailbox: None })
            }
        }
    }
}

impl AgentRule {
    /// A rule as it was when the user had these mailboxes.
    pub(super) fn of_the_past(row: RuleRow, mailboxes: &[Mailbox]) -> Self {
        match Self::from(row) {
            Self::DownloadRule(rule) => {
                let id = MailboxId::of(rule.user, &rule.download.mailbox);
                let mailbox = mailboxes.iter().find(|mailbox| mailbox.has_id(id)).cloned();
                Self::DownloadRule(DownloadRule { mailbox, ..rule })
            }
            upload @ Self::UploadRule(_) => upload,
        }
    }
}

/// What every kind of rule has.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct RuleCommon {
    /// Made from the user and the name; never changes.
    #[graphql(owned)]
    pub(crate) id: ID,
    /// The name, unique within the user.
    pub(crate) name: String,
    /// Whether the agent does it.
    #[graphql(owned)]
    pub(crate) active: bool,
    /// Seconds between two looks.
    #[graphql(owned)]
    pub(crate) poll_interval: i32,
    /// Transfers at a time.
    #[graphql(owned)]
    pub(crate) subscribers: i32,
}

/// One piece of metadata.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct MetadataEntry {
    /// Its name.
    key: String,
    /// Its value.
    value: String,
}

impl From<rules::Entry> for MetadataEntry {
    fn from(entry: rules::Entry) -> Self {
        Self { key: entry.key, value: entry.value }
    }
}

/// Files that match a pattern go from the agent to the platform.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct UploadRule {
    #[graphql(flatten)]
    common: RuleCommon,
    /// Which files, as a glob or a regular expression.
    match_pattern: String,
    /// Whether the pattern is a regular expression.
    regex: bool,
    /// Template of the name under which a file arrives; empty keeps the name.
    upload_format: String,
    /// What is attached to every file.
    metadata: Vec<MetadataEntry>,
    /// What becomes of a file that was uploaded.
    ack_mode: AckMode,
}

/// Files go from one of the user's mailboxes to the agent.
#[derive(Debug, Clone)]
pub(crate) struct DownloadRule {
    common: RuleCommon,
    user: UserId,
    topic: String,
    download: Download,
    /// The mailbox as it was, of a rule of the past.
    mailbox: Option<Mailbox>,
}

/// The interface calls the resolvers of the common fields on each kind; they are found behind `Deref`.
impl Deref for UploadRule {
    type Target = RuleCommon;

    fn deref(&self) -> &RuleCommon {
        &self.common
    }
}

/// As for [`UploadRule`].
impl Deref for DownloadRule {
    type Target = RuleCommon;

    fn deref(&self) -> &RuleCommon {
        &self.common
    }
}

/// Files go from one of the user's mailboxes to the agent.
#[Object]
impl DownloadRule {
    #[graphql(flatten)]
    fn common(&self) -> &RuleCommon {
        &self.common
    }

    /// The mailbox that is read.
    async fn mailbox(&self, ctx: &Context<'_>) -> Result<Mailbox, ApiError> {
        if let Some(mailbox) = &self.mailbox {
            return Ok(mailbox.clone());
        }
        let id = MailboxId::of(self.user, &self.download.mailbox);
        // A mailbox in use can't be deleted, but both may have gone since the rule was read.
        let row = loaders(ctx).mailbox(id).await?;
        row.map(Mailbox::from).ok_or(ApiError::Unavailable { retry_after_ms: 100 })
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
