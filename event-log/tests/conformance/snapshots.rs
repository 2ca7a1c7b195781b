//! Saving snapshots, and claims that start from one.

use std::sync::Arc;

use event_log::{EventLog, Record};
use log_model::Stream;

use crate::fixture::{Owner, TestLog, USERS, assert_chain_verifies, read, sequences, user_events};

const SNAPSHOT: &[&[u8]] = &[b"one", b"two"];

fn reservation(key: &str) -> (Stream, Record) {
    (Stream::Reservations, Record::keyed(key.to_owned(), Some(b"{}".to_vec())))
}

/// Keys of the reservations that were replayed.
fn reservations(owner: &Owner) -> Vec<&str> {
    let of = |recorded: &&event_log::Recorded| {
        recorded.place.stream == Stream::Reservations && !recorded.record.is_claim()
    };
    owner.replayed.iter().filter(of).map(|recorded| recorded.record.key.as_str()).collect()
}

/// Sequence numbers of the user events that were replayed.
fn events(owner: &Owner) -> Vec<u64> {
    let of_users = owner.replayed.iter().filter(|recorded| recorded.place == USERS).cloned();
    sequences(&of_users.collect::<Vec<_>>())
}

/// Saves a snapshot in a log that holds only two events, for [`assert_passed_over`].
pub(crate) async fn save_one(log: &Arc<dyn EventLog>) {
    let mut owner = Owner::claim(log, 0).await;
    owner.append(user_events(1..3)).await.unwrap();
    assert!(owner.save_snapshot(SNAPSHOT).await);
    owner.leave().await;
}

/// Checks that a claim restores no snapshot but replays everything, that writing goes on, and that the next
/// snapshot works.
pub(crate) async fn assert_passed_over(log: &Arc<dyn EventLog>) {
    let mut owner = Owner::claim(log, 0).await;
    assert_eq!(owner.restored, None);
    assert_eq!(events(&owner), [1, 2]);
    owner.append(user_events(3..4)).await.unwrap();
    assert_chain_verifies(&read(log, USERS, 0).await);
    assert!(owner.save_snapshot(SNAPSHOT).await);
    assert_eq!(events(&Owner::claim(log, 0).await), [] as [u64; 0]);
}

pub(crate) async fn a_claim_begins_with_the_newest_snapshot_and_replays_what_came_after(
    test_log: impl TestLog,
) {
    let log = test_log.open().await;
    let mut first = Owner::claim(&log, 0).await;
    assert_eq!(first.restored, None);
    first.append([user_events(1..3), vec![reservation("a")]].concat()).await.unwrap();
    assert!(first.save_snapshot(&[b"older"]).await);
    first.append(user_events(3..4)).await.unwrap();
    assert!(first.save_snapshot(SNAPSHOT).await);
    first.append([user_events(4..6), vec![reservation("b")]].concat()).await.unwrap();

    let mut second = Owner::claim(&log, 0).await;
    assert_eq!(
        second.restored.as_deref(),
        Some(&SNAPSHOT.iter().map(|part| part.to_vec()).collect::<Vec<_>>()[..])
    );
    assert_eq!(events(&second), [4, 5]);
    assert_eq!(reservations(&second), ["b"]);
    second.append(user_events(6..7)).await.unwrap();
    assert_chain_verifies(&read(&log, USERS, 0).await);
}

pub(crate) async fn a_snapshot_that_is_refused_leaves_everything_to_be_replayed(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut first = Owner::claim(&log, 0).await;
    first.append([user_events(1..3), vec![reservation("a")]].concat()).await.unwrap();
    assert!(first.save_snapshot(SNAPSHOT).await);

    let mut second = Owner::claim_without_snapshot(&log).await;
    assert!(second.restored.is_some());
    assert_eq!(events(&second), [1, 2]);
    assert_eq!(reservations(&second), ["a"]);
    second.append(user_events(3..4)).await.unwrap();
    assert_chain_verifies(&read(&log, USERS, 0).await);
}

pub(crate) async fn parts_may_be_larger_than_a_record(test_log: impl TestLog) {
    static LARGE: [u8; 1_500_000] = [7; 1_500_000];
    static PARTS: &[&[u8]] = &[b"small", &LARGE, b"small"];
    let log = test_log.open().await;
    let mut first = Owner::claim(&log, 0).await;
    first.append(user_events(1..2)).await.unwrap();
    assert!(first.save_snapshot(PARTS).await);
    let restored = Owner::claim(&log, 0).await.restored.unwrap();
    assert!(restored == PARTS, "{} parts", restored.len());
}

pub(crate) async fn nothing_is_saved_before_a_user_event_was_appended(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    assert!(!owner.save_snapshot(SNAPSHOT).await);
    owner.append(vec![reservation("a")]).await.unwrap();
    assert!(!owner.save_snapshot(SNAPSHOT).await);
    owner.append(user_events(1..2)).await.unwrap();
    assert!(owner.save_snapshot(SNAPSHOT).await);
}

pub(crate) async fn a_snapshot_survives_a_restart_and_the_fence(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut older = Owner::claim(&log, 0).await;
    older.append(user_events(1..3)).await.unwrap();
    let mut newer = Owner::claim(&log, 0).await;
    newer.append(user_events(3..4)).await.unwrap();
    assert!(newer.save_snapshot(SNAPSHOT).await);
    // A fenced owner's snapshot covers a true history, only an older one.
    assert!(older.save_snapshot(&[b"older"]).await);
    older.leave().await;
    newer.leave().await;
    drop(log);

    let log = test_log.open().await;
    let next = Owner::claim(&log, 0).await;
    // Either of the two may be restored.
    match next.restored.as_deref() {
        Some([one]) => assert_eq!((&one[..], events(&next)), (&b"older"[..], vec![3])),
        Some([_, _]) => assert_eq!(events(&next), [] as [u64; 0]),
        other => panic!("{other:?}"),
    }
}
