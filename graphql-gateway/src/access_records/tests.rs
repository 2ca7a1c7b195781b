//! Alike notes become one record, and records outlive a log that is away.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::access::{FailedBecause, SignInFailed};
use serde_json::{Value, json};

use super::*;
use crate::testing::QuietLog;

fn failure(subject: &str) -> Note {
    let event = SignInFailed { service: "portal".to_owned(), reason: FailedBecause::WrongSecret, count: 1 };
    Note {
        at: Timestamp::from_micros(0),
        subject: subject.to_owned(),
        actor: Actor::Anonymous,
        client: Client::default(),
        correlation_id: "r".to_owned(),
        event: event.into(),
    }
}

fn bodies(log: &QuietLog) -> Vec<(String, Value)> {
    let body = |record: &Record| serde_json::from_slice(record.body.as_ref().unwrap()).unwrap();
    log.written.lock().unwrap().iter().map(|record| (record.key.clone(), body(record))).collect()
}

#[tokio::test(start_paused = true)]
async fn alike_notes_within_a_second_are_one_record_with_a_count() {
    let log = Arc::new(QuietLog::new());
    let (notes, scribe) = notes(Arc::clone(&log) as Arc<dyn EventLog>);
    let scribe = tokio::spawn(scribe.run());
    for subject in ["a", "b", "a", "a"] {
        notes.take(failure(subject));
    }
    log.attempted.notified().await;
    let counted = |n: u32| json!({ "service": "portal", "reason": "wrong_secret", "count": n });
    assert_eq!(bodies(&log), [("a".to_owned(), counted(3)), ("b".to_owned(), counted(1))]);
    let record = log.written.lock().unwrap()[0].clone();
    assert_eq!(record.wire_name(), Ok("muster.access.sign_in_failed"));
    assert_eq!(Envelope::read(&record).unwrap().actor, "anonymous");
    notes.take(failure("a"));
    drop(notes);
    scribe.await.unwrap();
    assert_eq!(bodies(&log).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn records_wait_for_a_log_that_is_away() {
    let log = Arc::new(QuietLog::new());
    log.away.store(true, Ordering::SeqCst);
    let (notes, scribe) = notes(Arc::clone(&log) as Arc<dyn EventLog>);
    let scribe = tokio::spawn(scribe.run());
    notes.take(failure("a"));
    log.attempted.notified().await;
    notes.take(failure("b"));
    log.attempted.notified().await;
    assert_eq!(bodies(&log), []);
    log.away.store(false, Ordering::SeqCst);
    log.attempted.notified().await;
    drop(notes);
    scribe.await.unwrap();
    let keys: Vec<String> = bodies(&log).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn the_spool_is_bounded_and_the_oldest_go_first() {
    let log = Arc::new(QuietLog::new());
    let (_notes, mut scribe) = notes(Arc::clone(&log) as Arc<dyn EventLog>);
    log.away.store(true, Ordering::SeqCst);
    for n in 0..SPOOLED + 5 {
        scribe.gathered.add(failure(&n.to_string()));
    }
    assert!(scribe.write().await);
    assert_eq!((scribe.spool.len(), scribe.spool[0].key.as_str()), (SPOOLED, "5"));
}
