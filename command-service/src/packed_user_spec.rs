//! Packing and unpacking a user changes nothing, and packed users are small.

use domain::aggregate::Aggregate;
use domain::id::{GroupId, RuleId};
use domain::names::GroupName;
use domain::testing;
use domain::user::lifecycle::Suspended;
use domain::user::rules::{DeliverPolicy, Download, Entry, Kind, Rule, Upload};
use domain::user::{Event, onboarding, password, rules};
use proptest::prelude::*;

use super::*;
use crate::dedup::Lookup;
use crate::fingerprint::FingerprintKey;
use crate::packed_users::PackedUsers;

/// The histories of the domain's property tests.
#[path = "../../domain/tests/it/histories.rs"]
mod histories;

const AT: Timestamp = Timestamp::MAX;

/// The same key in every run.
pub(crate) fn key() -> FingerprintKey {
    postcard::from_bytes(&[7; 16]).unwrap()
}

fn group(name: &str) -> GroupRef {
    GroupRef { id: GroupId::of(&GroupName::parse(name).unwrap()), name: name.to_owned() }
}

fn there_and_back(tracked: &TrackedAggregate<User>, groups: &mut GroupTable) {
    let bytes = pack(tracked, groups, Vec::new());
    assert!(is_user(&bytes, groups));
    assert_eq!(&unpack(tracked.aggregate.id(), &bytes, groups), tracked);
}

fn registered(name: &str) -> Event {
    let username = name.to_owned();
    onboarding::Registered { username, origin: onboarding::Origin::OneSelf, personal: Personal::default() }
        .into()
}

/// A user with every field set.
pub(crate) fn one_with_everything() -> TrackedAggregate<User> {
    let id = histories::id();
    let text = |text: &str| Some(text.to_owned());
    let rule = |name: &str, kind| Rule {
        id: RuleId::of(id, name),
        name: name.to_owned(),
        active: true,
        poll_interval: 86_400,
        subscribers: 20,
        kind,
    };
    let upload = Upload {
        match_pattern: "*.csv".to_owned(),
        regex: true,
        upload_format: String::new(),
        metadata: vec![Entry { key: "k".to_owned(), value: "ü".to_owned() }],
        ack_mode: rules::AckMode::Archive,
    };
    let download = Download {
        mailbox: "inbox".to_owned(),
        deliver_policy: DeliverPolicy::ByStartTime,
        start_time: Some(Timestamp::MIN),
        download_path: "./in".to_owned(),
        max_files: 10_000,
    };
    let token = |sequence, expires_at| Token {
        id: TokenId::issued_at(id, sequence),
        name: format!("token {sequence}").into(),
        expires_at,
    };
    let account = Account {
        username: "alice".into(),
        lifecycle: Lifecycle::Suspended(Some(group("staff"))),
        personal: Personal {
            first_name: text("Alice"),
            last_name: text("Ärmel"),
            ..testing::personal("alice")
        },
        roles: Roles::EVERY,
        password_version: u64::MAX,
        config: Some(Box::new(UfaConfig {
            debug: true,
            log_file: "./log".to_owned(),
            ..UfaConfig::default()
        })),
        rules: vec![rule("up", Kind::Upload(upload)), rule("down", Kind::Download(download))],
        mailboxes: vec!["inbox".into(), "outbox".into()],
        tokens: vec![token(5, None), token(6, Some(AT))],
        revoked: vec![TokenId::issued_at(id, 7)],
    };
    let mut tracked = TrackedAggregate::new(User::restored(id, 9, Some(Box::new(account))));
    tracked.recent.record(
        key().command_id("c"),
        key().request("user", "digest"),
        Uuid::nil(),
        Timestamp::from_micros(1),
        9,
    );
    tracked
}

#[test]
fn everything_that_a_user_can_have_comes_back() {
    there_and_back(&one_with_everything(), &mut GroupTable::default());
}

#[test]
fn each_user_keeps_its_own_group() {
    let (mut groups, mut users) = (GroupTable::default(), PackedUsers::default());
    let renamed = GroupRef { name: "other".to_owned(), ..group("staff") };
    for group in [group("staff"), group("suppliers"), renamed, group("staff")] {
        let mut tracked = TrackedAggregate::new(User::new(histories::id()));
        tracked.aggregate.evolve(&registered("alice"), AT);
        tracked.aggregate.evolve(&onboarding::Approved { group: Some(group) }.into(), AT);
        there_and_back(&tracked, &mut groups);
        users.store(tracked.aggregate.id(), &tracked);
        assert_eq!(users.load(tracked.aggregate.id()), Some(tracked));
    }
    assert_eq!(users.len(), 1);
}

#[test]
fn a_replay_and_what_follows_it_see_the_same_user() {
    let ids: Vec<UserId> = (0..2_000_u128).map(|n| UserId::from_uuid(Uuid::from_u128(n))).collect();
    let mut users = PackedUsers::default();
    for event in [registered("alice"), onboarding::Rejected { reason: "no".to_owned() }.into()] {
        for id in &ids {
            users.load_for_replay(*id).aggregate.evolve(&event, AT);
        }
        assert_eq!(users.len(), ids.len());
    }
    for id in &ids {
        let mut tracked = users.load(*id).unwrap();
        assert_eq!((tracked.aggregate.id(), tracked.aggregate.version()), (*id, 2));
        tracked.aggregate.evolve(&Suspended { reason: "why".to_owned() }.into(), AT);
        users.store(*id, &tracked);
        assert_eq!(users.load(*id), Some(tracked));
    }
    assert_eq!(users.len(), ids.len());
}

#[test]
fn a_user_with_a_profile_a_group_and_three_commands_takes_less_than_two_hundred_bytes() {
    let mut tracked = TrackedAggregate::new(User::new(histories::id()));
    let text = |text: &str| Some(text.to_owned());
    let personal = Personal {
        first_name: text("Friederike"),
        last_name: text("Montgomery"),
        ..testing::personal("friederike.montgomery")
    };
    let username = "friederike.montgomery".to_owned();
    let registered = onboarding::Registered { username, origin: onboarding::Origin::OneSelf, personal };
    let approved = onboarding::Approved { group: Some(group("suppliers-europe")) };
    let reset = password::PasswordReset { expires_at: AT };
    let commands: [Vec<Event>; 3] = [
        vec![registered.into()],
        vec![approved.into(), reset.into()],
        vec![password::PasswordChanged {}.into()],
    ];
    for (hour, events) in (480_000_i64..).zip(commands) {
        for event in events {
            tracked.aggregate.evolve(&event, AT);
            let (command, at) = (format!("command {hour}"), Timestamp::from_micros(hour * 3_600_000_000));
            let version = tracked.aggregate.version();
            tracked.recent.record(
                key().command_id(&command),
                key().request("user", "digest"),
                Uuid::now_v7(),
                at,
                version,
            );
        }
    }
    let length = pack(&tracked, &mut GroupTable::default(), Vec::new()).len();
    assert!(length <= 184, "{length} bytes");
}

#[test]
fn edits_take_no_more_memory_than_what_must_be_remembered_of_them() {
    let mut groups = GroupTable::default();
    let mut tracked = TrackedAggregate::new(User::new(histories::id()));
    let mut lengths = Vec::new();
    for n in 0..1_000_u32 {
        tracked.aggregate.evolve(&registered("alice"), AT);
        let at = Timestamp::from_micros(i64::from(n) * 3_600_000_000);
        tracked.recent.record(
            key().command_id(&n.to_string()),
            key().request("user", "d"),
            Uuid::now_v7(),
            at,
            tracked.aggregate.version(),
        );
        let bytes = pack(&tracked, &mut groups, Vec::new());
        tracked = unpack(tracked.aggregate.id(), &bytes, &groups);
        lengths.push(bytes.len());
    }
    assert!(lengths[999] <= lengths[16] + 4, "{} bytes, then {}", lengths[16], lengths[999]);
    assert!(matches!(
        tracked.recent.look_up(key().command_id("999"), key().request("user", "d")),
        Lookup::Done(_)
    ));
    assert!(matches!(
        tracked.recent.look_up(key().command_id("984"), key().request("user", "d")),
        Lookup::Done(_)
    ));
    assert!(matches!(
        tracked.recent.look_up(key().command_id("983"), key().request("user", "d")),
        Lookup::New
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_state_of_any_history_comes_back(
        commands in proptest::collection::vec(histories::command(), 1..40)
    ) {
        let mut groups = GroupTable::default();
        let mut tracked = TrackedAggregate::new(User::new(histories::id()));
        for (n, command) in commands.iter().enumerate() {
            let context = histories::context(command, &tracked.aggregate);
            let Ok(decision) = tracked.aggregate.decide(command, &context) else { continue };
            for event in decision.events() {
                tracked.aggregate.evolve(event, context.now);
                let version = tracked.aggregate.version();
                tracked.recent.record(key().command_id(&n.to_string()), key().request("user", "d"), Uuid::now_v7(), context.now, version);
            }
            there_and_back(&tracked, &mut groups);
        }
    }
}
