//! The next owner begins with the snapshot of the one before.

use std::time::Duration;

use domain::refusal::Code;
use event_log::{Recorded, Replay, SnapshotParts};
use log_model::Stream;

use crate::{Service, accepted, codes, of_alice, register, reject};

/// What a claim finds.
#[derive(Default)]
struct Found {
    parts: usize,
    events: usize,
}

impl Replay for Found {
    fn restore(&mut self, parts: &mut SnapshotParts<'_>) -> Result<(), String> {
        self.parts = parts.collect::<Result<Vec<_>, _>>()?.len();
        Ok(())
    }

    fn replay(&mut self, recorded: &Recorded) -> Result<(), String> {
        let is_event = recorded.place.stream == Stream::UserEvents && !recorded.record.is_claim();
        self.events += usize::from(is_event);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_owns_next_begins_with_a_snapshot_and_decides_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), None).await;
    accepted(service.ask(register("c1", "alice")).await);
    accepted(service.ask(of_alice("c2", None, reject("no"))).await);
    let log = service.log.clone();
    service.stop().await;
    let kept = async {
        loop {
            let log = log.clone();
            let claiming = tokio::task::spawn_blocking(move || {
                let mut found = Found::default();
                log.claim(0, &mut found).map(|_| found).unwrap()
            });
            let found = claiming.await.unwrap();
            if found.parts > 0 && found.events < 2 {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), kept).await.expect("a snapshot is kept");

    let service = Service::start_on(log.clone(), None, &[]).await;
    let (version, _, repeated) = accepted(service.ask(of_alice("c2", None, reject("no"))).await);
    assert_eq!((version, repeated), (2, true), "it knows what was done");
    assert_eq!(codes(service.ask(of_alice("c1", None, reject("no"))).await), [Code::CommandIdReused]);
    assert_eq!(codes(service.ask(of_alice("c3", Some(1), reject("no"))).await), [Code::StaleVersion]);
    service.stop().await;
}
