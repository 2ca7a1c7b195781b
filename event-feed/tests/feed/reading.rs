//! What readers get: everything once and in order, live, from the log, and on the way from one to the other.

use domain::deployment::{self, Event, RecordSkipped};
use event_feed::{FeedError, FeedKind, Selection, StartAt};
use event_log::Read;
use log_model::{RecordDigest, Stream, StreamPartition};

use crate::world::{World, envelope, event, numbers, of_types, open, soon, take, to_end};

#[tokio::test]
async fn a_live_reader_gets_what_comes_and_nothing_from_before() {
    let world = World::new().await;
    world.events(1, 3).await;
    let feeds = world.feeds();
    let mut reader = open(&feeds, StartAt::Now).await;
    world.events(4, 2).await;
    assert_eq!(numbers(&mut reader, 2).await, [4, 5]);
    let mut from_the_start = open(&feeds, StartAt::Beginning).await;
    assert_eq!(numbers(&mut from_the_start, 5).await, [1, 2, 3, 4, 5]);
    world.events(6, 1).await;
    assert_eq!((numbers(&mut reader, 1).await, numbers(&mut from_the_start, 1).await), (vec![6], vec![6]));
}

#[tokio::test]
async fn a_reader_that_falls_behind_reads_the_log_and_joins_the_tail_again() {
    let world = World::new().await;
    let feeds = world.feeds();
    let mut slow = open(&feeds, StartAt::Now).await;
    let mut quick = open(&feeds, StartAt::Now).await;
    world.events(1, 1).await;
    assert_eq!(numbers(&mut slow, 1).await, [1]);
    for batch in 0..5 {
        world.events(2 + batch * 1_000, 1_000).await;
    }
    let expected: Vec<u64> = (1..=5_001).collect();
    assert_eq!(numbers(&mut quick, 5_001).await, expected);
    world.events(5_002, 3).await;
    assert_eq!(numbers(&mut slow, 5_003).await, (2..=5_004).collect::<Vec<_>>());
    world.events(5_005, 1).await;
    let (slow, quick) = (take(&mut slow, 1).await, take(&mut quick, 4).await);
    assert_eq!(slow[0], quick[3], "both stand on the same tail");
}

#[tokio::test]
async fn a_filtered_reader_moves_on_past_what_it_does_not_want() {
    let world = World::new().await;
    world.events(1, 3_000).await;
    world.append(vec![(Stream::UserEvents, event("bob", "muster.user.deleted", 3_001))]).await;
    world.events(3_002, 10).await;
    let feeds = world.feeds();
    let deleted = || of_types(&["muster.user.deleted"]);
    let mut reader = feeds.open(FeedKind::Users, StartAt::Beginning, deleted()).await.unwrap();
    let mut positions = vec![reader.position()];
    let mut passed_over = 0;
    let event = loop {
        let portion = soon(reader.next()).await.unwrap();
        positions.push(portion.position);
        passed_over += portion.passed_over;
        if let Some(event) = portion.events.first() {
            break event.clone();
        }
    };
    assert_eq!(event.offset, 3_001, "offset 0 is the claim record");
    assert!(passed_over >= 3_000, "{passed_over}");
    assert!(positions.len() > 3, "it says where it is at least every 1,000 events");
    positions.dedup();
    assert_eq!(positions.len(), 5, "each position is another one: {positions:?}");
    let mut live = feeds.open(FeedKind::Users, StartAt::Now, deleted()).await.unwrap();
    world.events(3_012, 5).await;
    let portion = soon(live.next()).await.unwrap();
    assert_eq!((portion.events.len(), portion.passed_over), (0, 5));
}

#[tokio::test]
async fn the_feed_of_groups_shows_groups_alone() {
    let world = World::new().await;
    let group = |kind: &str, number| envelope("group_1".to_owned(), number).record(kind, b"{}".to_vec());
    let deployment =
        envelope("deployment".to_owned(), 1).record("muster.deployment.initialised", b"{}".to_vec());
    let records = vec![group("muster.group.created", 2), deployment, group("muster.group.closed", 3)];
    world.append(records.into_iter().map(|record| (Stream::GroupEvents, record)).collect()).await;
    world.events(1, 1).await;
    let feeds = world.feeds();
    let mut reader = feeds.open(FeedKind::Groups, StartAt::Beginning, Selection::default()).await.unwrap();
    assert_eq!(numbers(&mut reader, 2).await, [2, 3]);
    let end = feeds.end(FeedKind::Groups).await.unwrap();
    assert!(soon(reader.next_before(&end)).await.unwrap().is_none());
}

#[tokio::test]
async fn reading_to_the_end_ends_there() {
    let world = World::new().await;
    let feeds = world.feeds();
    let mut reader = open(&feeds, StartAt::Beginning).await;
    assert_eq!(to_end(&feeds, &mut reader).await, Vec::<u64>::new());
    world.events(1, 150).await;
    assert_eq!(to_end(&feeds, &mut reader).await, (1..=150).collect::<Vec<_>>());
    let late = world.feeds();
    let mut reader = open(&late, StartAt::Beginning).await;
    assert_eq!(to_end(&late, &mut reader).await, (1..=150).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_record_that_is_no_event_stops_the_feed_and_is_not_skipped() {
    let world = World::new().await;
    let feeds = world.feeds();
    let mut live = open(&feeds, StartAt::Now).await;
    world.events(1, 2).await;
    let damaged = envelope("user_1".to_owned(), 3).record("muster.user.approved", b"{".to_vec());
    world.append(vec![(Stream::UserEvents, damaged)]).await;
    world.events(4, 2).await;
    let before = take(&mut live, 2).await;
    let late = world.feeds();
    let mut from_the_start = open(&late, StartAt::Beginning).await;
    for reader in [&mut live, &mut from_the_start] {
        let error = loop {
            match soon(reader.next()).await {
                Ok(portion) => assert!(portion.events.len() <= 2),
                Err(error) => break error,
            }
        };
        assert!(matches!(&error, FeedError::NotShown(_)), "{error}");
        assert!(error.to_string().starts_with("user-events-0 offset 3 is no event"), "{error}");
    }
    assert_eq!(*live.position(), before[1].1, "whoever comes back meets the record again");
}

#[tokio::test]
async fn f07_a_skipped_record_is_passed_over() {
    let world = World::new().await;
    world.events(1, 2).await;
    let damaged = envelope("user_1".to_owned(), 3).record("muster.user.approved", b"{".to_vec());
    world.append(vec![(Stream::UserEvents, damaged)]).await;
    world.events(4, 2).await;
    let place = StreamPartition::new(Stream::UserEvents, 0);
    let mut follow = world.log.follow(vec![(place, 3)]);
    let Some(Read::Records(_, records)) = soon(follow.next()).await else { panic!("the records are there") };
    let skipped = RecordSkipped {
        place: place.to_string(),
        offset: 3,
        digest: RecordDigest::of(&records[0].record).to_string(),
        reason: "damaged".to_owned(),
    };
    let skipped = Event::from(skipped);
    let skip = envelope(deployment::SUBJECT.to_owned(), 6).record(skipped.wire_name(), skipped.to_json());
    world.append(vec![(Stream::GroupEvents, skip)]).await;
    let feeds = world.feeds();
    let mut reader = open(&feeds, StartAt::Beginning).await;
    assert_eq!(to_end(&feeds, &mut reader).await, [1, 2, 4, 5]);
}
