//! The e-mail addresses a partition is responsible for: who holds them, and which reservations are void.
//!
//! The protocol between owners is explained in docs/adr/0011-one-holder-of-an-address.md, its rules are in
//! `domain::address`. A batch decides on an [`AddressDraft`](crate::address_draft::AddressDraft).

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::address::{FRESH, ReservationHolder};
use domain::id::{AddressId, ReservationId, UserId};
use domain::user::User;
use event_log::Record;
use log_model::partition;

use crate::fingerprint::FingerprintKey;
use crate::holder_index::{HolderIndex, held_by};
use crate::packed_users::PackedUsers;

/// What an owner knows of addresses. Only what is committed is in it.
pub(crate) struct Addresses {
    partition: u32,
    /// Number of partitions of the deployment.
    partitions: u32,
    /// Users of this partition who hold an address of this partition, as their own events say.
    pub(crate) holders: HolderIndex,
    /// The last reservation granted for each address of this partition.
    pub(crate) last_granted: HashMap<AddressId, (UserId, ReservationId)>,
    /// Reservations of users of this partition that can't be used any more, oldest first.
    pub(crate) void: BTreeSet<ReservationId>,
    /// Reservations used since this owner took over, oldest first. They are not on their way any more.
    pub(crate) used: BTreeSet<ReservationId>,
}

/// An address, the user it was granted to, and the reservation.
pub(crate) type Grant = (AddressId, UserId, ReservationId);

/// What a batch changes about addresses once it is committed.
#[derive(Default)]
pub(crate) struct AddressChanges {
    /// `None` is an address that nobody of this partition holds any more.
    pub(crate) holders: HashMap<AddressId, Option<UserId>>,
    pub(crate) last_granted: HashMap<AddressId, (UserId, ReservationId)>,
    pub(crate) void: HashSet<ReservationId>,
    /// Void reservations so old that they need not be remembered.
    pub(crate) forgotten: HashSet<ReservationId>,
    pub(crate) used: HashSet<ReservationId>,
}

impl Addresses {
    /// Nothing known, for the owner of `partition` in a deployment of `partitions`.
    pub(crate) fn new(partition: u32, partitions: u32, key: FingerprintKey) -> Self {
        Self {
            partition,
            partitions,
            holders: HolderIndex::new(key),
            last_granted: HashMap::new(),
            void: BTreeSet::new(),
            used: BTreeSet::new(),
        }
    }

    /// Nothing known, for the same partition.
    pub(crate) fn emptied(&self) -> Self {
        Self::new(self.partition, self.partitions, self.holders.key())
    }

    /// Whether the owner of the address is the owner of this partition.
    pub(crate) fn is_here(&self, address: AddressId) -> bool {
        partition::of(address.uuid(), self.partitions) == self.partition
    }

    /// Applies a record of the stream of reservations: a void reservation or its tombstone, or the holder record of an
    /// address.
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
        let holder: ReservationHolder = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let reservation = holder.reservation.ok_or("a holder record without a reservation")?;
        self.grant((address, holder.holder, reservation));
        Ok(())
    }

    /// Every grant, in no order.
    pub(crate) fn grants(&self) -> impl Iterator<Item = Grant> {
        self.last_granted.iter().map(|(address, (holder, reservation))| (*address, *holder, *reservation))
    }

    /// Sets the last grant of an address.
    pub(crate) fn grant(&mut self, (address, holder, reservation): Grant) {
        self.last_granted.insert(address, (holder, reservation));
    }

    /// Adds a void reservation.
    pub(crate) fn void(&mut self, reservation: ReservationId) {
        self.void.insert(reservation);
    }

    /// Adds the address that a user holds now.
    pub(crate) fn add_user(&mut self, number: u32, user: &User) {
        if let Some(address) = held_by(user).filter(|address| self.is_here(*address)) {
            self.holders.add(address, number);
        }
    }

    /// Removes the address of a user who is about to change.
    pub(crate) fn remove_user(&mut self, number: u32, user: &User) {
        if let Some(address) = held_by(user) {
            self.holders.remove(address, number);
        }
    }

    /// Applies the changes of a committed batch, which `users` shows already.
    pub(crate) fn commit(&mut self, changes: AddressChanges, users: &PackedUsers) {
        for (address, holder) in changes.holders {
            self.holders.change(address, holder.and_then(|user| users.number(user)), users);
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
}

#[cfg(test)]
type Known =
    (HashMap<AddressId, UserId>, HashMap<AddressId, (UserId, ReservationId)>, BTreeSet<ReservationId>);

#[cfg(test)]
impl Addresses {
    /// Everything known from the log, in a form that tests compare.
    pub(crate) fn known(&self, users: &PackedUsers) -> Known {
        let mut holders = HashMap::new();
        for held in self.holders.iter() {
            let user = users.at(held.user).expect("entries are of users").aggregate;
            let address = held_by(&user).expect("an outdated entry is removed");
            assert_eq!(self.holders.holder(address, users), Some(user.id()));
            assert_eq!(holders.insert(address, user.id()), None, "a user has one entry");
        }
        (holders, self.last_granted.clone(), self.void.clone())
    }
}
