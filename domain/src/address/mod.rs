//! An e-mail address as something that at most one living user holds, though users live in different partitions.
//!
//! The stream of a user says whether they hold an address; nothing else does. The owner of the address's partition keeps
//! a holder record of it: whom to ask. Whoever wants to hold an address gets a reservation there, which replaces the holder record, and brings
//! it to the owner of the user. A holder record is replaced only after the user whom it names was asked: the owner of that
//! user answers that the address is held, or makes the reservation of the holder record void first, so that it can't come to be used
//! any more. Nothing is confirmed and nothing given back: a user who changes it, is rejected or deleted holds no more.
//! [`ReservationSaga`] is the way from one step to the next; `domain/tests/it/interleavings` walks through all orders of them.

mod rules;

use serde::{Deserialize, Serialize};

pub use rules::{AddressChange, FRESH, ReleaseDecision, ReserveDecision, VOID, moves, release, reserve};

use crate::id::{AddressId, ReservationId, UserId};

/// The right of a user to come to hold an address, for as long as it is fresh and nobody made it void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmailReservation {
    /// Which reservation.
    pub id: ReservationId,
    /// Of which address.
    pub address: AddressId,
}

/// Whom to ask about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReservationHolder {
    /// The user who may hold it.
    pub holder: UserId,
    /// By which reservation; none where user and address live in one partition, whose owner needs none.
    #[serde(rename = "claim")]
    pub reservation: Option<ReservationId>,
}

/// What owners say about addresses. Only a [`ReservationSaga`] hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReservationReply {
    /// The user's owner: what is asked takes a reservation of this address, and none came with it that may be used.
    #[serde(rename = "ClaimNeeded")]
    ReservationNeeded(AddressId),
    /// The address's owner: the reservation may be used.
    Granted,
    /// The address's owner: this user has to be asked first.
    Contested(ReservationHolder),
    /// The holder's owner: the address is held.
    Held,
    /// The holder's owner: it is not held, but the reservation that was named may be on its way.
    Undecided,
    /// The holder's owner: it is not held, and the reservation that was named is void.
    Free,
}
