//! What the projection tells monitoring.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};

use crate::rig::{Log, project};
use crate::stage::on_sqlite;
use crate::story::Story;

/// Keeps counters by name and labels, and nothing else.
#[derive(Default)]
struct Counters(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Recorder for Counters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = key.labels().map(|label| label.value().to_owned()).collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        Counter::from_arc(Arc::clone(self.0.lock().unwrap().entry(name).or_default()))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

// On one thread: the recorder belongs to the thread of the test.
#[tokio::test]
async fn f29_a_record_counts_once() {
    let counters = Counters::default();
    let _recorder = set_default_local_recorder(&counters);
    on_sqlite(async |stage| {
        let mut log = Log::open(stage.directory.path()).await;
        let mut story = Story::new();
        story.register("alice");
        story.register("bob");
        log.write(&mut story).await;
        project(log.follow(), &stage.fresh().await, 1_000).await;
    })
    .await;
    let counted = counters.0.lock().unwrap()["muster_projection_records_total user-events"].clone();
    // The claim of the partition is a record too.
    assert_eq!(counted.load(Ordering::Relaxed), 3);
}
