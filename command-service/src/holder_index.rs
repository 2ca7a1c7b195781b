//! Which users of a partition hold an address of it, in eight bytes each.
//!
//! An entry has half a fingerprint of the address, and the number of the user. Whether the user holds that very address
//! stands in the user's packed form, which is unpacked to find out. It is asked for seldom, and there is one for nearly
//! every user.

use domain::id::{AddressId, UserId};
use domain::user::User;
use hashbrown::HashTable;

use crate::fingerprint::FingerprintKey;
use crate::packed_users::PackedUsers;

/// Users by the addresses they hold.
pub(crate) struct HolderIndex {
    /// Secret, because people choose their addresses: nobody can search for many with one fingerprint.
    key: FingerprintKey,
    entries: HashTable<Holding>,
}

/// A user who holds an address with this fingerprint, or has held one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) fingerprint: u32,
    /// Number of the user in [`PackedUsers`].
    pub(crate) user: u32,
}

impl HolderIndex {
    /// Nobody holds anything.
    pub(crate) fn new(key: FingerprintKey) -> Self {
        Self { key, entries: HashTable::new() }
    }

    pub(crate) fn key(&self) -> FingerprintKey {
        self.key
    }

    /// Every entry, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Holding> {
        self.entries.iter().copied()
    }

    /// Makes room for more entries.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.entries.reserve(more, |held| hash_of(held.fingerprint));
    }

    /// The user who holds the address.
    pub(crate) fn holder(&self, address: AddressId, users: &PackedUsers) -> Option<UserId> {
        let fingerprint = self.key.address(address);
        let candidates = self.entries.iter_hash(hash_of(fingerprint));
        let users =
            candidates.filter(|held| held.fingerprint == fingerprint).filter_map(|held| users.at(held.user));
        users.map(|user| user.aggregate).find(|user| held_by(user) == Some(address)).map(|user| user.id())
    }

    /// Adds what a user holds. The user must not be there yet.
    pub(crate) fn add(&mut self, address: AddressId, user: u32) {
        self.insert(Holding { fingerprint: self.key.address(address), user });
    }

    /// Adds an entry of the same key.
    pub(crate) fn insert(&mut self, holding: Holding) {
        let hash = |held: &Holding| hash_of(held.fingerprint);
        self.entries.insert_unique(hash(&holding), holding, hash);
    }

    /// Removes what a user holds.
    pub(crate) fn remove(&mut self, address: AddressId, user: u32) {
        let holding = Holding { fingerprint: self.key.address(address), user };
        if let Ok(entry) = self.entries.find_entry(hash_of(holding.fingerprint), |held| *held == holding) {
            entry.remove();
        }
    }

    /// Follows a change that `users` shows already: the address has this holder now.
    pub(crate) fn change(&mut self, address: AddressId, holder: Option<u32>, users: &PackedUsers) {
        let fingerprint = self.key.address(address);
        let is_outdated = |held: &Holding| {
            let holds = users.at(held.user).and_then(|user| held_by(&user.aggregate));
            Some(held.user) == holder || holds.is_none_or(|holds| self.key.address(holds) != fingerprint)
        };
        let of_address = |held: &Holding| held.fingerprint == fingerprint && is_outdated(held);
        while let Ok(entry) = self.entries.find_entry(hash_of(fingerprint), of_address) {
            entry.remove();
        }
        if let Some(user) = holder {
            self.insert(Holding { fingerprint, user });
        }
    }
}

/// The address that a user holds.
pub(crate) fn held_by(user: &User) -> Option<AddressId> {
    user.holds().map(AddressId::of)
}

/// The table looks at the lowest and the highest bits.
fn hash_of(fingerprint: u32) -> u64 {
    u64::from(fingerprint).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use domain::aggregate::Aggregate;
    use domain::timestamp::Timestamp;
    use domain::user::onboarding::{Origin, Registered};
    use domain::user::profile::Personal;
    use uuid::Uuid;

    use super::*;
    use crate::packed_user::spec::key;
    use crate::tracked_aggregate::TrackedAggregate;

    fn id(n: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(n))
    }

    fn store(users: &mut PackedUsers, n: u128, email: Option<&str>) {
        let mut tracked = TrackedAggregate::new(User::new(id(n)));
        let personal = Personal { email: email.map(str::to_owned), ..Personal::default() };
        let registered = Registered { username: format!("user{n}"), origin: Origin::OneSelf, personal };
        tracked.aggregate.evolve(&registered.into(), Timestamp::from_micros(0));
        users.store(id(n), &tracked);
    }

    #[test]
    fn an_address_that_changes_hands_has_one_holder_and_one_entry() {
        let (mut users, mut index) = (PackedUsers::default(), HolderIndex::new(key()));
        let address = AddressId::of("ada@example.com");
        assert_eq!(index.holder(address, &users), None);
        store(&mut users, 1, Some("ada@example.com"));
        store(&mut users, 2, None);
        let (one, two) = (users.number(id(1)), users.number(id(2)));
        index.change(address, one, &users);
        index.change(address, one, &users);
        assert_eq!(index.holder(address, &users), Some(id(1)));
        store(&mut users, 1, None);
        store(&mut users, 2, Some("ada@example.com"));
        index.change(address, two, &users);
        assert_eq!(index.holder(address, &users), Some(id(2)));
        assert_eq!(index.iter().count(), 1);
        store(&mut users, 2, None);
        index.change(address, None, &users);
        assert_eq!((index.holder(address, &users), index.iter().count()), (None, 0));
    }

    #[test]
    fn equal_fingerprints_are_told_apart() {
        let (mut users, mut index) = (PackedUsers::default(), HolderIndex::new(key()));
        let address = AddressId::of("ada@example.com");
        store(&mut users, 1, Some("eve@example.com"));
        store(&mut users, 2, Some("ada@example.com"));
        for n in [1, 2] {
            index.add(address, users.number(id(n)).unwrap());
        }
        assert_eq!(index.holder(address, &users), Some(id(2)));
        index.remove(address, users.number(id(2)).unwrap());
        assert_eq!((index.holder(address, &users), index.iter().count()), (None, 1));
    }
}
