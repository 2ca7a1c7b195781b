//! The commands about a webhook.

use serde::{Deserialize, Serialize};

use crate::id::{DeliveryId, GroupId};
use crate::patch::Patch;
use crate::timestamp::Timestamp;

/// A command about a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Send events to an address from now on.
    CreateWebhook(CreateWebhook),
    /// Change where and what it sends.
    EditWebhook(EditWebhook),
    /// Send nothing until it is resumed. Events wait meanwhile.
    PauseWebhook,
    /// Send again, also after the receiver had said that it is gone.
    ResumeWebhook,
    /// Sign with a new secret.
    RotateWebhookSecret(RotateSecret),
    /// Send once more what was sent before.
    ReplayWebhook(ReplayWebhook),
    /// Try a delivery again now.
    RetryDelivery(RetryDelivery),
    /// Stop permanently. The name may be taken again.
    DeleteWebhook,
}

impl Command {
    /// The command's name in the audit log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateWebhook(_) => "CreateWebhook",
            Self::EditWebhook(_) => "EditWebhook",
            Self::PauseWebhook => "PauseWebhook",
            Self::ResumeWebhook => "ResumeWebhook",
            Self::RotateWebhookSecret(_) => "RotateWebhookSecret",
            Self::ReplayWebhook(_) => "ReplayWebhook",
            Self::RetryDelivery(_) => "RetryDelivery",
            Self::DeleteWebhook => "DeleteWebhook",
        }
    }

    /// The group that the command names.
    pub fn group(&self) -> Option<GroupId> {
        match self {
            Self::CreateWebhook(command) => command.group_id,
            Self::EditWebhook(EditWebhook { group_id: Patch::Set(group), .. }) => Some(*group),
            _ => None,
        }
    }
}

/// Send events to an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateWebhook {
    /// The webhook's name. It never changes.
    pub name: String,
    /// Where to send to.
    pub url: String,
    /// Wire names of events, or beginnings such as `muster.user.*`. Empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Only events of users who are in this group just before or just after them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// Media type of what is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Where to begin, as the caller wrote it. Absent: from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Change where and what a webhook sends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditWebhook {
    /// Where to send to.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub url: Patch<String>,
    /// Which events. Cleared means all.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub types: Patch<Vec<String>>,
    /// Which group. Cleared means all users.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub group_id: Patch<GroupId>,
    /// Media type of what is sent. Cleared means the default.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub content_type: Patch<String>,
}

/// Sign with a new secret. The sealed secret comes prepared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotateSecret {
    /// For how many more seconds deliveries are signed with the old secret as well. Absent: a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_seconds: Option<u64>,
}

/// Send once more. Exactly one of the two says from where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayWebhook {
    /// The position after which to begin, as the caller wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The instant at which to begin: in each partition with the first event that is not older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
}

/// Try a delivery again now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryDelivery {
    /// Which delivery.
    pub delivery_id: DeliveryId,
}
