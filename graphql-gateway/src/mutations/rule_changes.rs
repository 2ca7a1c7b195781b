//! The inputs for changes of agent rules, as commands.

use async_graphql::{InputObject, MaybeUndefined, OneofObject};
use domain::id::RuleId;
use domain::user::rules::{DownloadChanges, EditAgentRule, RuleChanges, UploadChanges};

use super::patch::patch;
use super::rule_inputs::MetadataEntryInput;
use crate::schema::rule::{AckMode, DeliverPolicy};
use crate::schema::scalar::DateTime;

/// Changes of a rule: exactly one of its kinds, and that the rule's own.
#[derive(OneofObject)]
pub(crate) enum AgentRuleChangesInput {
    /// Of an upload.
    Upload(EditUploadRuleInput),
    /// Of a download.
    Download(EditDownloadRuleInput),
}

/// Changes of what every kind of rule has.
#[derive(InputObject)]
struct CommonRuleChanges {
    /// Whether the agent does it.
    active: MaybeUndefined<bool>,
    /// Seconds between two looks, 1 to 86400.
    poll_interval: MaybeUndefined<i32>,
    /// Transfers at a time, 1 to 20.
    subscribers: MaybeUndefined<i32>,
}

/// Changes of an upload. Absent means keep.
#[derive(InputObject)]
pub(crate) struct EditUploadRuleInput {
    #[graphql(flatten)]
    common: CommonRuleChanges,
    /// Which files: a glob, or a regular expression when `regex` is true; up to 1024 characters.
    match_pattern: MaybeUndefined<String>,
    /// Whether the pattern is a regular expression.
    regex: MaybeUndefined<bool>,
    /// Template of the name under which a file arrives; empty keeps the name.
    upload_format: MaybeUndefined<String>,
    /// What is attached to every file, 8 KiB together; replaces what was.
    metadata: MaybeUndefined<Vec<MetadataEntryInput>>,
    /// What becomes of a file that was uploaded.
    ack_mode: MaybeUndefined<AckMode>,
}

/// Changes of a download. Absent means keep.
#[derive(InputObject)]
pub(crate) struct EditDownloadRuleInput {
    #[graphql(flatten)]
    common: CommonRuleChanges,
    /// Name of one of the user's mailboxes.
    mailbox: MaybeUndefined<String>,
    /// Where in the mailbox to begin.
    deliver_policy: MaybeUndefined<DeliverPolicy>,
    /// When to begin; for `BY_START_TIME`, and for that alone.
    start_time: MaybeUndefined<DateTime>,
    /// Where files go.
    download_path: MaybeUndefined<String>,
    /// Most files at a time, 1 to 10000.
    max_files: MaybeUndefined<i32>,
}

impl AgentRuleChangesInput {
    /// The command that makes these changes to a rule.
    pub(super) fn edit(self, rule_id: RuleId) -> EditAgentRule {
        let (common, changes) = match self {
            Self::Upload(upload) => {
                let entries =
                    |entries: Vec<MetadataEntryInput>| entries.into_iter().map(Into::into).collect();
                let changes = RuleChanges::Upload(UploadChanges {
                    match_pattern: patch(upload.match_pattern),
                    regex: patch(upload.regex),
                    upload_format: patch(upload.upload_format),
                    metadata: patch(upload.metadata.map_value(entries)),
                    ack_mode: patch(upload.ack_mode.map_value(Into::into)),
                });
                (upload.common, changes)
            }
            Self::Download(download) => {
                let changes = RuleChanges::Download(DownloadChanges {
                    mailbox: patch(download.mailbox),
                    deliver_policy: patch(download.deliver_policy.map_value(Into::into)),
                    start_time: patch(download.start_time.map_value(Into::into)),
                    download_path: patch(download.download_path),
                    max_files: patch(download.max_files),
                });
                (download.common, changes)
            }
        };
        EditAgentRule {
            rule_id,
            active: patch(common.active),
            poll_interval: patch(common.poll_interval),
            subscribers: patch(common.subscribers),
            changes,
        }
    }
}
