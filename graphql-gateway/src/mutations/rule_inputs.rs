//! What upload and download rules are asked with, and how that reads as commands.

use async_graphql::{InputObject, MaybeUndefined};
use domain::user::rules::{AddAgentRule, Entry, NewDownload, NewKind, NewUpload};

use crate::schema::rule::{AckMode, DeliverPolicy};
use crate::schema::scalar::DateTime;

/// One piece of metadata.
#[derive(InputObject)]
pub(crate) struct MetadataEntryInput {
    /// Its name, up to 64 characters.
    key: String,
    /// Its value, up to 1024 characters.
    value: String,
}

/// A new upload: files that match a pattern go from the agent to the platform.
#[derive(InputObject)]
pub(crate) struct UploadRuleInput {
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

/// Changes of an upload. Absent means keep.
#[derive(InputObject)]
pub(crate) struct EditUploadRuleInput {
    /// Whether the agent does it.
    pub(super) active: MaybeUndefined<bool>,
    /// Seconds between two looks, 1 to 86400.
    pub(super) poll_interval: MaybeUndefined<i32>,
    /// Transfers at a time, 1 to 20.
    pub(super) subscribers: MaybeUndefined<i32>,
    /// Which files: a glob, or a regular expression when `regex` is true; up to 1024 characters.
    pub(super) match_pattern: MaybeUndefined<String>,
    /// Whether the pattern is a regular expression.
    pub(super) regex: MaybeUndefined<bool>,
    /// Template of the name under which a file arrives; empty keeps the name.
    pub(super) upload_format: MaybeUndefined<String>,
    /// What is attached to every file, 8 KiB together; replaces what was.
    pub(super) metadata: MaybeUndefined<Vec<MetadataEntryInput>>,
    /// What becomes of a file that was uploaded.
    pub(super) ack_mode: MaybeUndefined<AckMode>,
}

/// Changes of a download. Absent means keep.
#[derive(InputObject)]
pub(crate) struct EditDownloadRuleInput {
    /// Whether the agent does it.
    pub(super) active: MaybeUndefined<bool>,
    /// Seconds between two looks, 1 to 86400.
    pub(super) poll_interval: MaybeUndefined<i32>,
    /// Transfers at a time, 1 to 20.
    pub(super) subscribers: MaybeUndefined<i32>,
    /// Name of one of the user's mailboxes.
    pub(super) mailbox: MaybeUndefined<String>,
    /// Where in the mailbox to begin.
    pub(super) deliver_policy: MaybeUndefined<DeliverPolicy>,
    /// When to begin; for `BY_START_TIME`, and for that alone.
    pub(super) start_time: MaybeUndefined<DateTime>,
    /// Where files go.
    pub(super) download_path: MaybeUndefined<String>,
    /// Most files at a time, 1 to 10000.
    pub(super) max_files: MaybeUndefined<i32>,
}

impl From<MetadataEntryInput> for Entry {
    fn from(entry: MetadataEntryInput) -> Self {
        Self { key: entry.key, value: entry.value }
    }
}

impl From<UploadRuleInput> for AddAgentRule {
    fn from(rule: UploadRuleInput) -> Self {
        Self {
            name: rule.name,
            active: rule.active,
            poll_interval: rule.poll_interval,
            subscribers: rule.subscribers,
            kind: NewKind::Upload(NewUpload {
                match_pattern: rule.match_pattern,
                regex: rule.regex,
                upload_format: rule.upload_format,
                metadata: rule.metadata.into_iter().map(Into::into).collect(),
                ack_mode: rule.ack_mode.into(),
            }),
        }
    }
}

impl From<DownloadRuleInput> for AddAgentRule {
    fn from(rule: DownloadRuleInput) -> Self {
        Self {
            name: rule.name,
            active: rule.active,
            poll_interval: rule.poll_interval,
            subscribers: rule.subscribers,
            kind: NewKind::Download(NewDownload {
                mailbox: rule.mailbox,
                deliver_policy: rule.deliver_policy.into(),
                start_time: rule.start_time.map(Into::into),
                download_path: rule.download_path,
                max_files: rule.max_files,
            }),
        }
    }
}
