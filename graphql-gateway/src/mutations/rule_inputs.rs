//! The inputs for new agent rules, as commands.

use async_graphql::{InputObject, OneofObject};
use domain::user::rules::{AddAgentRule, Entry, NewDownload, NewKind, NewUpload};

use crate::schema::rule::{AckMode, DeliverPolicy};
use crate::schema::scalar::DateTime;

/// A new rule: exactly one of its kinds.
#[derive(OneofObject)]
pub(crate) enum AgentRuleInput {
    /// Files go from the agent to the platform.
    Upload(UploadRuleInput),
    /// Files go from a mailbox to the agent.
    Download(DownloadRuleInput),
}

/// What every kind of rule has.
#[derive(InputObject)]
struct CommonRuleInput {
    /// The name, unique within the user, for ever: 1 to 64 of A-Z a-z 0-9 _ -.
    name: String,
    /// Whether the agent does it.
    #[graphql(default = true)]
    active: bool,
    /// Seconds between two looks, 1 to 86400.
    #[graphql(default = 300)]
    poll_interval: i32,
    /// Transfers at a time, 1 to 20.
    #[graphql(default = 5)]
    subscribers: i32,
}

/// A new upload: files that match a pattern go from the agent to the platform.
#[derive(InputObject)]
pub(crate) struct UploadRuleInput {
    #[graphql(flatten)]
    common: CommonRuleInput,
    /// Which files: a glob, or a regular expression when `regex` is true; up to 1024 characters.
    #[graphql(default = "./uploads/*")]
    match_pattern: String,
    /// Whether the pattern is a regular expression.
    #[graphql(default = false)]
    regex: bool,
    /// Template of the name under which a file arrives; empty keeps the name.
    #[graphql(default = "")]
    upload_format: String,
    /// What is attached to every file, 8 KiB together.
    #[graphql(default)]
    metadata: Vec<MetadataEntryInput>,
    /// What becomes of a file that was uploaded.
    ack_mode: AckMode,
}

/// A new download: files go from one of the user's mailboxes to the agent.
#[derive(InputObject)]
pub(crate) struct DownloadRuleInput {
    #[graphql(flatten)]
    common: CommonRuleInput,
    /// Name of one of the user's mailboxes.
    mailbox: String,
    /// Where in the mailbox to begin.
    #[graphql(default_with = "DeliverPolicy::New")]
    deliver_policy: DeliverPolicy,
    /// When to begin; for `BY_START_TIME`, and for that alone.
    start_time: Option<DateTime>,
    /// Where files go.
    #[graphql(default = "./downloads")]
    download_path: String,
    /// Most files at a time, 1 to 10000.
    #[graphql(default = 20)]
    max_files: i32,
}

/// One piece of metadata.
#[derive(InputObject)]
pub(crate) struct MetadataEntryInput {
    /// Its name, up to 64 characters.
    key: String,
    /// Its value, up to 1024 characters.
    value: String,
}

impl From<MetadataEntryInput> for Entry {
    fn from(entry: MetadataEntryInput) -> Self {
        Self { key: entry.key, value: entry.value }
    }
}

impl From<AgentRuleInput> for AddAgentRule {
    fn from(rule: AgentRuleInput) -> Self {
        let (common, kind) = match rule {
            AgentRuleInput::Upload(upload) => {
                let kind = NewKind::Upload(NewUpload {
                    match_pattern: upload.match_pattern,
                    regex: upload.regex,
                    upload_format: upload.upload_format,
                    metadata: upload.metadata.into_iter().map(Into::into).collect(),
                    ack_mode: upload.ack_mode.into(),
                });
                (upload.common, kind)
            }
            AgentRuleInput::Download(download) => {
                let kind = NewKind::Download(NewDownload {
                    mailbox: download.mailbox,
                    deliver_policy: download.deliver_policy.into(),
                    start_time: download.start_time.map(Into::into),
                    download_path: download.download_path,
                    max_files: download.max_files,
                });
                (download.common, kind)
            }
        };
        let CommonRuleInput { name, active, poll_interval, subscribers } = common;
        Self { name, active, poll_interval, subscribers, kind }
    }
}
