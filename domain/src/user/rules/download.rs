//! Download rules: files go from one of the user's mailboxes to the agent.

use serde::{Deserialize, Serialize};

use crate::patch::Patch;
use crate::refusal::{Check, Code, Refusal};
use crate::text;
use crate::timestamp::Timestamp;
use crate::user::Account;
use crate::user::input::between;
use crate::user::mailboxes;

const PATH_LENGTH: usize = 4_096;

/// What only a download has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Download {
    /// Name of the mailbox.
    #[serde(rename = "mailbox")]
    pub mailbox: String,
    /// Where in the mailbox to begin.
    #[serde(rename = "deliverPolicy")]
    pub deliver_policy: DeliverPolicy,
    /// When to begin, for [`DeliverPolicy::ByStartTime`] only.
    #[serde(rename = "startTime", default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// Where files go.
    #[serde(rename = "downloadPath")]
    pub download_path: String,
    /// Most files at a time.
    #[serde(rename = "maxFiles")]
    pub max_files: u32,
}

/// Where in a mailbox to begin.
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

/// A download that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDownload {
    /// Name of the mailbox.
    pub mailbox: String,
    /// Where in the mailbox to begin.
    pub deliver_policy: DeliverPolicy,
    /// When to begin.
    pub start_time: Option<Timestamp>,
    /// Where files go.
    pub download_path: String,
    /// Most files at a time, 1 to 10,000.
    pub max_files: i32,
}

/// Changes of a download.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadChanges {
    /// Name of the mailbox.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub mailbox: Patch<String>,
    /// Where in the mailbox to begin.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub deliver_policy: Patch<DeliverPolicy>,
    /// When to begin. It goes by itself when the policy changes to one that has none.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub start_time: Patch<Timestamp>,
    /// Where files go.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub download_path: Patch<String>,
    /// Most files at a time, 1 to 10,000.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub max_files: Patch<i32>,
}

impl NewDownload {
    pub(super) fn check(&self, account: &Account, check: &mut Check) -> Option<Download> {
        let mailbox = check.field("mailbox", require_mailbox(account, &self.mailbox));
        let start_time = check.field("startTime", begin(self.deliver_policy, self.start_time));
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
    pub(super) fn check(&self, account: &Account, before: &Download, check: &mut Check) -> Option<Download> {
        let mailbox = self.mailbox.onto(&before.mailbox, |name| require_mailbox(account, name));
        let mailbox = check.field("mailbox", mailbox);
        let policy = self.deliver_policy.onto(&before.deliver_policy, |policy| Ok(*policy));
        let deliver_policy = check.field("deliverPolicy", policy)?;
        let kept = before.start_time.filter(|_| deliver_policy == DeliverPolicy::ByStartTime);
        let start_time = self.start_time.over(kept.as_ref(), |at| Ok(Some(*at)));
        let start_time = check.field("startTime", start_time.and_then(|at| begin(deliver_policy, at)));
        let path = self.download_path.onto(&before.download_path, |text| text::required(text, PATH_LENGTH));
        let download_path = check.field("downloadPath", path);
        let max_files =
            check.field("maxFiles", self.max_files.onto(&before.max_files, |n| between(*n, 1, 10_000)));
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

fn begin(policy: DeliverPolicy, start: Option<Timestamp>) -> Result<Option<Timestamp>, Refusal> {
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
