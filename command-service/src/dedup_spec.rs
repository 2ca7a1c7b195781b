//! Repeated commands are recognised, for as long as is promised and no longer.

use super::*;
use crate::fingerprint::FingerprintKey;

const KEY: FingerprintKey = FingerprintKey([7; 16]);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn remember(count: u64, seconds_apart: i64) -> RecentCommands {
    let mut recent = RecentCommands::default();
    for (n, second) in (1..=count).zip(0..) {
        let event = Uuid::from_u128(n.into());
        recent.record(
            KEY.command_id(&format!("c{n}")),
            KEY.request("user_1", "d"),
            event,
            at(second * seconds_apart),
            n,
        );
    }
    recent
}

fn version(lookup: &Lookup) -> Option<u64> {
    match lookup {
        Lookup::Done(done) => Some(done.version),
        Lookup::New | Lookup::IdReused => None,
    }
}

#[test]
fn the_same_command_is_found_with_its_outcome() {
    let recent = remember(3, 1);
    assert_eq!(version(&recent.look_up(KEY.command_id("c2"), KEY.request("user_1", "d"))), Some(2));
    assert!(matches!(recent.look_up(KEY.command_id("c9"), KEY.request("user_1", "d")), Lookup::New));
}

#[test]
fn the_events_of_one_command_are_one() {
    let mut recent = remember(1, 1);
    recent.record(KEY.command_id("c1"), KEY.request("user_1", "d"), Uuid::nil(), at(0), 2);
    assert_eq!(version(&recent.look_up(KEY.command_id("c1"), KEY.request("user_1", "d"))), Some(2));
    assert_eq!(recent.commands.len(), 1);
}

#[test]
fn packing_and_unpacking_changes_nothing() {
    for recent in [remember(0, 1), remember(3, 7), remember(40, 1), remember(20, 3_600), remember(9, -5)] {
        assert_eq!(RecentCommands::unpack(recent.pack()), recent);
    }
}

#[test]
fn commands_that_need_not_be_remembered_take_no_space() {
    assert_eq!(remember(1_000, 3_600).commands.len(), ALWAYS_KEPT);
    assert_eq!(remember(1_000, 1).commands.len(), 121);
}

#[test]
fn another_actor_or_another_request_under_the_same_id_is_seen() {
    let recent = remember(3, 1);
    assert!(matches!(recent.look_up(KEY.command_id("c2"), KEY.request("user_2", "d")), Lookup::IdReused));
    assert!(matches!(recent.look_up(KEY.command_id("c2"), KEY.request("user_1", "e")), Lookup::IdReused));
}

#[test]
fn sixteen_are_remembered_however_old_and_all_of_two_minutes() {
    assert!(matches!(
        remember(17, 3_600).look_up(KEY.command_id("c1"), KEY.request("user_1", "d")),
        Lookup::New
    ));
    assert!(matches!(
        remember(17, 3_600).look_up(KEY.command_id("c2"), KEY.request("user_1", "d")),
        Lookup::Done(_)
    ));
    assert!(matches!(
        remember(100, 1).look_up(KEY.command_id("c1"), KEY.request("user_1", "d")),
        Lookup::Done(_)
    ));
}
