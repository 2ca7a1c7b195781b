//! A log that is another one than the sink was filled from.

use std::sync::Arc;

use event_log::testing::{LogOverrides, Wrapped};
use event_log::{EventLog, Follow, Read};
use log_model::StreamPartition;
use tokio::sync::watch;

use crate::log::{CHAINED, Log, PLACE};
use crate::sink::{Shared, Shown};

/// A log that goes away and comes back as another one.
struct Swapped {
    before: Arc<dyn EventLog>,
    after: Arc<dyn EventLog>,
    is_away: watch::Receiver<bool>,
}

impl LogOverrides for Swapped {
    fn inner(&self) -> &dyn EventLog {
        if *self.is_away.borrow() { &*self.after } else { &*self.before }
    }

    fn follow(&self, from: Vec<(StreamPartition, u64)>) -> Follow {
        let (sender, follow) = Follow::channel(1);
        let mut is_away = self.is_away.clone();
        let (mut reads, after) = (self.inner().follow(from.clone()), self.after.clone());
        tokio::spawn(async move {
            let mut waits = !*is_away.borrow();
            loop {
                let read = tokio::select! {
                    read = reads.next() => read,
                    _ = is_away.changed(), if waits => {
                        waits = false;
                        for _ in 0..2 {
                            sender.send(Read::Unreachable("on leave".to_owned())).await.ok();
                        }
                        reads = after.follow(from.clone());
                        continue;
                    }
                };
                let Some(read) = read else { return };
                if sender.send(read).await.is_err() {
                    return;
                }
            }
        });
        follow
    }
}

#[tokio::test]
async fn f06_a_log_that_was_cut_and_grew_again_halts_and_halts_again() {
    let (log, other) = (Log::open().await, Log::open().await);
    log.append(&["a", "b"]).await;
    other.append(&["x", "y", "z"]).await;
    let sink = Shared::default();
    let consuming = sink.consume(&log.log);
    sink.shows(|shown| shown.texts == ["a", "b"]).await;
    consuming.abort();
    for halts in [1, 2] {
        let consuming = sink.consume(&other.log);
        let shown = sink.shows(|shown| shown.halts.len() == halts).await;
        assert_eq!((shown.texts.len(), shown.halts[halts - 1].offset), (2, 2));
        let reason = &shown.halts[halts - 1].reason;
        assert!(
            reason.starts_with("the log has another record at offset 1 than the texts have seen"),
            "{reason}"
        );
        consuming.abort();
        sink.checkpoints.lock().unwrap().resume(crate::log::PLACE);
    }
    log.append(&["c"]).await;
    let consuming = sink.consume(&log.log);
    sink.shows(|shown| shown.texts == ["a", "b", "c"]).await;
    consuming.abort();
}

#[tokio::test]
async fn f06_a_log_that_comes_back_as_another_one_halts() {
    let (log, other) = (Log::open().await, Log::open().await);
    log.append(&["a", "b"]).await;
    other.append(&["x", "y"]).await;
    let (swap, is_away) = watch::channel(false);
    let swapped = Swapped { before: log.log.clone(), after: other.log.clone(), is_away };
    let swapped: Arc<dyn EventLog> = Arc::new(Wrapped(swapped));
    let sink = Shared::default();
    let consuming = sink.consume(&swapped);
    sink.shows(|shown| shown.texts == ["a", "b"] && shown.confirmed > 0).await;
    swap.send(true).unwrap();
    let shown = sink.shows(|shown| !shown.halts.is_empty()).await;
    assert_eq!(shown.texts, ["a", "b"]);
    assert!(shown.halts[0].reason.contains("another record at offset 1"), "{}", shown.halts[0].reason);
    consuming.abort();
}

#[tokio::test]
async fn f06_a_log_is_the_same_after_a_batch_of_unknown_outcome_in_another_stream() {
    let log = Log::open().await;
    let writer = log.claim().await;
    writer.append("x").await;
    let sink = Shared::default();
    let consuming = sink.consume_all(&log.log, [PLACE, CHAINED]);
    let has = |shown: &Shown, text: &str| shown.texts.iter().any(|it| it == text);
    let asked = sink.shows(|shown| has(shown, "x")).await.asked_for_checkpoints;
    sink.faults.lock().unwrap().unknown = 1;
    log.append(&["a"]).await;
    // The checkpoints are read anew, and the same reading goes on behind their last records.
    sink.shows(|shown| has(shown, "a") && shown.asked_for_checkpoints > asked).await;
    writer.append("y").await;
    let shown = sink.shows(|shown| has(shown, "y") || !shown.halts.is_empty()).await;
    assert!(shown.halts.is_empty(), "{:?}", shown.halts);
    consuming.abort();
}
