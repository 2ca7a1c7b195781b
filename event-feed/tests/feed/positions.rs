//! Where a reader begins: after any position, at an instant, and what is told of a position that does not fit.

use domain::timestamp::Timestamp;
use event_feed::{FeedError, FeedKind, Selection, StartAt};

use crate::world::{World, after, numbers, open, refused, soon, take};

#[tokio::test]
async fn after_any_position_nothing_is_missed_and_nothing_comes_twice() {
    let world = World::new().await;
    let feeds = world.feeds();
    let mut live = open(&feeds, StartAt::Now).await;
    let beginning = live.position();
    world.events(1, 30).await;
    let mut positions: Vec<_> = vec![(0, beginning.to_string())];
    positions.extend(take(&mut live, 30).await);
    let restarted = world.feeds();
    for feeds in [&feeds, &restarted] {
        for (number, position) in &positions {
            let mut reader = open(feeds, after(position)).await;
            assert_eq!(&*reader.position(), position.as_str());
            let rest: Vec<u64> = (number + 1..=30).collect();
            assert_eq!(numbers(&mut reader, rest.len()).await, rest, "after {number}");
        }
    }
}

#[tokio::test]
async fn a_reader_that_resumes_where_the_tail_is_reads_it_on() {
    let world = World::new().await;
    world.events(1, 5).await;
    let feeds = world.feeds();
    let mut reader = open(&feeds, StartAt::Beginning).await;
    let position = take(&mut reader, 5).await.pop().unwrap().1;
    let mut resumed = open(&feeds, after(&position)).await;
    world.events(6, 2).await;
    assert_eq!(numbers(&mut resumed, 2).await, [6, 7]);
}

#[tokio::test]
async fn an_instant_is_where_the_first_record_is_not_older() {
    let world = World::new().await;
    // Each event is a second after the one before, so this is several hours.
    for batch in 0..20 {
        world.events(1 + batch * 1_000, 1_000).await;
    }
    let feeds = world.feeds();
    for second in [1, 7, 9_999, 12_345, 19_999] {
        let start = StartAt::Time(Timestamp::from_micros(second * 1_000_000));
        let mut reader = open(&feeds, start).await;
        assert_eq!(numbers(&mut reader, 1).await[0], u64::try_from(second).unwrap());
    }
    let mut later = open(&feeds, StartAt::Time(Timestamp::from_micros(90_000_000_000))).await;
    world.events(20_001, 1).await;
    assert_eq!(numbers(&mut later, 1).await, [20_001]);
}

#[tokio::test]
async fn a_clock_that_went_back_hides_nothing() {
    let world = World::new().await;
    world.events(5_000, 3_000).await;
    world.events(4_000, 3_000).await;
    let feeds = world.feeds();
    let mut reader = open(&feeds, StartAt::Time(Timestamp::from_micros(6_500_000_000))).await;
    assert_eq!(numbers(&mut reader, 1).await[0], 6_500, "the first such record, though older ones follow");
}

#[tokio::test]
async fn a_position_of_another_log_or_feed_or_beyond_the_end_is_told() {
    let (world, other) = (World::new().await, World::new().await);
    world.events(1, 2).await;
    let (feeds, others) = (world.feeds(), other.feeds());
    let mut reader = open(&feeds, StartAt::Beginning).await;
    let position = take(&mut reader, 2).await.pop().unwrap().1;
    assert!(matches!(refused(&others, after(&position)).await, FeedError::Gone));
    let StartAt::After(mut beyond) = after(&position) else { panic!("it is a position") };
    assert_eq!(beyond.next(), [3]);
    beyond.advance(0, 4);
    assert!(matches!(refused(&feeds, StartAt::After(beyond)).await, FeedError::Gone));
    let of_groups = feeds.open(FeedKind::Groups, after(&position), Selection::default()).await;
    assert!(matches!(of_groups.err().unwrap(), FeedError::OtherFeed));
}

#[tokio::test]
async fn a_log_that_nobody_has_written_to_is_not_there_yet() {
    let directory = tempfile::tempdir().unwrap();
    let log: std::sync::Arc<dyn event_log::EventLog> =
        event_log::sqlite::SqliteLog::open(directory.path()).await.unwrap();
    let feeds = event_feed::Feeds::new(&log);
    let error = soon(refused(&feeds, StartAt::Now)).await;
    assert!(matches!(&error, FeedError::Unavailable(_)) && error.to_string().contains("nobody"), "{error}");
}
