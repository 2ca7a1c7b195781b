//! What only the log on Kafka must do: abort, share a broker, confirm ownership with a commit, check its
//! topics.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use event_log::kafka::{Acknowledge, KafkaLog, KafkaSettings, OpenError, ensure_topics};
use event_log::{AppendError, ClaimError, EventLog, Record};
use log_model::Stream;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::json;
use uuid::Uuid;

use crate::fixture::{
    CREDENTIALS, DEADLINE, Owner, TestLog, USERS, assert_chain_verifies, credential, read, sequences,
    user_events,
};
use crate::snapshots;

const PARTITIONS: u32 = 2;

/// Topics with a prefix of their own.
pub(crate) struct Topics(KafkaSettings);

impl Topics {
    /// `None`, with a message, if no broker is given. On CI that fails instead.
    pub(crate) async fn make() -> Option<Self> {
        let topics = Self::named()?;
        ensure_topics(&topics.0, PARTITIONS, 1).await.unwrap();
        Some(topics)
    }

    fn named() -> Option<Self> {
        let Ok(broker) = std::env::var("MUSTER_TEST_KAFKA") else {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "MUSTER_TEST_KAFKA names no broker");
            eprintln!(
                "SKIPPED: not tried on Kafka, since MUSTER_TEST_KAFKA names no broker; ./test brings one"
            );
            return None;
        };
        Some(Self(KafkaSettings::new(broker, format!("test-{}.", Uuid::now_v7()))))
    }
}

#[async_trait]
impl TestLog for Topics {
    async fn open(&self) -> Arc<dyn EventLog> {
        let connecting = KafkaLog::connect(self.0.clone());
        tokio::time::timeout(DEADLINE, connecting).await.expect("the broker answers").unwrap()
    }

    fn is_shared(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_no_longer_wanted_fences_nobody() {
    let Some(topics) = Topics::make().await else { return };
    let log = topics.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    owner.append(user_events(1..2)).await.unwrap();
    assert!(matches!(Owner::try_claim_in_vain(&log).await, Err(ClaimError::Unavailable(_))));
    owner.append(user_events(2..3)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_begins_while_another_writes_replays_each_record_once() {
    let Some(topics) = Topics::make().await else { return };
    let (log, other) = (topics.open().await, topics.open().await);
    let mut owner = Owner::claim(&log, 0).await;
    owner.append(user_events(1..2)).await.unwrap();
    let mut written = 1;
    let claiming = tokio::spawn(async move { Owner::claim(&other, 0).await });
    while owner.append(user_events(written + 1..written + 2)).await.is_ok() {
        written += 1;
    }
    let next = claiming.await.unwrap();
    let events: Vec<_> = next.replayed.into_iter().filter(|recorded| !recorded.record.is_claim()).collect();
    assert_eq!(sequences(&events), (1..=written).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aborted_batch_leaves_nothing_and_the_same_writer_goes_on() {
    let Some(topics) = Topics::make().await else { return };
    let log = topics.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    owner.append(user_events(1..2)).await.unwrap();

    let too_large = Record::keyed("user_1/password".to_owned(), Some(vec![b' '; 2_000_000]));
    let small = credential("user_1/token", Some("{}"));
    let batch = [user_events(2..3), vec![small, (Stream::Credentials, too_large)]].concat();
    let refused = owner.append(batch.clone()).await;
    assert!(matches!(refused, Err(AppendError::Aborted(_))), "{refused:?}");

    owner.append(user_events(2..4)).await.unwrap();
    let users = read(&log, USERS, 0).await;
    assert_eq!(sequences(&users), [1, 2, 3]);
    assert_chain_verifies(&users);
    assert!(read(&log, CREDENTIALS, 0).await.is_empty(), "its end lies behind what was aborted");
    // The aborted batch is the last thing that the claim finds.
    assert!(matches!(owner.append(batch).await, Err(AppendError::Aborted(_))));
    let again = Owner::claim(&log, 0).await;
    assert_eq!(sequences(&again.replayed), [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_with_other_prefixes_on_the_same_broker_are_separate() {
    let (Some(one), Some(other)) = (Topics::make().await, Topics::make().await) else { return };
    let (one, other) = (one.open().await, other.open().await);
    let mut owner = Owner::claim(&one, 0).await;
    let mut neighbour = Owner::claim(&other, 0).await;
    owner.append(user_events(1..3)).await.unwrap();
    neighbour.append(user_events(7..8)).await.unwrap();
    owner.append(user_events(3..4)).await.unwrap();
    assert_eq!(sequences(&read(&one, USERS, 0).await), [1, 2, 3]);
    assert_eq!(sequences(&read(&other, USERS, 0).await), [7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_have_owners_of_their_own() {
    let Some(topics) = Topics::make().await else { return };
    let log = topics.open().await;
    assert_eq!(log.partitions(), PARTITIONS);
    let mut first = Owner::claim(&log, 0).await;
    let mut second = Owner::claim(&log, 1).await;
    assert_eq!(second.replayed.len(), 2, "group events belong to the owner of partition 0");
    second.announce("http://second").await.unwrap();
    first.announce("http://first").await.unwrap();
    let mut owners = log.owners();
    let both =
        tokio::time::timeout(DEADLINE, owners.wait_for(|owners| owners.len() == 2)).await.unwrap().unwrap();
    assert_eq!((both[&0].url.as_str(), both[&1].url.as_str()), ("http://first", "http://second"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_whose_last_commit_is_too_old_asks_the_log_whether_it_still_owns() {
    let Some(mut topics) = Topics::make().await else { return };
    topics.0.lease = Duration::ZERO;
    let log = topics.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    owner.append(user_events(1..2)).await.unwrap();
    let confirmed = owner.confirm().await.unwrap();
    owner.append(user_events(2..3)).await.unwrap();
    let users = read(&log, USERS, 0).await;
    let claims: Vec<_> = users.iter().filter(|recorded| recorded.record.is_claim()).collect();
    assert_eq!(claims.len(), 2);
    assert_eq!(confirmed.covered(USERS), Some(claims[1].offset));
    assert_chain_verifies(&users);

    Owner::claim(&log, 0).await;
    assert!(matches!(owner.confirm().await, Err(AppendError::Fenced)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_the_broker_may_have_forgotten_claims_again() {
    let Some(mut topics) = Topics::make().await else { return };
    topics.0.transactional_id_expiry = Duration::ZERO;
    let log = topics.open().await;
    let mut owner = Owner::claim(&log, 1).await;
    let refused = owner.append(user_events(1..2)).await;
    assert!(matches!(refused, Err(AppendError::Fenced)), "{refused:?}");
    assert_eq!(sequences(&Owner::claim(&log, 1).await.replayed), [] as [u64; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_made_once_and_wrong_ones_are_named() {
    let Some(topics) = Topics::named() else { return };
    let made = ensure_topics(&topics.0, PARTITIONS, 1).await.unwrap();
    assert_eq!(made.len(), 7);
    assert!(made.iter().all(|topic| topic.made));
    let found = ensure_topics(&topics.0, PARTITIONS, 1).await.unwrap();
    assert!(found.iter().all(|topic| !topic.made));
    let refused = ensure_topics(&topics.0, 3, 1).await.unwrap_err();
    let OpenError::Partitions { topic, found: 2, wanted: 3 } = &refused else { panic!("{refused:?}") };
    assert!(topic.ends_with("user-events"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connecting_waits_until_the_topics_are_there() {
    let Some(topics) = Topics::named() else { return };
    let connecting = tokio::spawn(KafkaLog::connect(topics.0.clone()));
    ensure_topics(&topics.0, PARTITIONS, 1).await.unwrap();
    let log = tokio::time::timeout(DEADLINE, connecting).await.expect("it sees them").unwrap().unwrap();
    assert_eq!(log.partitions(), PARTITIONS);
}

/// Sends a chunk of a snapshot that no writer made.
async fn send_part(topics: &Topics, part: serde_json::Value) {
    let settings = &topics.0;
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", &settings.brokers).create().unwrap();
    let (topic, part) = (format!("{}snapshots", settings.prefix), part.to_string());
    let headers = OwnedHeaders::new().insert(Header { key: "muster-snapshot", value: Some(&part) });
    let record = FutureRecord::<(), _>::to(&topic).partition(0).headers(headers).payload("forged");
    producer.send(record, DEADLINE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_snapshot_does_not_hide_the_whole_one_before_it() {
    let Some(topics) = Topics::make().await else { return };
    let log = topics.open().await;
    snapshots::save_one(&log).await;
    let (id, chain) = (Uuid::now_v7(), "00".repeat(32));
    let half = json!({ "snapshot": id, "number": 0, "of": 2, "open": false, "event": 9, "chain": chain, "claims": 0 });
    send_part(&topics, half).await;
    assert!(Owner::claim(&log, 0).await.restored.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_another_history_is_passed_over() {
    let Some(topics) = Topics::make().await else { return };
    let log = topics.open().await;
    snapshots::save_one(&log).await;
    let last = read(&log, USERS, 0).await.pop().unwrap().offset;
    let (id, chain) = (Uuid::now_v7(), "11".repeat(32));
    let other = json!({ "snapshot": id, "number": 0, "of": 1, "open": false, "event": last + 1, "chain": chain, "claims": 0 });
    send_part(&topics, other).await;
    snapshots::assert_passed_over(&log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_with_reservations_that_the_log_lacks_is_passed_over() {
    let Some(topics) = Topics::make().await else { return };
    let log = topics.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    owner.append(user_events(1..3)).await.unwrap();
    owner.leave().await;
    let last = read(&log, USERS, 0).await.pop().unwrap();
    let (id, chain) = (Uuid::now_v7(), last.record.header("ce_chain").unwrap());
    let ahead = json!({ "snapshot": id, "number": 0, "of": 1, "open": false,
                        "event": last.offset, "chain": chain, "claims": 1_000 });
    send_part(&topics, ahead).await;
    snapshots::assert_passed_over(&log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_without_its_beginning_is_passed_over() {
    let Some(topics) = Topics::make().await else { return };
    let log = topics.open().await;
    snapshots::save_one(&log).await;
    let last = read(&log, USERS, 0).await.into_iter().rfind(|one| !one.record.is_claim()).unwrap();
    let (id, chain) = (Uuid::now_v7(), last.record.header("ce_chain").unwrap());
    let end = json!({ "snapshot": id, "number": 1, "of": 2, "open": false,
                      "event": last.offset, "chain": chain, "claims": 0 });
    send_part(&topics, end).await;
    assert_eq!(Owner::claim(&log, 0).await.restored.unwrap().len(), 2, "the whole one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_replaced_is_deleted() {
    let Some(topics) = Topics::make().await else { return };
    let log = topics.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    owner.append(user_events(1..2)).await.unwrap();
    for _ in 0..3 {
        assert!(owner.save_snapshot(&[b"one", b"two"]).await);
    }
    let settings = topics.0.clone();
    let asking = tokio::task::spawn_blocking(move || {
        let asker: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", &settings.brokers).create().unwrap();
        asker.fetch_watermarks(&format!("{}snapshots", settings.prefix), 0, DEADLINE).unwrap()
    });
    let (begin, end) = asking.await.unwrap();
    assert_eq!((begin, end), (4, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_saved_of_commits_that_nobody_reads_back() {
    let Some(mut topics) = Topics::make().await else { return };
    topics.0.acknowledge = Acknowledge::Committed;
    let log = topics.open().await;
    let mut owner = Owner::claim(&log, 0).await;
    owner.append(user_events(1..2)).await.unwrap();
    assert!(!owner.save_snapshot(&[b"snapshot"]).await);
}
