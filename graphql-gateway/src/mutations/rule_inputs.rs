//! The inputs for new agent rules, as commands.

use async_graphql::{InputObject, OneofObject};
use domain::user::rules::{AddAgentRule, Entry, NewDownload, NewKind, NewUpload};

use crate::schema::rule::{AckMode, DeliverPolicy};
use crate::schema::scalar::DateTime;

// What a new rule has where its input says nothing, or null.
const ACTIVE: bool = true;
const POLL_INTERVAL: i32 = 300;
const SUBSCRIBERS: i32 = 5;
const MATCH_PATTERN: &str = "./uploads/*";
const REGEX: bool = false;
const UPLOAD_FORMAT: &str = "";
const DELIVER_POLICY: DeliverPolicy = DeliverPolicy::New;
const DOWNLOAD_PATH: &str = "./downloads";
const MAX_FILES: i32 = 20;

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
    #[graphql(default_with = "Some(ACTIVE)")]
    active: Option<bool>,
    /// Seconds between two looks, 1 to 86400.
    #[graphql(default_with = "Some(POLL_INTERVAL)")]
    poll_interval: Option<i32>,
    /// Transfers at a time, 1 to 20.
    #[graphql(default_with = "Some(SUBSCRIBERS)")]
    subscribers: Option<i32>,
}

/// A new upload: files that match a pattern go from the agent to the platform.
#[derive(InputObject)]
pub(crate) struct UploadRuleInput {
    #[graphql(flatten)]
    common: CommonRuleInput,
    /// Which files: a glob, or a regular expression when `regex` is true; up to 1024 characters.
    #[graphql(default_with = "Some(MATCH_PATTERN.to_owned())")]
    match_pattern: Option<String>,
    /// Whether the pattern is a regular expression.
    #[graphql(default_with = "Some(REGEX)")]
    regex: Option<bool>,
    /// Template of the name under which a file arrives; empty keeps the name.
    #[graphql(default_with = "Some(UPLOAD_FORMAT.to_owned())")]
    upload_format: Option<String>,
    /// What is attached to every file, 8 KiB together.
    #[graphql(default_with = "Some(Vec::new())")]
    metadata: Option<Vec<MetadataEntryInput>>,
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
    #[graphql(default_with = "Some(DELIVER_POLICY)")]
    deliver_policy: Option<DeliverPolicy>,
    /// When to begin; for `BY_START_TIME`, and for that alone.
    start_time: Option<DateTime>,
    /// Where files go.
    #[graphql(default_with = "Some(DOWNLOAD_PATH.to_owned())")]
    download_path: Option<String>,
    /// Most files at a time, 1 to 10000.
    #[graphql(default_with = "Some(MAX_FILES)")]
    max_files: Option<i32>,
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
                    match_pattern: upload.match_pattern.unwrap_or_else(|| MATCH_PATTERN.to_owned()),
                    regex: upload.regex.unwrap_or(REGEX),
                    upload_format: upload.upload_format.unwrap_or_else(|| UPLOAD_FORMAT.to_owned()),
                    metadata: upload.metadata.unwrap_or_default().into_iter().map(Into::into).collect(),
                    ack_mode: upload.ack_mode.into(),
                });
                (upload.common, kind)
            }
            AgentRuleInput::Download(download) => {
                let kind = NewKind::Download(NewDownload {
                    mailbox: download.mailbox,
                    deliver_policy: download.deliver_policy.unwrap_or(DELIVER_POLICY).into(),
                    start_time: download.start_time.map(Into::into),
                    download_path: download.download_path.unwrap_or_else(|| DOWNLOAD_PATH.to_owned()),
                    max_files: download.max_files.unwrap_or(MAX_FILES),
                });
                (download.common, kind)
            }
        };
        let CommonRuleInput { name, active, poll_interval, subscribers } = common;
        Self {
            name,
            active: active.unwrap_or(ACTIVE),
            poll_interval: poll_interval.unwrap_or(POLL_INTERVAL),
            subscribers: subscribers.unwrap_or(SUBSCRIBERS),
            kind,
        }
    }
}
