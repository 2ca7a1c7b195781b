//! What a consumer guarantees to its sink.

use std::sync::Arc;

use event_log::EventLog;
use log_consumer::{Consumer, ConsumerConfig, MemoryCheckpoints, Move};
use tokio::sync::watch;

use crate::log::{Away, Log, PLACE, soon};
use crate::sink::Shared;

#[tokio::test]
async fn records_are_applied_in_order_and_the_end_is_confirmed() {
    let log = Log::open().await;
    log.append(&["a", "b"]).await;
    let sink = Shared::default();
    let consuming = sink.consume(&log.log);
    sink.shows(|shown| shown.texts == ["a", "b"] && shown.confirmed > 0).await;
    log.append(&["c"]).await;
    let shown = sink.shows(|shown| shown.texts.len() == 3).await;
    assert_eq!(shown.texts, ["a", "b", "c"]);
    assert!(shown.halts.is_empty());
    sink.shows(|shown| shown.confirmed > 2).await;
    consuming.abort();
}

#[tokio::test]
async fn a_record_that_cannot_be_read_halts_and_is_tried_again_when_the_halt_is_taken_back() {
    let log = Log::open().await;
    log.append(&["a", "bad", "c"]).await;
    let sink = Shared::default();
    sink.faults.lock().unwrap().unreadable.insert("bad".to_owned());
    let consuming = sink.consume(&log.log);
    let shown = sink.shows(|shown| !shown.halts.is_empty()).await;
    assert_eq!((shown.texts, shown.next), (vec!["a".to_owned()], shown.halts[0].offset));
    assert_eq!((shown.halts[0].place, shown.halts[0].reason.as_str()), (PLACE, "bad can't be read"));

    sink.faults.lock().unwrap().unreadable.clear();
    let mut resumed = MemoryCheckpoints::default();
    let passed = Move { place: PLACE, from: 0, to: shown.next, anchor: None, has_met_end: false };
    resumed.advance(&[passed]).unwrap();
    *sink.checkpoints.lock().unwrap() = resumed;
    let shown = sink.shows(|shown| shown.texts.len() == 3).await;
    assert_eq!(shown.texts, ["a", "bad", "c"]);
    consuming.abort();
}

#[tokio::test]
async fn a_refused_batch_is_applied_up_to_the_record_at_fault() {
    let log = Log::open().await;
    log.append(&["a", "b", "bad", "c"]).await;
    let sink = Shared::default();
    sink.faults.lock().unwrap().refused.insert("bad".to_owned());
    let consuming = sink.consume(&log.log);
    let shown = sink.shows(|shown| !shown.halts.is_empty()).await;
    assert_eq!(shown.texts, ["a", "b"]);
    assert_eq!((shown.halts[0].offset, shown.halts[0].reason.as_str()), (shown.next, "bad is refused"));
    consuming.abort();
}

#[tokio::test]
async fn two_consumers_of_one_sink_apply_everything_once() {
    let log = Log::open().await;
    let sink = Shared::default();
    let consuming = [sink.consume(&log.log), sink.consume(&log.log)];
    let texts: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    for text in &texts {
        log.append(&[text]).await;
    }
    let shown = sink.shows(|shown| shown.texts.len() >= texts.len()).await;
    assert_eq!(shown.texts, texts);
    // The one that comes second meets a checkpoint that was moved, and passes over what is applied.
    sink.shows(|shown| shown.conflicts > 0).await;
    log.append(&["last"]).await;
    let shown = sink.shows(|shown| shown.texts.len() > texts.len()).await;
    assert_eq!(shown.texts[texts.len()..], ["last"]);
    for consuming in consuming {
        consuming.abort();
    }
}

#[tokio::test]
async fn a_sink_that_was_away_is_gone_on_with() {
    let log = Log::open().await;
    log.append(&["a", "b"]).await;
    let sink = Shared::default();
    sink.faults.lock().unwrap().away = 3;
    let consuming = sink.consume(&log.log);
    sink.shows(|shown| shown.texts == ["a", "b"]).await;
    log.append(&["c"]).await;
    sink.faults.lock().unwrap().away = 2;
    let shown = sink.shows(|shown| shown.texts.len() == 3).await;
    assert_eq!(shown.texts, ["a", "b", "c"]);
    consuming.abort();
}

#[tokio::test]
async fn a_batch_whose_outcome_is_unknown_is_not_applied_twice() {
    let log = Log::open().await;
    log.append(&["a", "b"]).await;
    let sink = Shared::default();
    sink.faults.lock().unwrap().unknown = 1;
    let consuming = sink.consume(&log.log);
    sink.shows(|shown| shown.asked_for_checkpoints > 1).await;
    log.append(&["c"]).await;
    let shown = sink.shows(|shown| shown.texts.len() >= 3).await;
    assert_eq!(shown.texts, ["a", "b", "c"]);
    consuming.abort();
}

#[tokio::test]
async fn a_log_that_was_away_is_gone_on_with_and_the_sink_hears_of_it() {
    let log = Log::open().await;
    log.append(&["a"]).await;
    let (back, is_away) = watch::channel(true);
    let away: Arc<dyn EventLog> = Arc::new(Away { log: log.log.clone(), is_away });
    let sink = Shared::default();
    let consuming = sink.consume(&away);
    let shown = sink.shows(|shown| shown.unreachable > 0).await;
    assert_eq!(shown.texts, [] as [&str; 0]);
    back.send(false).unwrap();
    sink.shows(|shown| shown.texts == ["a"] && shown.confirmed > 0).await;
    consuming.abort();
}

#[tokio::test]
async fn a_sink_ahead_of_its_log_halts() {
    let log = Log::open().await;
    log.append(&["a"]).await;
    let sink = Shared::default();
    let ahead = Move { place: PLACE, from: 0, to: 1_000, anchor: None, has_met_end: false };
    sink.checkpoints.lock().unwrap().advance(&[ahead]).unwrap();
    let consuming = sink.consume(&log.log);
    let shown = sink.shows(|shown| !shown.halts.is_empty()).await;
    assert_eq!((shown.texts.len(), shown.halts[0].offset), (0, 1_000));
    let reason = &shown.halts[0].reason;
    assert!(reason.contains("but the texts have seen it up to 1000"), "{reason}");
    consuming.abort();
}

#[tokio::test]
async fn a_consumer_shows_how_far_it_is_and_ends_with_its_log() {
    let Log { log, _directory } = Log::open().await;
    let sink = crate::sink::Texts { shared: Shared::default() };
    let consumer = Consumer::new(&log, [PLACE], sink, ConsumerConfig::new("test", "the texts"));
    let mut seen = consumer.consumed();
    assert!(seen.borrow().is_empty());
    let consuming = tokio::spawn(consumer.run());
    soon(seen.wait_for(|seen| seen.has_met_end(PLACE))).await.unwrap();
    assert_eq!(seen.borrow().next(PLACE), Some(0));
    drop(log);
    soon(consuming).await.unwrap();
}
