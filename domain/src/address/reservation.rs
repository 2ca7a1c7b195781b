//! What travels about an address: the reservation, the holder record, and what owners answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{AddressId, ReservationId, UserId};
use crate::timestamp::Timestamp;

/// How far the instant in a reservation may lie from the clock of the owner who is shown it.
pub const FRESH: Duration = Duration::from_mins(5);
/// For how long after its instant a reservation is remembered as void. Longer than it is fresh by more than clocks differ.
pub const VOID: Duration = Duration::from_hours(1);
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

impl EmailReservation {
    /// Whether the owner of a user may accept it at this instant for this address, unless it is void.
    pub fn is_for(&self, address: AddressId, now: Timestamp) -> bool {
        let made_at = self.id.made_at();
        self.address == address && made_at > now - FRESH && made_at < now + FRESH
    }
}

impl ReservationId {
    /// Whether it may still be accepted somewhere, by whatever clock: then making it void has to be remembered.
    pub fn may_be_used(self, now: Timestamp) -> bool {
        self.made_at() > now - VOID
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_claim_is_used_for_its_address_while_it_is_fresh() {
        let made_at = Timestamp::from_micros(1_700_000_000_000_000);
        let stamp = uuid::Timestamp::from_unix_time(1_700_000_000, 0, 0, 0);
        let reservation = EmailReservation {
            id: ReservationId::from_uuid(Uuid::new_v7(stamp)),
            address: AddressId::of("a@b.example"),
        };
        let minutes = Duration::from_mins;
        assert!(reservation.is_for(AddressId::of("a@b.example"), made_at));
        assert!(!reservation.is_for(AddressId::of("b@b.example"), made_at));
        assert!(!reservation.is_for(reservation.address, made_at + minutes(6)));
        assert!(!reservation.is_for(reservation.address, made_at - minutes(6)));
        assert!(reservation.id.may_be_used(made_at + minutes(59)));
        assert!(!reservation.id.may_be_used(made_at + minutes(61)));
    }
}
