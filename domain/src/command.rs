//! A command as it travels from a gateway to the owner of its partition, and the answer on its way back.

use log_model::{Position, RouteKey};
use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Client};
use crate::address::{self, EmailReservation, ReservationHolder};
use crate::decision_context::Prepared;
use crate::id::{AddressId, GroupId, ReservationId, UserId, WebhookId};
use crate::refusal::{Code, Refusal, Refusals};
use crate::{group, user, webhook};

/// Most characters of a command id.
pub const ID_LENGTH: usize = 128;

/// A command on its way to the owner of its partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Chosen by the client, else by the gateway. The same id again is the same command.
    pub id: String,
    /// Who asks, with the roles that the gateway read from the views.
    pub actor: Actor,
    /// Where the request came from.
    #[serde(default)]
    pub client: Client,
    /// Id of the request, the same in the logs of every service.
    pub correlation_id: String,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What is asked. The command's digest covers this field alone, so its JSON must not change between releases.
    pub ask: Ask,
    /// What the gateway prepared for it, such as the digest of a new password.
    #[serde(rename = "made", default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<Prepared>,
    /// The reservation of the e-mail address that the command takes.
    #[serde(rename = "claim", default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<EmailReservation>,
    /// How far the caller's views had read the log. An owner that has read less doesn't decide the command.
    #[serde(default)]
    pub seen: Position,
}

/// What is asked of an owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// A command about a user.
    User {
        /// Which user.
        id: UserId,
        /// The version that the caller saw.
        expected_version: Option<u64>,
        /// The command.
        command: user::Command,
    },
    /// A command about a group.
    Group {
        /// Which group.
        id: GroupId,
        /// The version that the caller saw.
        expected_version: Option<u64>,
        /// The command.
        command: group::Command,
    },
    /// A command about a webhook.
    Webhook {
        /// Which webhook.
        id: WebhookId,
        /// The version that the caller saw.
        expected_version: Option<u64>,
        /// The command.
        command: webhook::Command,
    },
    /// To reserve an e-mail address. Goes to the address's owner.
    #[serde(rename = "Claim")]
    ReserveAddress {
        /// Which address.
        address: AddressId,
        /// The reservation.
        #[serde(rename = "claim")]
        reservation: ReservationId,
        /// The user who wants the address.
        holder: UserId,
        /// The holder record that was checked: its user was asked and doesn't hold the address.
        over: Option<ReservationHolder>,
    },
    /// Whether a user holds an e-mail address. If not, the user's reservation becomes void. Goes to the user's owner.
    #[serde(rename = "LetGo")]
    ReleaseAddress {
        /// Which user.
        id: UserId,
        /// Which address.
        address: AddressId,
        /// The reservation with which the user may take it.
        #[serde(rename = "claim")]
        reservation: Option<ReservationId>,
        /// The user who wants the address.
        to: UserId,
        /// Whether a reservation that may still be used becomes void all the same.
        insists: bool,
    },
    /// To read the groups as far as the command's `seen` and to decide on nothing older from then on. The position in
    /// the answer covers everything that the owner decided before. ADR 0010 says what it is for.
    Barrier {
        /// Which partition.
        partition: u32,
    },
}

impl Ask {
    /// The command's name, as the audit log shows it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::User { command, .. } => command.name(),
            Self::Group { command, .. } => command.name(),
            Self::Webhook { command, .. } => command.name(),
            Self::ReserveAddress { .. } => "ClaimAddress",
            Self::ReleaseAddress { .. } => "LetGoOfAddress",
            Self::Barrier { .. } => "Barrier",
        }
    }

    /// What determines the partition that decides it.
    pub fn route_key(&self) -> RouteKey {
        match self {
            Self::User { id, .. } | Self::ReleaseAddress { id, .. } => RouteKey::Id(id.uuid()),
            Self::ReserveAddress { address, .. } => RouteKey::Id(address.uuid()),
            // One partition decides about all groups and webhooks, so each has one writer.
            Self::Group { .. } | Self::Webhook { .. } => RouteKey::Partition(0),
            Self::Barrier { partition } => RouteKey::Partition(*partition),
        }
    }

    /// The id of the command's subject as text, or the partition.
    pub fn subject(&self) -> String {
        match self {
            Self::User { id, .. } | Self::ReleaseAddress { id, .. } => id.to_string(),
            Self::Group { id, .. } => id.to_string(),
            Self::Webhook { id, .. } => id.to_string(),
            Self::ReserveAddress { address, .. } => address.to_string(),
            Self::Barrier { partition } => format!("partition {partition}"),
        }
    }
}

/// An owner's answer to a command that it took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// What the command asks is in the log, or was so already.
    Accepted {
        /// Version of the user, group or webhook after the command's last event; 0 for a barrier.
        version: u64,
        /// How far a view must have read to show it.
        position: Position,
        /// Whether the command had been accepted before; then nothing was written now.
        repeated: bool,
    },
    /// A rule refuses it. Nothing was written.
    Refused(Refusals),
    /// The actor may not ask this. Nothing was written.
    Forbidden,
    /// An intermediate answer about an e-mail address, for the reservation saga.
    OfAddress(address::ReservationReply),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// The process that was asked does not own the partition, or not yet. Nothing was written.
    #[error("the partition is not owned here")]
    NotOwner,
    /// Nothing was written; asking again later may help.
    #[error("the command could not be taken")]
    Unavailable {
        /// When asking again makes sense, in milliseconds.
        retry_after_ms: u64,
    },
    /// It may have been written or not. To find out, send the same command again.
    #[error("the outcome of the command is unknown")]
    UnknownOutcome,
}

/// HTTP header of a command sent to an owner: for how many more milliseconds the caller waits.
pub const DEADLINE_HEADER: &str = "muster-deadline-ms";

/// An answer or a failure, as an owner sends it over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The owner took the command.
    #[serde(rename = "answer")]
    Answer(Answer),
    /// It did not, or its outcome is unknown.
    #[serde(rename = "failure")]
    Failure(Failure),
}

impl From<Result<Answer, Failure>> for Reply {
    fn from(result: Result<Answer, Failure>) -> Self {
        match result {
            Ok(answer) => Self::Answer(answer),
            Err(failure) => Self::Failure(failure),
        }
    }
}

impl From<Reply> for Result<Answer, Failure> {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Answer(answer) => Ok(answer),
            Reply::Failure(failure) => Err(failure),
        }
    }
}

/// Checks a command id that a client chose.
pub fn check_id(id: &str) -> Result<(), Refusal> {
    let refusal = |code, message: String| Err(Refusal::new(code, message).at("commandId"));
    if id.is_empty() {
        return refusal(Code::Required, "A command id that is given must not be empty.".to_owned());
    }
    if id.chars().count() > ID_LENGTH {
        return refusal(Code::TooLong, format!("A command id has at most {ID_LENGTH} characters."));
    }
    if !id.chars().all(|c| c.is_ascii_graphic()) {
        return refusal(Code::InvalidFormat, "A command id consists of visible ASCII characters.".to_owned());
    }
    Ok(())
}

#[cfg(test)]
#[path = "command_spec.rs"]
mod spec;
