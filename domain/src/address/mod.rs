//! An e-mail address as something that at most one living user holds, though users live in different partitions.
//!
//! The stream of a user says whether they hold an address; nothing else does. The owner of the address's partition keeps
//! a trace of it: whom to ask. Whoever wants to hold an address gets a claim there, which replaces the trace, and brings
//! it to the owner of the user. A trace is replaced only after the user whom it names was asked: the owner of that
//! user answers that the address is held, or makes the claim of the trace void first, so that it can't come to be used
//! any more. Nothing is confirmed and nothing given back: a user who changes it, is rejected or deleted holds no more.
//! [`Pursuit`] is the way from one step to the next; `domain/tests/it/interleavings` walks through all orders of them.

mod pursuit;
mod rules;

use serde::{Deserialize, Serialize};

pub use pursuit::{Next, Pursuit};
pub use rules::{Asked, Claimed, FRESH, Moved, VOID, claim, let_go, moves};

use crate::id::{AddressId, ClaimId, UserId};

/// The right of a user to come to hold an address, for as long as it is fresh and nobody made it void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// Which claim.
    pub id: ClaimId,
    /// Of which address.
    pub address: AddressId,
}

/// Whom to ask about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Trace {
    /// The user who may hold it.
    pub holder: UserId,
    /// By which claim; none where user and address live in one partition, whose owner needs none.
    pub claim: Option<ClaimId>,
}

/// What owners say about addresses. Only a [`Pursuit`] hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The user's owner: what is asked takes a claim of this address, and none came with it that may be used.
    ClaimNeeded(AddressId),
    /// The address's owner: the claim may be used.
    Granted,
    /// The address's owner: this user has to be asked first.
    Contested(Trace),
    /// The holder's owner: the address is held.
    Held,
    /// The holder's owner: it is not held, but the claim that was named may be on its way.
    Undecided,
    /// The holder's owner: it is not held, and the claim that was named is void.
    Free,
}
