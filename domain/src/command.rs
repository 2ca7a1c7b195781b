//! A command as it travels: its id, who asks and with what rights, the version seen, what is asked; and the answer.

use log_model::{Position, RouteKey};
use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Client};
use crate::address::{self, EmailReservation, ReservationHolder};
use crate::decision_context::Prepared;
use crate::id::{AddressId, GroupId, ReservationId, UserId};

use crate::refusal::{Code, Refusal, Refusals};
use crate::{group, user};

/// Most characters of a command id.
pub const ID_LENGTH: usize = 128;

/// A command on its way to the owner of what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The client's text, else made by the gateway. The same id again is the same command.
    pub id: String,
    /// Who asks, with the rights that the gateway read from the views.
    pub actor: Actor,
    /// From where.
    #[serde(default)]
    pub client: Client,
    /// Id of the request, the same in the logs of every service.
    pub correlation_id: String,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What is asked. The command's digest is made of this alone.
    pub ask: Ask,
    /// What the gateway made for it.
    #[serde(rename = "made", default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<Prepared>,
    /// The right to come to hold an e-mail address.
    #[serde(rename = "claim", default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<EmailReservation>,
    /// What of the log the views had shown when it was asked: an owner that has read less does not decide it.
    #[serde(default)]
    pub seen: Position,
}

/// What is asked, and of whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Something of a user.
    User {
        /// Which user.
        id: UserId,
        /// The version that the caller saw.
        expected_version: Option<u64>,
        /// What.
        command: user::Command,
    },
    /// Something of a group.
    Group {
        /// Which group.
        id: GroupId,
        /// The version that the caller saw.
        expected_version: Option<u64>,
        /// What.
        command: group::Command,
    },
    /// A reservation of an e-mail address, of its owner.
    #[serde(rename = "Claim")]
    ReserveAddress {
        /// Which address.
        address: AddressId,
        /// The reservation.
        #[serde(rename = "claim")]
        reservation: ReservationId,
        /// The user who is to hold the address.
        holder: UserId,
        /// The holder record that was found to lead nowhere.
        over: Option<ReservationHolder>,
    },
    /// Whether a user holds an e-mail address, of the user's owner. If not, the reservation is void from then on.
    #[serde(rename = "LetGo")]
    ReleaseAddress {
        /// Which user.
        id: UserId,
        /// Which address.
        address: AddressId,
        /// The reservation by which the user may come to hold it.
        #[serde(rename = "claim")]
        reservation: Option<ReservationId>,
        /// The user who wants it.
        to: UserId,
        /// Whether a reservation that may be on its way is made void all the same.
        insists: bool,
    },
    /// That whoever owns a partition has read the groups as far as the command's `seen`, and decides on nothing older
    /// from now on. The position of the answer covers everything that was decided before.
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
            Self::ReserveAddress { .. } => "ClaimAddress",
            Self::ReleaseAddress { .. } => "LetGoOfAddress",
            Self::Barrier { .. } => "Barrier",
        }
    }

    /// By what it finds the partition whose owner decides about it.
    pub fn route_key(&self) -> RouteKey {
        match self {
            Self::User { id, .. } | Self::ReleaseAddress { id, .. } => RouteKey::Id(id.uuid()),
            Self::ReserveAddress { address, .. } => RouteKey::Id(address.uuid()),
            // One partition decides about groups, so that each of them has one writer.
            Self::Group { .. } => RouteKey::Partition(0),
            Self::Barrier { partition } => RouteKey::Partition(*partition),
        }
    }

    /// The text of the id that the command is about, or which partition.
    pub fn subject(&self) -> String {
        match self {
            Self::User { id, .. } | Self::ReleaseAddress { id, .. } => id.to_string(),
            Self::Group { id, .. } => id.to_string(),
            Self::ReserveAddress { address, .. } => address.to_string(),
            Self::Barrier { partition } => format!("partition {partition}"),
        }
    }
}

/// What the owner says to a command that it took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It holds: what it asked is in the log, or was so already.
    Accepted {
        /// Version of the user or group after the command's last event; 0 for a barrier.
        version: u64,
        /// What a view must have seen to show it.
        position: Position,
        /// Whether the command had been accepted before; then nothing was written now.
        repeated: bool,
    },
    /// A rule said no. Nothing was written.
    Refused(Refusals),
    /// The actor may not ask this. Nothing was written.
    Forbidden,
    /// Something about an e-mail address, on the way to the answer.
    OfAddress(address::ReservationReply),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// Whoever was asked does not own the partition, or not yet. Nothing was written.
    #[error("the partition is not owned here")]
    NotOwner,
    /// Nothing was written; asking again later may help.
    #[error("the command could not be taken")]
    Unavailable {
        /// When asking again makes sense, in milliseconds.
        retry_after_ms: u64,
    },
    /// It may have been written or not. The same command again tells.
    #[error("the outcome of the command is unknown")]
    UnknownOutcome,
}

/// Header with which a gateway tells the owner's door how long the caller still waits, in milliseconds.
pub const DEADLINE_HEADER: &str = "muster-deadline-ms";

/// An answer or a failure, as the owner's door sends it.
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

/// Checks the id that a client gave to its command.
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
