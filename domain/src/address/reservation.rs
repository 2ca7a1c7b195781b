//! What travels about an address: the reservation, the holder record, and what owners answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{AddressId, ReservationId, UserId};
use crate::timestamp::Timestamp;

/// How far the instant in a reservation may differ from the clock of the owner who checks it.
pub const FRESH: Duration = Duration::from_mins(5);
/// For how long after its instant a reservation is remembered as void.
///
/// It must exceed [`FRESH`] by more than clocks differ. Otherwise an owner could forget that a fresh reservation is void.
pub const VOID: Duration = Duration::from_hours(1);
/// A user's right to take an address, valid while it is fresh and not void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmailReservation {
    /// Which reservation.
    pub id: ReservationId,
    /// The reserved address.
    pub address: AddressId,
}

/// The user to ask about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReservationHolder {
    /// The user who may hold it.
    pub holder: UserId,
    /// The user's reservation. `None` when user and address live in one partition: its owner needs none.
    #[serde(rename = "claim")]
    pub reservation: Option<ReservationId>,
}

/// What owners answer about addresses, for a [`crate::reservation_saga::ReservationSaga`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReservationReply {
    /// The user's owner: the command needs a reservation of this address, and no usable one came with it.
    #[serde(rename = "ClaimNeeded")]
    ReservationNeeded(AddressId),
    /// The address's owner: the reservation may be used.
    Granted,
    /// The address's owner: the user of this holder record must be asked first.
    Contested(ReservationHolder),
    /// The holder's owner: the address is held.
    Held,
    /// The holder's owner: the address is not held, but the named reservation may still be used.
    Undecided,
    /// The holder's owner: the address is not held, and the named reservation is void.
    Free,
}

impl EmailReservation {
    /// Whether the owner of a user may accept it for this address at `now`. Void reservations are checked elsewhere.
    pub fn is_for(&self, address: AddressId, now: Timestamp) -> bool {
        let made_at = self.id.made_at();
        self.address == address && made_at > now - FRESH && made_at < now + FRESH
    }
}

impl ReservationId {
    /// Whether some owner may still accept it, given how far clocks differ. Then its being void must be remembered.
    pub fn may_be_used(self, now: Timestamp) -> bool {
        self.made_at() > now - VOID
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_reservation_is_used_for_its_address_while_it_is_fresh() {
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
