//! Following the log: reading what is committed, and on as the log grows.

use std::time::Duration;

use event_log::Read;
use event_log::envelope::Envelope;
use log_model::StreamPartition;

use crate::fixture::{
    CREDENTIALS, DEADLINE, Owner, TestLog, USERS, assert_chain_verifies, credential, end_of, read, read_to,
    sequences, user_events,
};

pub(crate) async fn what_is_appended_is_followed_in_order(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    let mut follow = log.follow(vec![(USERS, 0)]);
    let mut records = read_to(&mut follow, USERS, 1).await;
    let mut first = 1;
    // First more than one batch of any reader, then a little at a time.
    for size in [2_500, 1, 3] {
        let written = user_events(first..first + size);
        let bodies: Vec<_> = written.iter().map(|(_, record)| record.body.clone()).collect();
        let position = owner.append(written).await.unwrap();
        let news = read_to(&mut follow, USERS, position.covered(USERS).unwrap() + 1).await;
        assert_eq!(news.iter().map(|recorded| recorded.record.body.clone()).collect::<Vec<_>>(), bodies);
        records.extend(news);
        first += size;
    }
    assert_chain_verifies(&records);
    assert_eq!(records[0].record.header("ce_type"), Some("muster.log.claimed"));
    let client = Envelope::read(&records[1].record).unwrap().client;
    assert_eq!(client.agent.as_deref(), Some("Zoë's \"browser\""));
}

pub(crate) async fn a_follower_starts_where_it_is_told(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    owner.append(user_events(1..4)).await.unwrap();
    let middle = owner.append(user_events(4..5)).await.unwrap().covered(USERS).unwrap();
    owner.append(user_events(5..8)).await.unwrap();
    assert_eq!(sequences(&read(&log, USERS, middle).await), [4, 5, 6, 7]);
    assert_eq!(sequences(&read(&log, USERS, middle + 1).await), [5, 6, 7]);
    let end = end_of(&log, USERS).await;
    assert!(read(&log, USERS, end).await.is_empty());
}

pub(crate) async fn followers_do_not_disturb_each_other(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    let mut follows: Vec<_> = (0..4).map(|_| log.follow(vec![(USERS, 0), (CREDENTIALS, 0)])).collect();
    drop(follows.pop());
    let mut last = 0;
    for first in (1..101).step_by(10) {
        last = owner.append(user_events(first..first + 10)).await.unwrap().covered(USERS).unwrap();
    }
    for follow in &mut follows {
        let records = read_to(follow, USERS, last + 1).await;
        assert_eq!(sequences(&records), (1..101).collect::<Vec<_>>());
    }
}

pub(crate) async fn a_position_covers_the_last_record_of_each_place_and_followers_pass_it(
    test_log: impl TestLog,
) {
    let log = test_log.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    let batch = [user_events(1..3), vec![credential("user_1/password", Some("{}"))]].concat();
    let position = owner.append(batch).await.unwrap();
    let places: Vec<StreamPartition> = position.iter().map(|(place, _)| place).collect();
    assert_eq!(places, [USERS, CREDENTIALS]);
    for (place, covered) in position.iter() {
        let records = read_to(&mut log.follow(vec![(place, 0)]), place, covered + 1).await;
        assert_eq!(records.last().unwrap().offset, covered);
        assert!(end_of(&log, place).await > covered);
    }
    let next = owner.append(user_events(3..4)).await.unwrap();
    assert!(next.covered(USERS) > position.covered(USERS));
    assert_eq!(next.covered(CREDENTIALS), None);
}

pub(crate) async fn the_newest_of_a_credential_and_its_tombstone_are_met(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    let one = |body| vec![credential("user_1/password", Some(body)), credential("user_1/token", Some("{}"))];
    owner.append(one("{\"version\":1}")).await.unwrap();
    owner.append([one("{\"version\":2}"), one("{\"version\":3}")].concat()).await.unwrap();
    owner.append(vec![credential("user_1/token", None)]).await.unwrap();
    // Compaction may have removed the older records. Only the newest of each key counts.
    let records = read(&log, CREDENTIALS, 0).await;
    let newest =
        |key: &str| records.iter().rfind(|recorded| recorded.record.key == key).unwrap().record.body.clone();
    assert_eq!(newest("user_1/password").as_deref(), Some(b"{\"version\":3}".as_slice()));
    assert_eq!(newest("user_1/token"), None);
    owner.append(vec![credential("user_1/token", Some("{\"again\":true}"))]).await.unwrap();
    let last = read(&log, CREDENTIALS, 0).await.pop().unwrap();
    assert_eq!(last.record.body.as_deref(), Some(b"{\"again\":true}".as_slice()));
}

pub(crate) async fn the_ends_are_where_a_follower_arrives(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    owner.append(user_events(1..3)).await.unwrap();
    let ends = log.ends().await.unwrap();
    assert_eq!(
        ends.iter().map(|(place, _)| *place).collect::<Vec<_>>(),
        StreamPartition::followed(log.partitions()).collect::<Vec<_>>()
    );
    let mut follow = log.follow(ends.iter().map(|(place, _)| (*place, 0)).collect());
    let mut missing = ends;
    let arriving = async {
        while !missing.is_empty() {
            if let Some(Read::End(place, next)) = follow.next().await {
                missing.retain(|(of, end)| *of != place || next < *end);
            }
        }
    };
    tokio::time::timeout(DEADLINE, arriving).await.expect("every end is reached");
}

pub(crate) async fn the_end_is_said_again_while_nothing_happens(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut follow = log.follow(vec![(USERS, 0)]);
    read_to(&mut follow, USERS, 0).await;
    for _ in 0..3 {
        let again = tokio::time::timeout(Duration::from_secs(3), follow.next()).await;
        assert!(matches!(again, Ok(Some(Read::End(USERS, 0)))), "{again:?}");
    }
}

pub(crate) async fn a_log_that_is_closed_ends_its_followers(test_log: impl TestLog) {
    let log = test_log.open().await;
    let mut follow = log.follow(vec![(USERS, 0)]);
    read_to(&mut follow, USERS, 0).await;
    drop(log);
    let ending = async { while follow.next().await.is_some() {} };
    tokio::time::timeout(DEADLINE, ending).await.expect("a follower ends with its log");
}
