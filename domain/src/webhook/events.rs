//! The events of a webhook.

use log_model::Position;
use serde::{Deserialize, Serialize};

use super::content_type::ContentType;
use super::event_types::EventTypes;
use crate::group::GroupRef;
use crate::id::DeliveryId;
use crate::timestamp::Timestamp;
use crate::wire::Change;

/// The webhook exists. Its secret is among the credentials, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Created {
    /// Its name.
    #[serde(rename = "name")]
    pub name: String,
    /// Where it sends to.
    #[serde(rename = "url")]
    pub url: String,
    /// Which events it sends. Empty means all.
    #[serde(rename = "types")]
    pub types: EventTypes,
    /// The group whose users' events it sends, if not those of all.
    #[serde(rename = "group", default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupRef>,
    /// Media type of what it sends.
    #[serde(rename = "contentType")]
    pub content_type: ContentType,
    /// The position after which it begins.
    #[serde(rename = "after")]
    #[schemars(with = "String")]
    pub after: Position,
}

/// Where or what it sends changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Edited {
    /// Where it sends to, if that changed.
    #[serde(rename = "url", default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Change<String>>,
    /// Which events it sends, if that changed.
    #[serde(rename = "types", default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Change<EventTypes>>,
    /// Which group's, if that changed.
    #[serde(rename = "group", default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Change<Option<GroupRef>>>,
    /// The media type, if that changed.
    #[serde(rename = "contentType", default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<Change<ContentType>>,
}

/// It sends nothing for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Paused {}

/// It sends again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Resumed {}

/// It signs with a new secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SecretRotated {
    /// Until when it signs with the old secret as well. Absent if it stopped at once.
    #[serde(rename = "overlapUntil", default, skip_serializing_if = "Option::is_none")]
    pub overlap_until: Option<Timestamp>,
}

/// It sends once more what it sent before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Replayed {
    /// The position after which it begins again.
    #[serde(rename = "after", default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub after: Option<Position>,
    /// The instant from which it begins again.
    #[serde(rename = "from", default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
}

/// Somebody had a delivery tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DeliveryRetried {
    /// Which delivery.
    #[serde(rename = "deliveryId")]
    pub delivery_id: DeliveryId,
}

/// The webhook is gone. Its name may be taken again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Deleted {}

crate::wire::wire_events! {
    /// What has happened to a webhook.
    pub enum Event {
        /// The webhook exists.
        Created(Created) = "muster.webhook.created",
        /// Where or what it sends changed.
        Edited(Edited) = "muster.webhook.edited",
        /// It sends nothing for now.
        Paused(Paused) = "muster.webhook.paused",
        /// It sends again.
        Resumed(Resumed) = "muster.webhook.resumed",
        /// It signs with a new secret.
        SecretRotated(SecretRotated) = "muster.webhook.secret_rotated",
        /// It sends once more.
        Replayed(Replayed) = "muster.webhook.replayed",
        /// A delivery was tried again.
        DeliveryRetried(DeliveryRetried) = "muster.webhook.delivery_retried",
        /// It is gone.
        Deleted(Deleted) = "muster.webhook.deleted",
    }
}
