//! Races for one e-mail address: all orders of steps, with crashes, repeated and late messages, and a holder who leaves.

mod owners;
mod world;

use std::collections::HashSet;

use domain::aggregate::Aggregate;
use domain::command::Answer;
use domain::decision_context::{DecisionContext, Limits};
use domain::id::{AddressId, ReservationId};
use domain::patch::Patch;
use domain::timestamp::Timestamp;
use uuid::Uuid;

use self::owners::{ADDRESS, Owners, address_of, id, now, register, registration, reservation};
use self::world::{Seeker, World};

/// Visits every world that can follow from this one. `at_the_end` checks those in which nothing more happens.
fn walk(begin: World, at_the_end: impl Fn(&World)) -> usize {
    let mut seen = HashSet::from([begin.key()]);
    let mut open = vec![begin];
    while let Some(world) = open.pop() {
        assert!(world.owners.holders() <= 1, "two users hold one address: {}", world.key());
        let next = world.next();
        if next.is_empty() {
            at_the_end(&world);
        }
        open.extend(next.into_iter().filter(|world| seen.insert(world.key())));
        assert!(seen.len() < 2_000_000, "the walk does not end");
    }
    seen.len()
}

/// Owners after this user took the address with a granted reservation.
fn held_by(name: &str) -> Owners {
    let mut world = World::of(Owners::default(), vec![register(name)]);
    while let Some(next) = world.next().pop() {
        world = next;
    }
    assert_eq!((world.winners(), world.owners.holders()), (1, 1));
    world.owners
}

#[test]
fn one_of_two_registrations_wins_in_any_order() {
    let worlds = walk(World::of(Owners::default(), vec![register("alice"), register("bob")]), |end| {
        assert_eq!(end.owners.holders(), 1);
        assert_eq!((end.winners(), end.losers()), (1, 1));
    });
    assert!(worlds > 50, "{worlds}");
}

#[test]
fn no_crash_and_no_late_or_repeated_message_gives_an_address_to_two() {
    let mut begin = World::of(Owners::default(), vec![register("alice"), register("bob")]);
    (begin.crashes, begin.repeats) = (1, 1);
    let worlds = walk(begin, |end| {
        // A user who was told so holds the address.
        assert!(end.winners() <= end.owners.holders());
        assert!(end.losers() == 0 || end.owners.holders() == 1);
    });
    assert!(worlds > 1_000, "{worlds}");
}

#[test]
fn an_address_released_in_the_middle_of_a_race_has_at_most_one_holder() {
    let mut begin = World::of(held_by("carol"), vec![register("alice"), register("bob")]);
    begin.release = Some(address_of("carol", Patch::Clear));
    begin.crashes = 1;
    let won = std::cell::Cell::new(0);
    walk(begin, |end| {
        assert!(end.winners() <= end.owners.holders());
        won.set(won.get() + end.winners());
    });
    assert!(won.get() > 0, "in some worlds the holder releases it before anybody asks");
}

#[test]
fn a_pending_registration_loses_its_address_to_an_administrator_and_to_nobody_else() {
    let mut owners = held_by("carol");
    let (kept, taken) = (address_of("dora", Patch::Set(ADDRESS.into())), register("alice"));
    let context = DecisionContext { now: now(), group: None, prepared: None, limits: Limits::default() };
    let asked = registration("dora", "dora@example.com");
    let registered = owners.user(id("dora")).decide(&asked, &context).unwrap();
    owners.write(id("dora"), registered.events());
    let refused = World::of(owners.clone(), vec![taken.clone()]).ends();
    assert!(refused.iter().all(|end| end.losers() == 1));
    walk(World::of(owners, vec![kept, taken]), |end| {
        // Alice is only registered. So she loses the address, whether she held it for a moment or not.
        assert_eq!(end.owners.holders(), 1);
        assert!(end.owners.users[&id("dora")].holds_address(AddressId::of(ADDRESS)));
        assert!(matches!(end.seekers[0], Seeker::Knows(Answer::Accepted { .. })));
    });
}

impl World {
    /// The worlds in which nothing more happens.
    fn ends(self) -> Vec<Self> {
        let ends = std::cell::RefCell::new(Vec::new());
        walk(self, |end| ends.borrow_mut().push(end.clone()));
        ends.into_inner()
    }
}

#[test]
fn reservations_have_distinct_ids_that_tell_when_they_were_made() {
    assert_ne!(reservation(1), reservation(2));
    assert_eq!(reservation(1).made_at(), now());
    assert_eq!(ReservationId::from_uuid(Uuid::nil()).made_at(), Timestamp::MIN);
}
