//! What the owners decide about an address: who has to be asked, whether a user may take it, whether one lets it go.

use crate::actor::Actor;
use crate::address::reservation::ReservationHolder;
use crate::aggregate::{Aggregate, Decision};
use crate::id::{AddressId, ReservationId, UserId};
use crate::policy;
use crate::timestamp::Timestamp;
use crate::user::{Event, User};

/// What the owner of an address does with a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReserveDecision {
    /// Writes this holder record and grants it.
    Written(ReservationHolder),
    /// Grants it again.
    Already,
    /// Names who has to be asked.
    Contested(ReservationHolder),
}

/// What the owner of a user does who is asked whether the user holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseDecision {
    /// Says that it is held.
    Held,
    /// Says that it is not, but that the reservation may come to be used.
    Undecided,
    /// Says that it is not, once this is written.
    Free {
        /// What happens to the user who gives way.
        gives_way: Option<Decision<Event>>,
        /// The reservation to be remembered as void.
        void: Option<ReservationId>,
    },
}

/// From one address to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressChange {
    /// Held before.
    pub from: Option<AddressId>,
    /// Held after.
    pub to: Option<AddressId>,
}

/// Decides about a reservation of an address of which there is this holder record. `over` is the holder record that was found to lead nowhere.
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

/// Which address a user held before these events and which after them, if they can make a difference.
pub fn moves(user: &User, events: &[Event], at: Timestamp) -> Option<AddressChange> {
    if !events.iter().any(Event::moves_address) {
        return None;
    }
    let mut after = user.clone();
    for event in events {
        after.evolve(event, at);
    }
    let held = |user: &User| user.holds().map(AddressId::of);
    Some(AddressChange { from: held(user), to: held(&after) })
}

/// Decides whether a user lets an address go to the user `to`, whom the actor acts for. `is_void` says what the owner
/// remembers of the user's reservation; `insists` that the user was given time to use it, or has used it.
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
        return match may_ask.then(|| user.give_way()).flatten() {
            Some(decision) => ReleaseDecision::Free { gives_way: Some(decision), void },
            None => ReleaseDecision::Held,
        };
    }
    if void.is_some() && !insists {
        ReleaseDecision::Undecided
    } else {
        ReleaseDecision::Free { gives_way: None, void }
    }
}

impl AddressChange {
    /// The address that is held after and was not before: it takes a reservation.
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
    fn an_address_without_a_trace_goes_to_whoever_claims_it_first() {
        let wanted = ReservationHolder { holder: user("alice"), reservation: Some(reservation_of(1)) };
        assert_eq!(reserve(None, reservation_of(1), user("alice"), None), ReserveDecision::Written(wanted));
        assert_eq!(reserve(Some(wanted), reservation_of(1), user("alice"), None), ReserveDecision::Already);
        assert_eq!(
            reserve(Some(wanted), reservation_of(2), user("bob"), None),
            ReserveDecision::Contested(wanted)
        );
    }

    #[test]
    fn a_trace_is_replaced_only_by_whoever_found_that_very_trace_to_lead_nowhere() {
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
    fn an_older_claim_of_the_same_user_is_asked_about_too() {
        let old = ReservationHolder { holder: user("alice"), reservation: Some(reservation_of(1)) };
        assert_eq!(
            reserve(Some(old), reservation_of(2), user("alice"), None),
            ReserveDecision::Contested(old)
        );
    }
}
