//! Equal records become one, and records wait while the log can't be reached.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::access::{SignInFailed, SignInFailureReason};
use serde_json::{Value, json};

use super::*;
use crate::testing::QuietLog;

fn failure(subject: &str) -> AccessRecord {
    let event =
        SignInFailed { service: "portal".to_owned(), reason: SignInFailureReason::WrongSecret, count: 1 };
    AccessRecord {
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
async fn equal_records_within_a_second_are_one_record_with_a_count() {
    let log = Arc::new(QuietLog::new());
    let (recorder, writer) = access_recorder(Arc::clone(&log) as Arc<dyn EventLog>);
    let writer = tokio::spawn(writer.run());
    for subject in ["a", "b", "a", "a"] {
        recorder.record(failure(subject));
    }
    log.attempted.notified().await;
    let counted = |n: u32| json!({ "service": "portal", "reason": "wrong_secret", "count": n });
    assert_eq!(bodies(&log), [("a".to_owned(), counted(3)), ("b".to_owned(), counted(1))]);
    let record = log.written.lock().unwrap()[0].clone();
    assert_eq!(record.wire_name(), Ok("muster.access.sign_in_failed"));
    assert_eq!(Envelope::read(&record).unwrap().actor, "anonymous");
    recorder.record(failure("a"));
    drop(recorder);
    writer.await.unwrap();
    assert_eq!(bodies(&log).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn records_wait_while_the_log_is_away() {
    let log = Arc::new(QuietLog::new());
    log.away.store(true, Ordering::SeqCst);
    let (recorder, writer) = access_recorder(Arc::clone(&log) as Arc<dyn EventLog>);
    let writer = tokio::spawn(writer.run());
    recorder.record(failure("a"));
    log.attempted.notified().await;
    recorder.record(failure("b"));
    log.attempted.notified().await;
    assert_eq!(bodies(&log), []);
    log.away.store(false, Ordering::SeqCst);
    log.attempted.notified().await;
    drop(recorder);
    writer.await.unwrap();
    let keys: Vec<String> = bodies(&log).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn the_spool_is_bounded_and_the_oldest_go_first() {
    let log = Arc::new(QuietLog::new());
    let (_notes, mut writer) = access_recorder(Arc::clone(&log) as Arc<dyn EventLog>);
    log.away.store(true, Ordering::SeqCst);
    for n in 0..SPOOL + 5 {
        writer.coalesced.add(failure(&n.to_string()));
    }
    assert!(writer.write().await);
    assert_eq!((writer.spool.len(), writer.spool[0].key.as_str()), (SPOOL, "5"));
}
