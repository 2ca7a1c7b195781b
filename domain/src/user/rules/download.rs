//! Download rules: files go from one of the user's mailboxes to the agent.

use serde::{Deserialize, Serialize};

use crate::patch::Patch;
use crate::refusal::{Code, Refusal};
use crate::text;
use crate::timestamp::Timestamp;
use crate::user::Account;
use crate::user::input::between;
use crate::user::mailboxes;
use crate::validation::Validation;

const PATH_LENGTH: usize = 4_096;

/// The fields that only a download has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Download {
    /// Name of the mailbox.
    #[serde(rename = "mailbox")]
    pub mailbox: String,
    /// Where in the mailbox to start.
    #[serde(rename = "deliverPolicy")]
    pub deliver_policy: DeliverPolicy,
    /// When to start, for the policy `by_start_time` only.
    #[serde(rename = "startTime", default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// The directory for the files.
    #[serde(rename = "downloadPath")]
    pub download_path: String,
    /// Most files at a time.
    #[serde(rename = "maxFiles")]
    pub max_files: u32,
}

/// Where in a mailbox to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum DeliverPolicy {
    /// With the oldest file.
    #[serde(rename = "all")]
    All,
    /// With the next file that arrives.
    #[serde(rename = "new")]
    New,
    /// With the newest file.
    #[serde(rename = "last")]
    Last,
    /// With the first file after an instant.
    #[serde(rename = "by_start_time")]
    ByStartTime,
}

/// A new download rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDownload {
    /// Name of the mailbox.
    pub mailbox: String,
    /// Where in the mailbox to start.
    pub deliver_policy: DeliverPolicy,
    /// When to start.
    pub start_time: Option<Timestamp>,
    /// The directory for the files.
    pub download_path: String,
    /// Most files at a time, 1 to 10,000.
    pub max_files: i32,
}

/// Changes of a download rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadChanges {
    /// Name of the mailbox.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub mailbox: Patch<String>,
    /// Where in the mailbox to start.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub deliver_policy: Patch<DeliverPolicy>,
    /// When to start. It is cleared when the policy changes to one without a start time.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub start_time: Patch<Timestamp>,
    /// The directory for the files.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub download_path: Patch<String>,
    /// Most files at a time, 1 to 10,000.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub max_files: Patch<i32>,
}

impl NewDownload {
    pub(super) fn check(&self, account: &Account, check: &mut Validation) -> Option<Download> {
        let mailbox = check.field("mailbox", require_mailbox(account, &self.mailbox));
        let start_time = check.field("startTime", check_start_time(self.deliver_policy, self.start_time));
        let download_path = check.field("downloadPath", text::required(&self.download_path, PATH_LENGTH));
        let max_files = check.field("maxFiles", between(self.max_files, 1, 10_000));
        Some(Download {
            mailbox: mailbox?,
            deliver_policy: self.deliver_policy,
            start_time: start_time?,
            download_path: download_path?,
            max_files: max_files?,
        })
    }
}

impl DownloadChanges {
    pub(super) fn check(
        &self,
        account: &Account,
        before: &Download,
        check: &mut Validation,
    ) -> Option<Download> {
        let mailbox = self.mailbox.apply_required(&before.mailbox, |name| require_mailbox(account, name));
        let mailbox = check.field("mailbox", mailbox);
        let policy = self.deliver_policy.apply_required(&before.deliver_policy, |policy| Ok(*policy));
        let deliver_policy = check.field("deliverPolicy", policy)?;
        let kept = before.start_time.filter(|_| deliver_policy == DeliverPolicy::ByStartTime);
        let start_time = self.start_time.apply_optional(kept.as_ref(), |at| Ok(Some(*at)));
        let start_time =
            check.field("startTime", start_time.and_then(|at| check_start_time(deliver_policy, at)));
        let path = self
            .download_path
            .apply_required(&before.download_path, |text| text::required(text, PATH_LENGTH));
        let download_path = check.field("downloadPath", path);
        let max_files = check
            .field("maxFiles", self.max_files.apply_required(&before.max_files, |n| between(*n, 1, 10_000)));
        Some(Download {
            mailbox: mailbox?,
            deliver_policy,
            start_time: start_time?,
            download_path: download_path?,
            max_files: max_files?,
        })
    }
}

fn require_mailbox(account: &Account, name: &str) -> Result<String, Refusal> {
    if name.is_empty() {
        return Err(Refusal::new(Code::Required, "A mailbox must be given."));
    }
    if name == mailboxes::DEFAULT || account.mailboxes.iter().any(|known| **known == *name) {
        return Ok(name.to_owned());
    }
    Err(Refusal::new(Code::UnknownMailbox, "The user has no such mailbox."))
}

fn check_start_time(policy: DeliverPolicy, start: Option<Timestamp>) -> Result<Option<Timestamp>, Refusal> {
    match (policy, start) {
        (DeliverPolicy::ByStartTime, None) => {
            Err(Refusal::new(Code::Required, "Delivery by start time needs a start time."))
        }
        (DeliverPolicy::All | DeliverPolicy::New | DeliverPolicy::Last, Some(_)) => {
            Err(Refusal::new(Code::NotApplicable, "Only delivery by start time has a start time."))
        }
        (_, start) => Ok(start),
    }
}
