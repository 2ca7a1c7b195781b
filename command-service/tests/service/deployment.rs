//! The number of partitions in the deployment's record.

use std::sync::Arc;

use command_service::deployment::{DeploymentError, recorded, require_partitions};
use domain::deployment::{Event, Initialised};
use event_log::sqlite::SqliteLog;
use event_log::testing::{LogOverrides, Wrapped};
use event_log::{Batch, EventLog, every_record};
use log_consumer::Scan;

use crate::*;

/// A log whose topics were given another number of partitions.
struct Raised(Arc<dyn EventLog>);

impl LogOverrides for Raised {
    fn inner(&self) -> &dyn EventLog {
        &*self.0
    }

    fn partitions(&self) -> u32 {
        12
    }
}

/// A log that an earlier release has initialised.
async fn initialised_long_ago(directory: &Path) {
    let log = SqliteLog::open(directory).await.unwrap();
    let username = Username::parse("alice").unwrap();
    let event = Event::from(Initialised {
        user_id: UserId::of(&username),
        username: username.to_string(),
        partitions: None,
    });
    let writing = move || {
        let mut writer = log.claim(0, &mut every_record(|_| Ok(()))).unwrap();
        let envelope = testing_envelope(domain::deployment::SUBJECT);
        let record = envelope.record(event.wire_name(), event.to_json());
        writer.append(Batch { records: vec![(Stream::GroupEvents, record)] }).unwrap();
    };
    tokio::task::spawn_blocking(writing).await.unwrap();
}

pub(crate) fn testing_envelope(subject: &str) -> Envelope {
    Envelope {
        id: uuid::Uuid::now_v7(),
        time: time::OffsetDateTime::now_utc().into(),
        subject: subject.to_owned(),
        sequence: 1,
        command_id: "init".to_owned(),
        command_digest: "00".to_owned(),
        correlation_id: "init".to_owned(),
        actor: String::new(),
        actor_name: String::new(),
        actor_role: None,
        client: domain::actor::Client::default(),
        traceparent: None,
    }
    .asked_by(&Actor::System)
}

/// How many records of the deployment there are.
async fn records(log: &dyn EventLog) -> usize {
    let mut scan = Scan::new(log, [StreamPartition::new(Stream::GroupEvents, 0)]);
    let mut records = 0;
    while let Some(more) = scan.next().await.unwrap() {
        records += more.iter().filter(|one| one.record.key == domain::deployment::SUBJECT).count();
    }
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn f05_an_owner_adds_the_number_of_partitions_to_an_old_record_once() {
    let directory = tempfile::tempdir().unwrap();
    initialised_long_ago(directory.path()).await;
    for _ in 0..2 {
        let service = Service::start(directory.path(), None).await;
        accepted(service.ask(register("c1", "bobby")).await);
        let record = recorded(&*service.log).await.unwrap().unwrap();
        assert_eq!((record.username.as_str(), record.partitions), ("alice", Some(1)));
        assert_eq!(records(&*service.log).await, 2);
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f05_a_log_with_another_number_of_partitions_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    initialised_long_ago(directory.path()).await;
    Service::start(directory.path(), None).await.stop().await;
    let log = SqliteLog::open_read_only(directory.path()).await.unwrap();
    require_partitions(&*log).await.unwrap();
    let refused = require_partitions(&Wrapped(Raised(log))).await;
    assert!(matches!(refused, Err(DeploymentError::Partitions { recorded: 1, found: 12 })), "{refused:?}");
}
