//! Records that nobody can read: an owner waits for an operator to skip them, and the chain goes past them.

use command_service::skip::{SkipError, Skipped, skip};
use event_log::chain::Chain;
use event_log::{Batch, Record, Skips, every_record};
use log_consumer::Scan;

use crate::*;

const GROUPS: StreamPartition = StreamPartition::new(Stream::GroupEvents, 0);
const USERS: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);

/// A log with an administrator and strays: two among the group events and one among the user events.
async fn with_strays(directory: &Path) -> (Arc<dyn EventLog>, [(StreamPartition, u64); 3]) {
    let log: Arc<dyn EventLog> = SqliteLog::open(directory).await.unwrap();
    let writing = log.clone();
    let stray = |stream, text: &str| (stream, Record::keyed("key".into(), Some(text.as_bytes().to_vec())));
    let records = [
        stray(Stream::GroupEvents, "one"),
        stray(Stream::GroupEvents, "two"),
        stray(Stream::UserEvents, "three"),
    ];
    let write = move || {
        let mut writer = writing.claim(0, &mut every_record(|_| Ok(()))).unwrap();
        writer.append(Batch { records: records.into() }).unwrap()
    };
    let position = tokio::task::spawn_blocking(write).await.unwrap();
    let last = |place| position.covered(place).unwrap();
    (log, [(GROUPS, last(GROUPS) - 1), (GROUPS, last(GROUPS)), (USERS, last(USERS))])
}

async fn end(log: &dyn EventLog, wanted: StreamPartition) -> u64 {
    let ends = log.ends().await.unwrap();
    ends.into_iter().find(|(place, _)| *place == wanted).unwrap().1
}

async fn skipped(log: &Arc<dyn EventLog>, at: (StreamPartition, u64)) -> Result<Skipped, SkipError> {
    skip(log, at, "a stray", |_| None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_an_owner_takes_over_once_the_records_are_skipped_in_any_order() {
    let directory = tempfile::tempdir().unwrap();
    let (log, [first, second, third]) = with_strays(directory.path()).await;
    let before = end(&*log, GROUPS).await;
    let skipping = async {
        // The owner has claimed, and nobody is announced yet.
        let claimed = async {
            while end(&*log, GROUPS).await == before {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), claimed).await.expect("the owner claims in time");
        assert!(log.owners().borrow().is_empty());
        for at in [third, second, first] {
            let done = skipped(&log, at).await.unwrap();
            assert!(!done.was_skipped && done.fault.contains("ce_id"), "{done:?}");
        }
        assert!(skipped(&log, first).await.unwrap().was_skipped);
    };
    let (service, ()) = tokio::join!(Service::start_on(log.clone(), None, &[]), skipping);
    accepted(service.ask(create_group("c1")).await);
    accepted(service.ask(register("c2", "alice")).await);
    service.stop().await;

    let skips = Skips::read(&*log).await.unwrap();
    assert_eq!(skips.iter().count(), 3);
    for place in [GROUPS, USERS] {
        let (mut chain, mut passed) = (Chain::default(), 0);
        let mut scan = Scan::new(&*log, [place]);
        while let Some(records) = scan.next().await.unwrap() {
            for recorded in &records {
                match skips.of(recorded) {
                    Some(_) => passed += 1,
                    None => chain.verify(recorded).unwrap(),
                }
            }
        }
        assert_eq!(passed, if place == GROUPS { 2 } else { 1 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_an_owner_that_starts_passes_over_a_skipped_record_that_it_could_read() {
    let directory = tempfile::tempdir().unwrap();
    let log: Arc<dyn EventLog> = SqliteLog::open(directory.path()).await.unwrap();
    let bob = UserId::of(&Username::parse("bob").unwrap());
    let body = br#"{"username":"bob","origin":"self","personal":{"firstName":"B","lastName":"B","email":"b@example.com"}}"#;
    let mut record =
        crate::deployment::testing_envelope(&bob.to_string()).record("muster.user.registered", body.to_vec());
    record.headers.retain(|(name, _)| *name != log_model::record::CLIENT);
    let writing = log.clone();
    let write = move || {
        let mut writer = writing.claim(0, &mut every_record(|_| Ok(()))).unwrap();
        writer.append(Batch { records: vec![(Stream::UserEvents, record)] }).unwrap()
    };
    let at = tokio::task::spawn_blocking(write).await.unwrap().covered(USERS).unwrap();
    skip(&log, (USERS, at), "no client", |_| Some("it names no client".to_owned())).await.unwrap();
    let service = Service::start_on(log.clone(), None, &[]).await;
    // The name is free: the registration was not replayed.
    accepted(service.ask(register("c1", "bob")).await);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_only_a_record_that_cannot_be_read_is_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), None).await;
    accepted(service.ask(register("c1", "alice")).await);
    let event = service.events().await[0].offset;
    let log = service.log.clone();
    service.stop().await;
    let before = log.ends().await.unwrap();
    let refused = async |at| skipped(&log, at).await.unwrap_err();
    assert!(
        matches!(refused((USERS, event)).await, SkipError::Readable { what, .. } if what.contains("registered"))
    );
    assert!(
        matches!(refused((USERS, 0)).await, SkipError::Readable { what, .. } if what == "a claim record")
    );
    assert!(matches!(refused((USERS, 1_000)).await, SkipError::NoRecord(USERS, 1_000)));
    let elsewhere = StreamPartition::new(Stream::UserEvents, 1);
    assert!(matches!(refused((elsewhere, 0)).await, SkipError::UnknownPlace { partitions: 1, .. }));
    assert_eq!(log.ends().await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_an_event_of_a_newer_release_is_not_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let log: Arc<dyn EventLog> = SqliteLog::open(directory.path()).await.unwrap();
    let writing = log.clone();
    let write = move || {
        let mut writer = writing.claim(0, &mut every_record(|_| Ok(()))).unwrap();
        let user = UserId::of(&Username::parse("alice").unwrap());
        let envelope = crate::deployment::testing_envelope(&user.to_string());
        let record = envelope.record("muster.user.renamed", b"{}".to_vec());
        writer.append(Batch { records: vec![(Stream::UserEvents, record)] }).unwrap()
    };
    let position = tokio::task::spawn_blocking(write).await.unwrap();
    let refused = skipped(&log, (USERS, position.covered(USERS).unwrap())).await.unwrap_err();
    assert!(matches!(refused, SkipError::Newer { name, .. } if name == "muster.user.renamed"));
}
