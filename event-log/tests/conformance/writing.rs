//! Claiming, appending, being fenced, access records, announcing.

use std::sync::Arc;

use event_log::{AppendError, ClaimError, EventLog, Record, Recorded, every_record};
use log_model::partition;
use log_model::record::SEQUENCE;
use log_model::{Position, Stream, StreamPartition};

use crate::fixture::{
    CREDENTIALS, DEADLINE, GROUPS, Owner, TestLog, USERS, assert_chain_verifies, credential, end_of, event,
    read, sequences, user, user_events,
};

pub(crate) async fn a_claim_replays_everything_in_order_claims_included(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut first = Owner::claim(&log, 0).await;
    assert_eq!(first.replayed.len(), 3, "its own claim in group-events, claims and user-events");
    first.append(user_events(1..4)).await.unwrap();
    first.append(vec![(Stream::GroupEvents, event("group_1", 1))]).await.unwrap();
    first.append(user_events(4..6)).await.unwrap();

    let mut second = Owner::claim(&log, 0).await;
    // Stream partitions may alternate, but each is in order. Of the reservations only the newest per key is
    // certain.
    second.replayed.retain(|recorded| recorded.place.stream != Stream::Reservations);
    let (groups, users): (Vec<_>, Vec<_>) =
        second.replayed.into_iter().partition(|recorded| recorded.place == GROUPS);
    assert!(users.iter().all(|recorded| recorded.place == USERS));
    assert_eq!((groups.len(), users.len()), (3, 7));
    assert_eq!(sequences(&groups), [1]);
    assert_eq!(sequences(&users), [1, 2, 3, 4, 5]);
    for place in [&groups, &users] {
        assert_chain_verifies(place);
        assert!(place.first().unwrap().record.is_claim() && place.last().unwrap().record.is_claim());
    }
}

pub(crate) async fn a_claim_replays_the_newest_of_every_key(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut first = Owner::claim(&log, 0).await;
    let keyed = |key: &str, body: Option<&str>| {
        (Stream::Reservations, Record::keyed(key.to_owned(), body.map(|body| body.as_bytes().to_vec())))
    };
    first
        .append([user_events(1..2), vec![keyed("a", Some("1")), keyed("b", Some("2"))]].concat())
        .await
        .unwrap();
    first.append(vec![keyed("a", Some("3")), keyed("b", None)]).await.unwrap();

    let second = Owner::claim(&log, 0).await;
    let newest = |key: &str| {
        let of_key = |recorded: &&Recorded| {
            recorded.place.stream == Stream::Reservations && recorded.record.key == key
        };
        second.replayed.iter().rfind(of_key).map(|recorded| recorded.record.body.clone())
    };
    assert_eq!(newest("a"), Some(Some(b"3".to_vec())));
    assert_eq!(newest("b").flatten(), None);
}

pub(crate) async fn a_claim_that_cannot_replay_a_record_says_which(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    let position = owner.append(user_events(1..2)).await.unwrap();
    owner.leave().await;
    let refused = tokio::task::spawn_blocking(move || {
        let odd =
            |recorded: &Recorded| if recorded.record.is_claim() { Ok(()) } else { Err("odd".to_owned()) };
        log.claim(0, &mut every_record(odd)).err()
    });
    match refused.await.unwrap() {
        Some(ClaimError::Unreadable { place, offset, reason }) => {
            assert_eq!((place, Some(offset), reason.as_str()), (USERS, position.covered(USERS), "odd"));
        }
        other => panic!("expected an unreadable record, got {other:?}"),
    }
}

pub(crate) async fn a_batch_over_several_streams_lies_in_all_of_them(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    let secret = credential("user_1/password", Some("{}"));
    let group = (Stream::GroupEvents, event("group_1", 1));
    let batch = [user_events(1..3), vec![group, secret], user_events(3..4)].concat();
    let position = owner.append(batch).await.unwrap();
    for (place, expected) in [(USERS, 3), (GROUPS, 1), (CREDENTIALS, 1)] {
        let records = read(&log, place, 0).await;
        let ours: Vec<_> = records.iter().filter(|recorded| !recorded.record.is_claim()).collect();
        assert_eq!(ours.len(), expected, "{place}");
        assert_eq!(position.covered(place), ours.last().map(|recorded| recorded.offset), "{place}");
    }
    assert_eq!(sequences(&read(&log, USERS, 0).await), [1, 2, 3]);
}

pub(crate) async fn an_older_writer_is_fenced_and_its_batch_is_in_no_stream(test_log: impl TestLog) {
    let log = test_log.open().await;
    let other = opened_by_another(&test_log, &log).await;
    let mut older = Owner::claim(&log, 0).await;
    older.append(user_events(1..2)).await.unwrap();
    let mut newer = Owner::claim(&other, 0).await;

    let group = (Stream::GroupEvents, event("group_1", 1));
    let late = [user_events(2..3), vec![group, credential("user_1/password", Some("{}"))]].concat();
    let refused = older.append(late).await;
    assert!(matches!(refused, Err(AppendError::Fenced)), "{refused:?}");
    assert!(matches!(older.announce("http://older").await, Err(AppendError::Fenced)));

    newer.append(user_events(2..4)).await.unwrap();
    let users = read(&log, USERS, 0).await;
    assert_eq!(sequences(&users), [1, 2, 3]);
    assert_chain_verifies(&users);
    assert_eq!(sequences(&read(&log, GROUPS, 0).await), [] as [u64; 0]);
    assert!(read(&log, CREDENTIALS, 0).await.is_empty());
}

pub(crate) async fn only_the_newest_writer_can_reclaim_and_its_chain_goes_on(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut older = Owner::claim(&log, 0).await;
    older.reclaim().await.unwrap();
    older.append(user_events(1..2)).await.unwrap();
    let other = opened_by_another(&test_log, &log).await;
    let mut newer = Owner::claim(&other, 0).await;
    assert!(matches!(older.reclaim().await, Err(AppendError::Fenced)));
    newer.reclaim().await.unwrap();
    let group = (Stream::GroupEvents, event("group_1", 1));
    newer.append([user_events(2..3), vec![group]].concat()).await.unwrap();
    for (place, expected) in [(USERS, vec![1, 2]), (GROUPS, vec![1])] {
        let records = read(&log, place, 0).await;
        assert_eq!(sequences(&records), expected, "{place}");
        assert_chain_verifies(&records);
    }
}

/// The log as another process opens it, if the adapter allows two; otherwise the same one.
async fn opened_by_another(test_log: &impl TestLog, log: &Arc<dyn EventLog>) -> Arc<dyn EventLog> {
    if test_log.is_shared() { test_log.open().await } else { Arc::clone(log) }
}

pub(crate) async fn the_chain_goes_on_over_claims_and_restarts(test_log: impl TestLog) {
    for round in 0..3 {
        let log = test_log.open().await;
        let mut owner = Owner::claim(&log, 0).await;
        assert_eq!(sequences(&owner.replayed).len(), round * 2);
        let first = round as u64 * 2 + 1;
        owner.append(user_events(first..first + 1)).await.unwrap();
        owner.append(user_events(first + 1..first + 2)).await.unwrap();
        owner.leave().await;
    }
    let records = read(&test_log.open().await, USERS, 0).await;
    assert_eq!(sequences(&records), [1, 2, 3, 4, 5, 6]);
    assert_chain_verifies(&records);
}

pub(crate) async fn f26_sequences_of_0_1_0_and_padded_ones_lie_in_one_chain(test_log: impl TestLog) {
    let as_0_1_0 = |(stream, mut record): (Stream, Record)| {
        let header = record.headers.iter_mut().find(|(name, _)| *name == SEQUENCE).unwrap();
        header.1 = header.1.trim_start_matches('0').to_owned();
        (stream, record)
    };
    let log = test_log.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    owner.append(user_events(1..11).into_iter().map(as_0_1_0).collect()).await.unwrap();
    owner.append(user_events(11..13)).await.unwrap();
    let next = Owner::claim(&log, 0).await;
    let users: Vec<_> = next.replayed.into_iter().filter(|recorded| recorded.place == USERS).collect();
    assert_eq!(users, read(&log, USERS, 0).await);
    assert_eq!(sequences(&users), (1..13).collect::<Vec<_>>());
    assert_chain_verifies(&users);
    let texts: Vec<_> = users.iter().filter_map(|recorded| recorded.record.header(SEQUENCE)).collect();
    assert_eq!(texts[8..], ["9", "10", "00000000000000000011", "00000000000000000012"]);
}

pub(crate) async fn an_empty_batch_writes_nothing(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    let end = end_of(&log, USERS).await;
    assert_eq!(owner.append(Vec::new()).await.unwrap(), Position::new());
    assert_eq!(end_of(&log, USERS).await, end);
    owner.confirm().await.unwrap();
}

pub(crate) async fn access_records_lie_in_the_partition_of_their_key(test_log: impl TestLog) {
    let log = test_log.open().await;
    let keys = [user(), "user_00000001-0000-0000-0000-000000000000".to_owned(), "a digest".to_owned()];
    log.append_access(keys.iter().map(|key| event(key, 1)).collect()).await.unwrap();
    log.append_access(vec![event(&keys[0], 2)]).await.unwrap();
    for (key, expected) in keys.iter().zip([vec![1, 2], vec![1], vec![1]]) {
        let place = StreamPartition::new(Stream::Access, partition::of_key(key, log.partitions()));
        let records = read(&log, place, 0).await;
        let of_key: Vec<_> = records.into_iter().filter(|recorded| recorded.record.key == *key).collect();
        assert_eq!(sequences(&of_key), expected, "{key}");
    }
}

pub(crate) async fn the_owner_is_announced_and_the_newest_wins(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut epochs = Vec::new();
    for url in ["http://one:8081", "http://two:8081"] {
        let mut owner = Owner::claim(&log, 0).await;
        let epoch = owner.announce(url).await.unwrap();
        let mut owners = log.owners();
        let told = owners.wait_for(|owners| owners.get(&0).is_some_and(|owner| owner.url == url));
        let told = tokio::time::timeout(DEADLINE, told).await.expect("it is announced in time").unwrap();
        assert_eq!(told[&0].epoch, epoch);
        epochs.push(epoch);
    }
    assert!(epochs[0] < epochs[1], "{epochs:?}");
}
