//! A log in a temporary directory with a writer, and readers of its feeds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::actor::Client;
use domain::id::UserId;
use domain::names::Username;
use domain::timestamp::Timestamp;
use event_feed::{EventFilter, FeedError, FeedKind, FeedPosition, FeedReader, Feeds, Selection, StartAt};
use event_log::envelope::Envelope;
use event_log::sqlite::SqliteLog;
use event_log::{Batch, EventLog, Record, Writer, every_record};
use log_model::Stream;
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) log: Arc<dyn EventLog>,
    writer: Arc<Mutex<Box<dyn Writer>>>,
    _directory: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log: Arc<dyn EventLog> = SqliteLog::open(directory.path()).await.unwrap();
        let claiming = Arc::clone(&log);
        let claim = move || claiming.claim(0, &mut every_record(|_| Ok(()))).unwrap();
        let writer = Arc::new(Mutex::new(tokio::task::spawn_blocking(claim).await.unwrap()));
        Self { log, writer, _directory: directory }
    }

    pub(crate) fn feeds(&self) -> Feeds {
        Feeds::new(&self.log)
    }

    pub(crate) async fn append(&self, records: Vec<(Stream, Record)>) {
        let writer = Arc::clone(&self.writer);
        let append = move || writer.lock().unwrap().append(Batch { records }).unwrap();
        tokio::task::spawn_blocking(append).await.unwrap();
    }

    /// Appends this many events of users, numbered from `first` in their `sequence`.
    pub(crate) async fn events(&self, first: u64, count: u64) {
        let event = |number| (Stream::UserEvents, event("alice", "muster.user.password_changed", number));
        self.append((first..first + count).map(event).collect()).await;
    }
}

pub(crate) fn user(name: &str) -> String {
    UserId::of(&Username::parse(name).unwrap()).to_string()
}

/// An event of a user; its time is as many seconds after 1970 as its number.
pub(crate) fn event(name: &str, event_type: &str, number: u64) -> Record {
    envelope(user(name), number).record(event_type, b"{}".to_vec())
}

pub(crate) fn envelope(subject: String, number: u64) -> Envelope {
    Envelope {
        id: Uuid::from_u128(number.into()),
        time: Timestamp::from_micros(i64::try_from(number).unwrap() * 1_000_000),
        subject,
        sequence: number,
        command_id: "c".to_owned(),
        command_digest: "0a".to_owned(),
        correlation_id: "r".to_owned(),
        actor: "system".to_owned(),
        actor_name: "system".to_owned(),
        actor_role: None,
        client: Client::default(),
        traceparent: None,
    }
}

pub(crate) async fn open(feeds: &Feeds, start: StartAt) -> FeedReader {
    feeds.open(FeedKind::Users, start, Selection::default()).await.unwrap()
}

pub(crate) fn of_types(types: &[&str]) -> Selection {
    let events = EventFilter::of_types(FeedKind::Users, types.iter().copied()).unwrap();
    Selection { events, group: None }
}

pub(crate) fn after(position: &str) -> StartAt {
    StartAt::After(position.parse::<FeedPosition>().unwrap())
}

/// The next `count` events, as their numbers and the positions after them.
pub(crate) async fn take(reader: &mut FeedReader, count: usize) -> Vec<(u64, String)> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let portion = soon(reader.next()).await.unwrap();
        for event in portion.events {
            let json: serde_json::Value = serde_json::from_slice(&event.json()).unwrap();
            assert_eq!(json["position"], event.position());
            taken.push((json["sequence"].as_str().unwrap().parse().unwrap(), event.position().to_owned()));
        }
    }
    taken
}

pub(crate) async fn numbers(reader: &mut FeedReader, count: usize) -> Vec<u64> {
    take(reader, count).await.into_iter().map(|(number, _)| number).collect()
}

/// Every event until the present end.
pub(crate) async fn to_end(feeds: &Feeds, reader: &mut FeedReader) -> Vec<u64> {
    let end = feeds.end(FeedKind::Users).await.unwrap();
    let mut taken = Vec::new();
    while let Some(portion) = soon(reader.next_before(&end)).await.unwrap() {
        for event in portion.events {
            let json: serde_json::Value = serde_json::from_slice(&event.json()).unwrap();
            taken.push(json["sequence"].as_str().unwrap().parse().unwrap());
        }
    }
    taken
}

pub(crate) async fn refused(feeds: &Feeds, start: StartAt) -> FeedError {
    feeds.open(FeedKind::Users, start, Selection::default()).await.err().unwrap()
}

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("it did not happen in time")
}
