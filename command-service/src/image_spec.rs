//! An image says everything that decisions need, and what is no image is refused.

use domain::address::ReservationHolder;
use domain::aggregate::Aggregate;
use domain::id::GroupId;
use domain::names::GroupName;
use domain::timestamp::Timestamp;
use domain::user::profile::Personal;
use domain::user::{User, onboarding};
use event_log::Record;

use super::*;
use crate::packed::spec::{key, one_with_everything};
use crate::slot::Slot;

fn id(n: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(n))
}

/// A user in one of two groups, with an address and a command.
fn user(n: u128) -> Slot<User> {
    let mut slot = Slot::new(User::new(id(n)));
    let at = Timestamp::from_micros(1_700_000_000_000_000);
    let personal = Personal { email: Some(format!("user{n}@example.com")), ..Personal::default() };
    let origin = onboarding::Origin::OneSelf;
    let registered = onboarding::Registered { username: format!("user{n}"), origin, personal };
    slot.aggregate.evolve(&registered.into(), at);
    let name = if n.is_multiple_of(2) { "staff" } else { "suppliers" };
    let group = GroupRef { id: GroupId::of(&GroupName::parse(name).unwrap()), name: name.to_owned() };
    slot.aggregate.evolve(&onboarding::Approved { group: Some(group) }.into(), at);
    let asked = key().asked("user", "digest");
    slot.remembered.note(key().command(&n.to_string()), asked, Uuid::from_u128(n), at, 2);
    slot
}

fn reservation(n: u128) -> ReservationId {
    ReservationId::from_uuid(Uuid::from_u128(n))
}

/// So many users, each of whom was granted an address of this partition, and two reservations that are void.
fn known(count: u128) -> (Residents, Addresses) {
    let (mut users, mut addresses) = (Residents::default(), Addresses::of(0, 1));
    for n in 0..count {
        users.rest(id(n), &user(n));
        let address = AddressId::of(&format!("user{n}@example.com"));
        let known_holder = ReservationHolder { holder: id(n), reservation: Some(reservation(n)) };
        let body = serde_json::to_vec(&known_holder).unwrap();
        addresses.replay(&Record::keyed(address.to_string(), Some(body))).unwrap();
        addresses.take_in(&user(n).aggregate);
    }
    for n in [8, 9] {
        addresses.replay(&Record::keyed(reservation(n).to_string(), Some(b"{}".to_vec()))).unwrap();
    }
    (users, addresses)
}

fn again(parts: &[Vec<u8>]) -> Result<Image, String> {
    read(parts, Addresses::of(0, 1))
}

#[test]
fn what_was_known_is_known_again() {
    let (users, addresses) = known(5_000);
    let parts = of(key(), &users, &addresses);
    assert!(parts.len() > 4 && parts.iter().all(|part| part.len() < PART + 1_000));
    let image = again(&parts).unwrap();
    assert_eq!(image.key, key());
    assert_eq!(image.users.len(), 5_000);
    for n in 0..5_000 {
        assert_eq!(image.users.wake(id(n)), Some(user(n)));
    }
    assert_eq!(image.addresses, addresses);
    let (holders, granted, void) = addresses.known();
    assert_eq!((holders.len(), granted.count(), void.len()), (5_000, 5_000, 2));
}

#[test]
fn an_image_of_nothing_is_one() {
    let image = again(&of(key(), &Residents::default(), &Addresses::of(0, 1))).unwrap();
    assert_eq!((image.key, image.users.len()), (key(), 0));
}

#[test]
fn whatever_an_image_is_cut_off_or_changed_to_nobody_panics() {
    let (users, addresses) = known(3);
    let parts = of(key(), &users, &addresses);
    assert!(again(&[]).is_err());
    assert!(again(&parts[1..]).is_err(), "without its head");
    for (number, part) in parts.iter().enumerate() {
        for at in 0..part.len() {
            let mut cut = parts.clone();
            cut[number].truncate(at);
            // Between two values nothing shows: that a part is whole is for the log to see to.
            drop(again(&cut));
            let mut changed = parts.clone();
            changed[number][at] ^= 0x55;
            // Some changes make another user. What matters is that whoever is there can be woken.
            if let Ok(image) = again(&changed) {
                for (id, _) in image.users.at_rest().0 {
                    assert!(image.users.wake(id).is_some());
                }
            }
        }
    }
    let mut newer = parts;
    newer[0][1] = 2;
    assert_eq!(again(&newer).err().as_deref(), Some("it has format 2, not 1"));
}

/// Whoever changes this text changes what other releases read: count [`FORMAT`] up.
#[test]
fn the_form_of_this_format_stays() {
    let (_, addresses) = known(1);
    let (everything, mut users) = (one_with_everything(), Residents::default());
    users.rest(everything.aggregate.id(), &everything);
    let text: Vec<_> = of(key(), &users, &addresses).iter().map(hex::encode).collect();
    assert_eq!(text.join("\n"), include_str!("image_spec.txt").trim_end());
}
