//! Encodes what an owner knows as a snapshot, and decodes it for the next owner, which then replays only what came after
//! (docs/adr/0013-snapshots-for-the-next-owner.md).
//!
//! A snapshot is a list of parts. A part is one byte for its kind, then values of that kind. The groups and the
//! deployment are left out: they are few, and every process reads them anyway.

use domain::group::GroupRef;
use domain::id::{AddressId, ReservationId, UserId};
use event_log::SnapshotParts;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::addresses::Addresses;
use crate::fingerprint::FingerprintKey;
use crate::group_table::GroupTable;
use crate::holder_index::{HolderIndex, Holding};
use crate::packed_user::FORMAT;
use crate::packed_users::PackedUsers;

#[cfg(test)]
#[path = "snapshot_spec.rs"]
mod spec;

/// Size in bytes at which a part is closed.
const PART_SIZE: usize = 256 * 1024;
/// Most users for whom memory is reserved before they are read.
const MOST_RESERVED: usize = 2 * 1024 * 1024;

/// What a snapshot contains.
pub(crate) struct DecodedSnapshot {
    pub(crate) key: FingerprintKey,
    pub(crate) users: PackedUsers,
    pub(crate) addresses: Addresses,
}

/// The kind of the values in a part.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum PartKind {
    /// [`Head`], alone and first.
    Head = b'h',
    /// [`GroupRef`]s in the order of their numbers. Before the users.
    Groups = b'g',
    /// A user's id and packed bytes.
    Users = b'u',
    /// The fingerprint of an address of this partition, and the number of the user of this partition who holds it. After
    /// the users.
    Holders = b'o',
    /// An address, the user it was granted to last, and the reservation.
    LastGranted = b't',
    /// A void reservation.
    Void = b'v',
}

type Bytes = [u8; 16];

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    key: FingerprintKey,
    /// Key of the fingerprints of addresses.
    address_key: FingerprintKey,
    /// Number of users. Only a hint for the decoder.
    users: usize,
}

/// Encodes what an owner knows.
pub(crate) fn encode(key: FingerprintKey, users: &PackedUsers, addresses: &Addresses) -> Vec<Vec<u8>> {
    let mut parts = Parts::default();
    parts.push(
        PartKind::Head,
        &Head { format: FORMAT, key, address_key: addresses.holders.key(), users: users.len() },
    );
    let (blocks, groups) = users.blocks();
    for group in groups.as_slice() {
        parts.push(PartKind::Groups, group);
    }
    for (id, block) in blocks {
        parts.push(PartKind::Users, &(bytes(id.uuid()), block));
    }
    for Holding { fingerprint, user } in addresses.holders.iter() {
        parts.push(PartKind::Holders, &[fingerprint, user].map(u32::to_le_bytes));
    }
    for (address, holder, reservation) in addresses.grants() {
        parts.push(PartKind::LastGranted, &[address.uuid(), holder.uuid(), reservation.uuid()].map(bytes));
    }
    for reservation in &addresses.void {
        parts.push(PartKind::Void, &bytes(reservation.uuid()));
    }
    parts.0
}

/// Decodes a snapshot of the same partition. `addresses` is the empty state to begin with. The error says what is wrong;
/// the caller then replays the whole log.
pub(crate) fn decode(
    parts: &mut SnapshotParts<'_>,
    mut addresses: Addresses,
) -> Result<DecodedSnapshot, String> {
    let head = parts.next().transpose()?.unwrap_or_default();
    let head = head.strip_prefix(&[PartKind::Head as u8]).unwrap_or_default();
    let (head, _) = postcard::take_from_bytes::<Head>(head).map_err(|_| "it has no head")?;
    // The head may be damaged, which shows at the end.
    let room = head.users.min(MOST_RESERVED);
    if head.format != FORMAT {
        return Err(format!("it has format {}, not {FORMAT}", head.format));
    }
    addresses.holders = HolderIndex::new(head.address_key);
    addresses.holders.reserve(room);
    let mut groups = Some(GroupTable::default());
    let mut users = PackedUsers::default();
    for (number, part) in (1..).zip(parts) {
        let part = part?;
        let damaged = || format!("its part {number} is damaged");
        let (kind, mut rest) = part.split_first().ok_or_else(damaged)?;
        let kind = PartKind::of(*kind).ok_or_else(damaged)?;
        if kind != PartKind::Groups
            && let Some(groups) = groups.take()
        {
            users = PackedUsers::with_groups(groups);
            users.reserve(room);
        }
        while !rest.is_empty() {
            let mut read = || -> Option<()> {
                match kind {
                    PartKind::Groups => groups.as_mut()?.push(take::<GroupRef>(&mut rest)?),
                    PartKind::Users => {
                        let (id, block) = take::<(Bytes, &[u8])>(&mut rest)?;
                        users.insert_packed(UserId::from_uuid(Uuid::from_bytes(id)), block).then_some(())?;
                    }
                    PartKind::Holders => {
                        let [fingerprint, user] = take::<[[u8; 4]; 2]>(&mut rest)?.map(u32::from_le_bytes);
                        users.is_number(user).then_some(())?;
                        addresses.holders.insert(Holding { fingerprint, user });
                    }
                    PartKind::LastGranted => {
                        let [address, holder, reservation] =
                            take::<[Bytes; 3]>(&mut rest)?.map(Uuid::from_bytes);
                        let (address, holder) = (AddressId::from_uuid(address), UserId::from_uuid(holder));
                        addresses.grant((address, holder, ReservationId::from_uuid(reservation)));
                    }
                    PartKind::Void => {
                        addresses.void(ReservationId::from_uuid(Uuid::from_bytes(take(&mut rest)?)));
                    }
                    PartKind::Head => return None,
                }
                Some(())
            };
            read().ok_or_else(damaged)?;
        }
    }
    Ok(DecodedSnapshot { key: head.key, users, addresses })
}

fn take<'a, T: Deserialize<'a>>(rest: &mut &'a [u8]) -> Option<T> {
    let (value, left) = postcard::take_from_bytes(rest).ok()?;
    *rest = left;
    Some(value)
}

fn bytes(id: Uuid) -> Bytes {
    id.into_bytes()
}

impl PartKind {
    fn of(byte: u8) -> Option<Self> {
        [Self::Head, Self::Groups, Self::Users, Self::Holders, Self::LastGranted, Self::Void]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

#[derive(Default)]
struct Parts(Vec<Vec<u8>>);

impl Parts {
    fn push(&mut self, kind: PartKind, value: &impl Serialize) {
        let open = self.0.pop_if(|part| part[0] == kind as u8 && part.len() < PART_SIZE);
        let part = open.unwrap_or_else(|| {
            let mut part = Vec::with_capacity(PART_SIZE + PART_SIZE / 8);
            part.push(kind as u8);
            part
        });
        self.0.push(postcard::to_extend(value, part).expect("plain data can always be encoded"));
    }
}
