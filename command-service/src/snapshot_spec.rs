//! A snapshot contains everything that decisions need, and damaged ones are refused or harmless.

use domain::address::ReservationHolder;
use domain::aggregate::Aggregate;
use domain::id::GroupId;
use domain::names::GroupName;
use domain::timestamp::Timestamp;
use domain::user::profile::Personal;
use domain::user::{User, onboarding};
use event_log::Record;

use super::*;
use crate::packed_user::spec::{key, one_with_everything};
use crate::tracked_aggregate::TrackedAggregate;

fn id(n: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(n))
}

/// A user in one of two groups, with an address and a command.
fn user(n: u128) -> TrackedAggregate<User> {
    let mut tracked = TrackedAggregate::new(User::new(id(n)));
    let at = Timestamp::from_micros(1_700_000_000_000_000);
    let personal = Personal { email: Some(format!("user{n}@example.com")), ..Personal::default() };
    let origin = onboarding::Origin::OneSelf;
    let registered = onboarding::Registered { username: format!("user{n}"), origin, personal };
    tracked.aggregate.evolve(&registered.into(), at);
    let name = if n.is_multiple_of(2) { "staff" } else { "suppliers" };
    let group = GroupRef { id: GroupId::of(&GroupName::parse(name).unwrap()), name: name.to_owned() };
    tracked.aggregate.evolve(&onboarding::Approved { group: Some(group) }.into(), at);
    let asked = key().request("user", "digest");
    tracked.recent.record(key().command_id(&n.to_string()), asked, Uuid::from_u128(n), at, 2);
    tracked
}

fn reservation(n: u128) -> ReservationId {
    ReservationId::from_uuid(Uuid::from_u128(n))
}

/// This many users, each granted an address of this partition, and two void reservations.
fn known(count: u128) -> (PackedUsers, Addresses) {
    let (mut users, mut addresses) = (PackedUsers::default(), Addresses::new(0, 1, key()));
    for n in 0..count {
        users.store(id(n), &user(n));
        let address = AddressId::of(&format!("user{n}@example.com"));
        let known_holder = ReservationHolder { holder: id(n), reservation: Some(reservation(n)) };
        let body = serde_json::to_vec(&known_holder).unwrap();
        addresses.replay(&Record::keyed(address.to_string(), Some(body))).unwrap();
        addresses.add_user(users.number(id(n)).unwrap(), &user(n).aggregate);
    }
    for n in [8, 9] {
        addresses.replay(&Record::keyed(reservation(n).to_string(), Some(b"{}".to_vec()))).unwrap();
    }
    (users, addresses)
}

fn decoded(parts: &[Vec<u8>]) -> Result<DecodedSnapshot, String> {
    decode(&mut parts.iter().cloned().map(Ok), Addresses::new(0, 1, key()))
}

#[test]
fn what_was_known_is_known_again() {
    let (users, addresses) = known(5_000);
    let parts = encode(key(), &users, &addresses);
    assert!(parts.len() > 4 && parts.iter().all(|part| part.len() < PART_SIZE + 1_000));
    let snapshot = decoded(&parts).unwrap();
    assert_eq!(snapshot.key, key());
    assert_eq!(snapshot.users.len(), 5_000);
    for n in 0..5_000 {
        assert_eq!(snapshot.users.load(id(n)), Some(user(n)));
    }
    let (before, after) = (addresses.known(&users), snapshot.addresses.known(&snapshot.users));
    assert_eq!(after, before);
    assert_eq!((before.0.len(), before.1.len(), before.2.len()), (5_000, 5_000, 2));
}

#[test]
fn an_image_of_nothing_is_one() {
    let snapshot = decoded(&encode(key(), &PackedUsers::default(), &Addresses::new(0, 1, key()))).unwrap();
    assert_eq!((snapshot.key, snapshot.users.len()), (key(), 0));
}

#[test]
fn whatever_an_image_is_cut_off_or_changed_to_nobody_panics() {
    let (users, addresses) = known(3);
    let parts = encode(key(), &users, &addresses);
    assert!(decoded(&[]).is_err());
    assert!(decoded(&parts[1..]).is_err(), "without its head");
    for (number, part) in parts.iter().enumerate() {
        for at in 0..part.len() {
            let mut cut = parts.clone();
            cut[number].truncate(at);
            // A cut between two values goes unnoticed here. The log checks that parts are whole.
            drop(decoded(&cut));
            let mut changed = parts.clone();
            changed[number][at] ^= 0x55;
            // Some changes yield another valid user. It must be possible to unpack it.
            if let Ok(snapshot) = decoded(&changed) {
                for (id, _) in snapshot.users.blocks().0 {
                    assert!(snapshot.users.load(id).is_some());
                }
            }
        }
    }
    let mut earlier = parts;
    earlier[0][1] = 1;
    assert_eq!(decoded(&earlier).err().as_deref(), Some("it has format 1, not 2"));
}

/// A change of this text changes what other releases read: increment [`FORMAT`].
#[test]
fn the_form_of_this_format_stays() {
    let (_, addresses) = known(1);
    let (everything, mut users) = (one_with_everything(), PackedUsers::default());
    users.store(everything.aggregate.id(), &everything);
    let text: Vec<_> = encode(key(), &users, &addresses).iter().map(hex::encode).collect();
    assert_eq!(text.join("\n"), include_str!("snapshot_spec.txt").trim_end());
}
