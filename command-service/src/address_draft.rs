//! Decides about e-mail addresses in the middle of a batch (docs/adr/0011-one-holder-of-an-address.md).

use domain::address::{self, EmailReservation, ReservationHolder, ReservationReply, ReserveDecision};
use domain::id::{AddressId, ReservationId, UserId};
use domain::timestamp::Timestamp;
use domain::user::{Event, User};
use event_log::Record;
use log_model::Stream;

use crate::addresses::{AddressChanges, Addresses};
use crate::packed_users::PackedUsers;

/// Most old void reservations that are forgotten when one is added.
const FORGOTTEN_AT_ONCE: usize = 16;

/// What is known of addresses at this point of a batch, and what the batch changes.
pub(crate) struct AddressDraft<'a> {
    pub(crate) committed: &'a Addresses,
    /// The users as they are committed.
    pub(crate) users: &'a PackedUsers,
    /// The changes of the batch in flight, which count as if they were committed.
    pub(crate) in_flight: Option<&'a AddressChanges>,
    pub(crate) changes: &'a mut AddressChanges,
    pub(crate) records: &'a mut Vec<(Stream, Record)>,
}

impl AddressDraft<'_> {
    /// Decides about a reservation of an address of this partition. Writes the holder record if it is granted.
    pub(crate) fn reserve(
        &mut self,
        address: AddressId,
        reservation: ReservationId,
        holder: UserId,
        over: Option<ReservationHolder>,
    ) -> ReservationReply {
        match address::reserve(self.known_holder(address), reservation, holder, over) {
            ReserveDecision::Already => ReservationReply::Granted,
            ReserveDecision::Contested(known_holder) => ReservationReply::Contested(known_holder),
            ReserveDecision::Written(known_holder) => {
                let body = serde_json::to_vec(&known_holder).expect("a holder record is two ids");
                self.records.push((Stream::Reservations, Record::keyed(address.to_string(), Some(body))));
                self.changes.last_granted.insert(address, (holder, reservation));
                ReservationReply::Granted
            }
        }
    }

    /// Notes which address the user holds after these events. Fails with the new address if the user may not take it with
    /// this reservation.
    pub(crate) fn change_holder(
        &mut self,
        user: &User,
        events: &[Event],
        reservation: Option<EmailReservation>,
        now: Timestamp,
    ) -> Result<(), AddressId> {
        let Some(change) = address::change(user, events, now) else { return Ok(()) };
        if let Some(address) = change.taken()
            && !reservation.is_some_and(|reservation| reservation.is_for(address, now) && !self.is_void(reservation.id))
            // One owner decides about user and address here, so an address without a known holder needs no reservation.
            && !(self.committed.is_here(address) && self.known_holder(address).is_none())
        {
            return Err(address);
        }
        let spent = reservation.filter(|reservation| change.taken() == Some(reservation.address));
        self.changes.used.extend(spent.map(|reservation| reservation.id));
        let here = |address: &AddressId| self.committed.is_here(*address);
        if let Some(address) = change.from.filter(here) {
            self.changes.holders.insert(address, None);
        }
        if let Some(address) = change.to.filter(here) {
            self.changes.holders.insert(address, Some(user.id()));
        }
        Ok(())
    }

    /// Whether a reservation can't be used any more.
    pub(crate) fn is_void(&self, reservation: ReservationId) -> bool {
        self.uncommitted().any(|changes| changes.void.contains(&reservation))
            || self.committed.void.contains(&reservation)
    }

    /// Whether a reservation was used.
    pub(crate) fn is_used(&self, reservation: ReservationId) -> bool {
        self.uncommitted().any(|changes| changes.used.contains(&reservation))
            || self.committed.used.contains(&reservation)
    }

    /// Makes a reservation void. Forgets some of those that expired so long ago that they could not be used anyway.
    pub(crate) fn make_void(&mut self, reservation: ReservationId, now: Timestamp) {
        self.changes.void.insert(reservation);
        self.records
            .push((Stream::Reservations, Record::keyed(reservation.to_string(), Some(b"{}".to_vec()))));
        let forgotten: Vec<_> = self
            .committed
            .void
            .iter()
            .take_while(|old| !old.may_be_used(now))
            .filter(|old| !self.uncommitted().any(|changes| changes.forgotten.contains(old)))
            .take(FORGOTTEN_AT_ONCE)
            .copied()
            .collect();
        for old in forgotten {
            self.changes.forgotten.insert(old);
            self.records.push((Stream::Reservations, Record::keyed(old.to_string(), None)));
        }
    }

    /// The user to be asked about an address of this partition.
    fn known_holder(&self, address: AddressId) -> Option<ReservationHolder> {
        let holder = match self.uncommitted().find_map(|changes| changes.holders.get(&address)) {
            Some(holder) => *holder,
            None => self.committed.holders.holder(address, self.users),
        };
        // The stream of a user of this partition is the truth, whatever was granted before.
        if let Some(holder) = holder {
            return Some(ReservationHolder { holder, reservation: None });
        }
        let changed = self.uncommitted().find_map(|changes| changes.last_granted.get(&address));
        let granted = changed.or_else(|| self.committed.last_granted.get(&address));
        granted.map(|(holder, reservation)| ReservationHolder {
            holder: *holder,
            reservation: Some(*reservation),
        })
    }

    /// The changes that are not committed, newest first.
    fn uncommitted(&self) -> impl Iterator<Item = &AddressChanges> {
        std::iter::once(&*self.changes).chain(self.in_flight)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Builder;

    use super::*;
    use crate::packed_user::spec::key;

    /// A reservation that was made at this many milliseconds after the epoch.
    fn made_at(millis: u64) -> ReservationId {
        ReservationId::from_uuid(Builder::from_unix_timestamp_millis(millis, &[7; 10]).into_uuid())
    }

    #[test]
    fn no_void_reservation_is_forgotten_by_two_batches() {
        let (mut known, users) = (Addresses::new(0, 1, key()), PackedUsers::default());
        (0..FORGOTTEN_AT_ONCE as u64 + 4).for_each(|millis| known.void(made_at(millis)));
        let now = Timestamp::from_micros(86_400_000_000);
        let (mut first, mut next, mut records) =
            (AddressChanges::default(), AddressChanges::default(), Vec::new());
        AddressDraft {
            committed: &known,
            users: &users,
            in_flight: None,
            changes: &mut first,
            records: &mut records,
        }
        .make_void(made_at(86_400_000), now);
        AddressDraft {
            committed: &known,
            users: &users,
            in_flight: Some(&first),
            changes: &mut next,
            records: &mut records,
        }
        .make_void(made_at(86_400_001), now);
        assert_eq!(next.forgotten, (FORGOTTEN_AT_ONCE as u64..).take(4).map(made_at).collect());
        let tombstones = records.iter().filter(|(_, record)| record.body.is_none()).count();
        assert_eq!(tombstones, FORGOTTEN_AT_ONCE + 4);
        known.commit(first, &users);
        known.commit(next, &users);
        assert_eq!(known.void, BTreeSet::from([made_at(86_400_000), made_at(86_400_001)]));
    }
}
