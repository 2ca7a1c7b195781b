//! What an owner knows of e-mail addresses: who is to be asked about those of its partition, and which reservations of its users are void.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::address::{self, EmailReservation, FRESH, ReservationHolder, ReserveDecision};
use domain::id::{AddressId, ReservationId, UserId};
use domain::timestamp::Timestamp;
use domain::user::{Event, User};
use event_log::Record;
use log_model::Stream;
use log_model::partition;

/// Most void reservations that are forgotten with one that is added.
const FORGOTTEN_AT_ONCE: usize = 16;

/// Everything that an owner knows of addresses. Only what is committed is in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    own: u32,
    partitions: u32,
    /// Users of this partition who hold an address of this partition. Known from the users themselves.
    holders: HashMap<AddressId, UserId>,
    /// Who was granted a reservation of an address of this partition last.
    last_granted: HashMap<AddressId, (UserId, ReservationId)>,
    /// Claims of users of this partition that can't be used any more, oldest first.
    void: BTreeSet<ReservationId>,
    /// Claims that were used since this owner took over, oldest first: nobody has to wait for them.
    used: BTreeSet<ReservationId>,
}

/// An address, who was granted it, and by which reservation.
pub(crate) type Granted = (AddressId, UserId, ReservationId);

/// What a batch changes in it once it is committed.
#[derive(Default)]
pub(crate) struct Changes {
    holders: HashMap<AddressId, Option<UserId>>,
    last_granted: HashMap<AddressId, (UserId, ReservationId)>,
    void: HashSet<ReservationId>,
    forgotten: HashSet<ReservationId>,
    used: HashSet<ReservationId>,
}

/// What is known in the middle of a batch.
pub(crate) struct InBatch<'a> {
    pub(crate) known: &'a Addresses,
    /// Of the batch before, while that is being written.
    pub(crate) in_flight: Option<&'a Changes>,
    pub(crate) changes: &'a mut Changes,
    pub(crate) records: &'a mut Vec<(Stream, Record)>,
}

impl Addresses {
    /// Nothing yet, for the owner of one of so many partitions.
    pub(crate) fn of(own: u32, partitions: u32) -> Self {
        Self { own, partitions, ..Self::default() }
    }

    /// The same owner's, as if nothing had been taken in.
    pub(crate) fn nothing_yet(&self) -> Self {
        Self::of(self.own, self.partitions)
    }

    /// Takes in a record of the reservations.
    pub(crate) fn replay(&mut self, record: &Record) -> Result<(), String> {
        if let Ok(reservation) = record.key.parse::<ReservationId>() {
            if record.body.is_some() {
                self.void.insert(reservation);
            } else {
                self.void.remove(&reservation);
            }
            return Ok(());
        }
        let address = record.key.parse::<AddressId>().map_err(|error| error.to_string())?;
        let body = record.body.as_deref().unwrap_or_default();
        let known_holder: ReservationHolder =
            serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let reservation = known_holder.reservation.ok_or("a holder record without a reservation")?;
        self.grant((address, known_holder.holder, reservation));
        Ok(())
    }

    /// Who holds what, who was granted what last, and which reservations are void.
    pub(crate) fn known(
        &self,
    ) -> (&HashMap<AddressId, UserId>, impl Iterator<Item = Granted>, &BTreeSet<ReservationId>) {
        let granted = self
            .last_granted
            .iter()
            .map(|(address, (holder, reservation))| (*address, *holder, *reservation));
        (&self.holders, granted, &self.void)
    }

    /// Takes in who holds an address of this partition.
    pub(crate) fn hold(&mut self, address: AddressId, holder: UserId) {
        self.holders.insert(address, holder);
    }

    /// Takes in who was granted an address last.
    pub(crate) fn grant(&mut self, (address, holder, reservation): Granted) {
        self.last_granted.insert(address, (holder, reservation));
    }

    /// Takes in that a reservation is void.
    pub(crate) fn void(&mut self, reservation: ReservationId) {
        self.void.insert(reservation);
    }

    /// Takes in a user as they are.
    pub(crate) fn take_in(&mut self, user: &User) {
        if let Some(address) = user.holds().map(AddressId::of)
            && self.is_here(address)
        {
            self.hold(address, user.id());
        }
    }

    /// Takes back what was taken in of a user, before they change.
    pub(crate) fn leave_out(&mut self, user: &User) {
        if let Some(address) = user.holds().map(AddressId::of)
            && self.holders.get(&address) == Some(&user.id())
        {
            self.holders.remove(&address);
        }
    }

    /// Takes in what a batch changed, now that it is committed.
    pub(crate) fn commit(&mut self, changes: Changes) {
        for (address, holder) in changes.holders {
            match holder {
                Some(user) => self.holders.insert(address, user),
                None => self.holders.remove(&address),
            };
        }
        self.last_granted.extend(changes.last_granted);
        self.void.extend(changes.void);
        for reservation in changes.forgotten {
            self.void.remove(&reservation);
        }
        self.used.extend(changes.used);
        let newest = self.used.last().map(|reservation| reservation.made_at());
        while let (Some(oldest), Some(newest)) = (self.used.first(), newest)
            && oldest.made_at() < newest - FRESH
        {
            self.used.pop_first();
        }
    }

    fn is_here(&self, address: AddressId) -> bool {
        partition::of(address.uuid(), self.partitions) == self.own
    }
}

impl InBatch<'_> {
    /// What isn't committed yet, the newest first.
    fn changed(&self) -> impl Iterator<Item = &Changes> {
        std::iter::once(&*self.changes).chain(self.in_flight)
    }

    /// Who is to be asked about an address of this partition.
    fn known_holder(&self, address: AddressId) -> Option<ReservationHolder> {
        let holder = match self.changed().find_map(|changes| changes.holders.get(&address)) {
            Some(holder) => *holder,
            None => self.known.holders.get(&address).copied(),
        };
        // A user of this partition who holds it is right, whatever was granted before.
        if let Some(holder) = holder {
            return Some(ReservationHolder { holder, reservation: None });
        }
        let changed = self.changed().find_map(|changes| changes.last_granted.get(&address));
        let granted = changed.or_else(|| self.known.last_granted.get(&address));
        granted.map(|(holder, reservation)| ReservationHolder {
            holder: *holder,
            reservation: Some(*reservation),
        })
    }

    /// Decides about a reservation of an address, and writes the holder record of one that is granted.
    pub(crate) fn reserve(
        &mut self,
        address: AddressId,
        reservation: ReservationId,
        holder: UserId,
        over: Option<ReservationHolder>,
    ) -> address::ReservationReply {
        match address::reserve(self.known_holder(address), reservation, holder, over) {
            ReserveDecision::Already => address::ReservationReply::Granted,
            ReserveDecision::Contested(known_holder) => address::ReservationReply::Contested(known_holder),
            ReserveDecision::Written(known_holder) => {
                let body = serde_json::to_vec(&known_holder).expect("a holder record is two ids");
                self.records.push((Stream::Reservations, Record::keyed(address.to_string(), Some(body))));
                self.changes.last_granted.insert(address, (holder, reservation));
                address::ReservationReply::Granted
            }
        }
    }

    /// Follows a user from one address to another, as these events have it; or names the address that they may not take
    /// with this reservation.
    pub(crate) fn follow(
        &mut self,
        user: &User,
        events: &[Event],
        reservation: Option<EmailReservation>,
        now: Timestamp,
    ) -> Result<(), AddressId> {
        let Some(moved) = address::change(user, events, now) else { return Ok(()) };
        if let Some(address) = moved.taken()
            && !reservation.is_some_and(|reservation| reservation.is_for(address, now) && !self.is_void(reservation.id))
            // One owner decides about both, so an address that nobody is known to hold needs no reservation.
            && !(self.known.is_here(address) && self.known_holder(address).is_none())
        {
            return Err(address);
        }
        let spent = reservation.filter(|reservation| moved.taken() == Some(reservation.address));
        self.changes.used.extend(spent.map(|reservation| reservation.id));
        let here = |address: &AddressId| self.known.is_here(*address);
        if let Some(address) = moved.from.filter(here) {
            self.changes.holders.insert(address, None);
        }
        if let Some(address) = moved.to.filter(here) {
            self.changes.holders.insert(address, Some(user.id()));
        }
        Ok(())
    }

    /// Whether a reservation can't be used any more.
    pub(crate) fn is_void(&self, reservation: ReservationId) -> bool {
        self.changed().any(|changes| changes.void.contains(&reservation))
            || self.known.void.contains(&reservation)
    }

    /// Whether a reservation was used, so that it is on its way no more.
    pub(crate) fn is_used(&self, reservation: ReservationId) -> bool {
        self.changed().any(|changes| changes.used.contains(&reservation))
            || self.known.used.contains(&reservation)
    }

    /// Makes a reservation void, and forgets some that are void for so long that it makes no difference.
    pub(crate) fn make_void(&mut self, reservation: ReservationId, now: Timestamp) {
        self.changes.void.insert(reservation);
        self.records
            .push((Stream::Reservations, Record::keyed(reservation.to_string(), Some(b"{}".to_vec()))));
        let forgotten: Vec<_> = self
            .known
            .void
            .iter()
            .take_while(|old| !old.may_be_used(now))
            .filter(|old| !self.changed().any(|changes| changes.forgotten.contains(old)))
            .take(FORGOTTEN_AT_ONCE)
            .copied()
            .collect();
        for old in forgotten {
            self.changes.forgotten.insert(old);
            self.records.push((Stream::Reservations, Record::keyed(old.to_string(), None)));
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Builder;

    use super::*;

    /// A reservation that was made so many milliseconds after the beginning of 1970.
    fn made_at(millis: u64) -> ReservationId {
        ReservationId::from_uuid(Builder::from_unix_timestamp_millis(millis, &[7; 10]).into_uuid())
    }

    #[test]
    fn no_void_claim_is_forgotten_by_two_batches() {
        let mut known = Addresses::of(0, 1);
        (0..FORGOTTEN_AT_ONCE as u64 + 4).for_each(|millis| known.void(made_at(millis)));
        let now = Timestamp::from_micros(86_400_000_000);
        let (mut first, mut next, mut records) = (Changes::default(), Changes::default(), Vec::new());
        InBatch { known: &known, in_flight: None, changes: &mut first, records: &mut records }
            .make_void(made_at(86_400_000), now);
        InBatch { known: &known, in_flight: Some(&first), changes: &mut next, records: &mut records }
            .make_void(made_at(86_400_001), now);
        assert_eq!(next.forgotten, (FORGOTTEN_AT_ONCE as u64..).take(4).map(made_at).collect());
        let tombstones = records.iter().filter(|(_, record)| record.body.is_none()).count();
        assert_eq!(tombstones, FORGOTTEN_AT_ONCE + 4);
        known.commit(first);
        known.commit(next);
        assert_eq!(known.void, BTreeSet::from([made_at(86_400_000), made_at(86_400_001)]));
    }
}
