//! What owners decide about an address: whether a user may reserve it, and whether its holder releases it.

use crate::actor::Actor;
use crate::address::reservation::ReservationHolder;
use crate::aggregate::{Aggregate, Decision};
use crate::id::{AddressId, ReservationId, UserId};
use crate::policy;
use crate::timestamp::Timestamp;
use crate::user::{Event, User};

/// What the owner of an address decides about a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReserveDecision {
    /// Write this holder record and grant the reservation.
    Written(ReservationHolder),
    /// Grant it again: the holder record names it already.
    Already,
    /// Answer that the user of this holder record must be asked first.
    Contested(ReservationHolder),
}

/// What the owner of a user decides when asked whether the user holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseDecision {
    /// Answer that the address is held.
    Held,
    /// Answer that it is not held, but that the user's reservation may still be used.
    Undecided,
    /// Write this, then answer that it is not held.
    Free {
        /// The events of a pending user who loses the address to an administrator's choice.
        relinquished: Option<Decision<Event>>,
        /// The reservation to remember as void.
        void: Option<ReservationId>,
    },
}

/// The address that a user holds before and after some events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressChange {
    /// The address before.
    pub from: Option<AddressId>,
    /// The address after.
    pub to: Option<AddressId>,
}

/// Decides whether `holder` gets this reservation of an address.
///
/// `known_holder` is the address's holder record. `over` is the holder record that the caller has checked: its user was
/// asked and doesn't hold the address. Only exactly that record may be replaced.
pub fn reserve(
    known_holder: Option<ReservationHolder>,
    reservation: ReservationId,
    holder: UserId,
    over: Option<ReservationHolder>,
) -> ReserveDecision {
    let wanted = ReservationHolder { holder, reservation: Some(reservation) };
    match known_holder {
        Some(known_holder) if known_holder == wanted => ReserveDecision::Already,
        Some(known_holder) if over != Some(known_holder) => ReserveDecision::Contested(known_holder),
        Some(_) | None => ReserveDecision::Written(wanted),
    }
}

/// The address that a user holds before and after these events. `None` when no event can change it.
pub fn change(user: &User, events: &[Event], at: Timestamp) -> Option<AddressChange> {
    if !events.iter().any(Event::may_move_address) {
        return None;
    }
    let mut after = user.clone();
    for event in events {
        after.evolve(event, at);
    }
    let held = |user: &User| user.holds().map(AddressId::of);
    Some(AddressChange { from: held(user), to: held(&after) })
}

/// Decides whether a user releases an address.
///
/// `to` is the user who wants the address, and the actor who asks for it. `is_void` says whether the owner remembers the
/// user's reservation as void. With `insists`, the user has had time to use the reservation, so an unused one is made
/// void now.
pub fn release(
    user: &User,
    address: AddressId,
    reservation: Option<ReservationId>,
    is_void: bool,
    to: (UserId, &Actor),
    insists: bool,
    now: Timestamp,
) -> ReleaseDecision {
    let (to, actor) = to;
    let void = reservation.filter(|reservation| !is_void && reservation.may_be_used(now));
    if user.holds_address(address) {
        let may_ask = user.id() != to && policy::may_administer(actor);
        return match may_ask.then(|| user.relinquish_address()).flatten() {
            Some(decision) => ReleaseDecision::Free { relinquished: Some(decision), void },
            None => ReleaseDecision::Held,
        };
    }
    if void.is_some() && !insists {
        ReleaseDecision::Undecided
    } else {
        ReleaseDecision::Free { relinquished: None, void }
    }
}

impl AddressChange {
    /// The newly held address, which needs a reservation.
    pub fn taken(self) -> Option<AddressId> {
        self.to.filter(|_| self.to != self.from)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::names::Username;

    fn user(name: &str) -> UserId {
        UserId::of(&Username::parse(name).unwrap())
    }

    fn reservation_of(number: u8) -> ReservationId {
        ReservationId::from_uuid(Uuid::from_u128(number.into()))
    }

    #[test]
    fn an_address_without_a_holder_record_goes_to_the_first_reservation() {
        let wanted = ReservationHolder { holder: user("alice"), reservation: Some(reservation_of(1)) };
        assert_eq!(reserve(None, reservation_of(1), user("alice"), None), ReserveDecision::Written(wanted));
        assert_eq!(reserve(Some(wanted), reservation_of(1), user("alice"), None), ReserveDecision::Already);
        assert_eq!(
            reserve(Some(wanted), reservation_of(2), user("bob"), None),
            ReserveDecision::Contested(wanted)
        );
    }

    #[test]
    fn a_holder_record_is_replaced_only_after_its_user_was_asked() {
        let old = ReservationHolder { holder: user("alice"), reservation: Some(reservation_of(1)) };
        let newer = ReservationHolder { holder: user("carol"), reservation: Some(reservation_of(3)) };
        let wanted = ReservationHolder { holder: user("bob"), reservation: Some(reservation_of(2)) };
        assert_eq!(
            reserve(Some(old), reservation_of(2), user("bob"), Some(old)),
            ReserveDecision::Written(wanted)
        );
        assert_eq!(
            reserve(Some(newer), reservation_of(2), user("bob"), Some(old)),
            ReserveDecision::Contested(newer)
        );
    }

    #[test]
    fn an_older_reservation_of_the_same_user_is_asked_about_too() {
        let old = ReservationHolder { holder: user("alice"), reservation: Some(reservation_of(1)) };
        assert_eq!(
            reserve(Some(old), reservation_of(2), user("alice"), None),
            ReserveDecision::Contested(old)
        );
    }
}
