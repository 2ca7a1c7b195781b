//! The vocabulary of the suite: a log that can be reopened, its owner, records, and reading with a deadline.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::actor::{Actor, Client};
use domain::id::UserId;
use domain::timestamp::Timestamp;
use event_log::chain::Chain;
use event_log::envelope::Envelope;
use event_log::{
    AppendError, Batch, ClaimError, EventLog, Follow, Read, Record, Recorded, Replay, SnapshotParts, Writer,
};
use log_model::{Position, Stream, StreamPartition};
use uuid::Uuid;

pub(crate) const USERS: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);
pub(crate) const GROUPS: StreamPartition = StreamPartition::new(Stream::GroupEvents, 0);
pub(crate) const CREDENTIALS: StreamPartition = StreamPartition::new(Stream::Credentials, 0);
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The storage of a log, separate from that of other tests.
#[async_trait]
pub(crate) trait TestLog: Send {
    /// Opens the log of this storage, the same one each time.
    async fn open(&self) -> Arc<dyn EventLog>;

    /// Whether the log can be open twice at the same time.
    fn is_shared(&self) -> bool;
}

/// The owner of a partition. Its writer is called off the async runtime, as in the services.
pub(crate) struct Owner {
    writer: Option<Box<dyn Writer>>,
    pub(crate) replayed: Vec<Recorded>,
    /// The snapshot that the claim offered.
    pub(crate) restored: Option<Vec<Vec<u8>>>,
}

/// Records everything that it receives, and refuses snapshots if told to.
#[derive(Default)]
struct RecordingReplay {
    refuses: bool,
    is_not_wanted: bool,
    replayed: Vec<Recorded>,
    restored: Option<Vec<Vec<u8>>>,
}

impl Replay for RecordingReplay {
    fn restore(&mut self, parts: &mut SnapshotParts<'_>) -> Result<(), String> {
        self.restored = Some(parts.collect::<Result<_, _>>()?);
        if self.refuses { Err("it is to be refused".to_owned()) } else { Ok(()) }
    }

    fn replay(&mut self, recorded: &Recorded) -> Result<(), String> {
        self.replayed.push(recorded.clone());
        Ok(())
    }

    fn on_progress(&mut self) -> Result<(), String> {
        if self.is_not_wanted { Err("it is not wanted any more".to_owned()) } else { Ok(()) }
    }
}

impl Owner {
    pub(crate) async fn claim(log: &Arc<dyn EventLog>, partition: u32) -> Self {
        Self::try_claim(log, partition).await.expect("nobody else claims")
    }

    pub(crate) async fn try_claim(log: &Arc<dyn EventLog>, partition: u32) -> Result<Self, ClaimError> {
        Self::claim_with(log, partition, RecordingReplay::default()).await
    }

    /// Claims, refusing snapshots, so that every record is replayed.
    pub(crate) async fn claim_without_snapshot(log: &Arc<dyn EventLog>) -> Self {
        let replay = RecordingReplay { refuses: true, ..RecordingReplay::default() };
        Self::claim_with(log, 0, replay).await.expect("nobody else claims")
    }

    /// Starts a claim that is no longer wanted by the time it fences.
    pub(crate) async fn try_claim_in_vain(log: &Arc<dyn EventLog>) -> Result<Self, ClaimError> {
        let replay = RecordingReplay { is_not_wanted: true, ..RecordingReplay::default() };
        Self::claim_with(log, 0, replay).await
    }

    async fn claim_with(
        log: &Arc<dyn EventLog>,
        partition: u32,
        mut replay: RecordingReplay,
    ) -> Result<Self, ClaimError> {
        let log = Arc::clone(log);
        blocking(move || {
            let writer = log.claim(partition, &mut replay)?;
            Ok(Self { writer: Some(writer), replayed: replay.replayed, restored: replay.restored })
        })
        .await
    }

    /// Saves a snapshot, if that is possible now, and waits until it is written.
    pub(crate) async fn save_snapshot(&mut self, parts: &'static [&'static [u8]]) -> bool {
        let snapshot = || parts.iter().map(|part| part.to_vec()).collect();
        match self.call(move |writer| writer.save_snapshot(&mut { snapshot })).await {
            Some(pending) => tokio::time::timeout(DEADLINE, pending.written()).await.expect("in time"),
            None => false,
        }
    }

    pub(crate) async fn append(&mut self, records: Vec<(Stream, Record)>) -> Result<Position, AppendError> {
        self.call(move |writer| writer.append(Batch { records })).await
    }

    pub(crate) async fn confirm(&mut self) -> Result<Position, AppendError> {
        self.call(|writer| writer.confirm()).await
    }

    pub(crate) async fn reclaim(&mut self) -> Result<Position, AppendError> {
        self.call(|writer| writer.reclaim()).await
    }

    /// Announces its URL and returns its epoch.
    pub(crate) async fn announce(&mut self, url: &'static str) -> Result<u64, AppendError> {
        self.call(|writer| writer.announce(url).map(|()| writer.epoch())).await
    }

    async fn call<T: Send + 'static>(
        &mut self,
        call: impl FnOnce(&mut dyn Writer) -> T + Send + 'static,
    ) -> T {
        let mut writer = self.writer.take().expect("one call at a time");
        let (writer, answer) = blocking(move || {
            let answer = call(&mut *writer);
            (writer, answer)
        })
        .await;
        self.writer = Some(writer);
        answer
    }

    /// Drops the writer.
    pub(crate) async fn leave(mut self) {
        let writer = self.writer.take();
        blocking(move || drop(writer)).await;
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// A user event with a body of its own.
pub(crate) fn event(subject: &str, sequence: u64) -> Record {
    let envelope = Envelope {
        id: Uuid::now_v7(),
        time: Timestamp::from_micros(1_700_000_000_000_000),
        subject: subject.to_owned(),
        sequence,
        command_id: format!("command {sequence}"),
        command_digest: "00".repeat(32),
        correlation_id: "request".to_owned(),
        actor: String::new(),
        actor_name: String::new(),
        actor_role: None,
        client: Client {
            address: Some("192.0.2.1".to_owned()), agent: Some("Zoë's \"browser\"".to_owned())
        },
        traceparent: None,
    };
    let body = format!("{{\"number\":{sequence}}}");
    envelope.asked_by(&Actor::System).record("muster.user.registered", body.into_bytes())
}

/// Events of one user with these sequence numbers.
pub(crate) fn user_events(sequences: std::ops::Range<u64>) -> Vec<(Stream, Record)> {
    sequences.map(|sequence| (Stream::UserEvents, event(&user(), sequence))).collect()
}

pub(crate) fn user() -> String {
    UserId::from_uuid(Uuid::from_u128(8)).to_string()
}

pub(crate) fn credential(key: &str, body: Option<&str>) -> (Stream, Record) {
    let body = body.map(|body| body.as_bytes().to_vec());
    (Stream::Credentials, Record::keyed(key.to_owned(), body))
}

/// The sequence numbers of the events among these records.
pub(crate) fn sequences(records: &[Recorded]) -> Vec<u64> {
    records.iter().filter(|recorded| !recorded.record.is_claim()).map(sequence).collect()
}

fn sequence(recorded: &Recorded) -> u64 {
    Envelope::read(&recorded.record).unwrap().sequence
}

/// Every record of a stream partition from an offset on, up to the present end of the log.
pub(crate) async fn read(log: &Arc<dyn EventLog>, place: StreamPartition, from: u64) -> Vec<Recorded> {
    let end = end_of(log, place).await;
    read_to(&mut log.follow(vec![(place, from)]), place, end).await
}

pub(crate) async fn end_of(log: &Arc<dyn EventLog>, place: StreamPartition) -> u64 {
    let ends = log.ends().await.unwrap();
    ends.into_iter().find(|(of, _)| *of == place).expect("every place has an end").1
}

/// The records that a follower delivers of a stream partition until it reports an end of at least `end`.
pub(crate) async fn read_to(follow: &mut Follow, place: StreamPartition, end: u64) -> Vec<Recorded> {
    let mut read = Vec::new();
    let reading = async {
        loop {
            match follow.next().await.expect("the log is open") {
                Read::Records(of, records) => {
                    assert!(!records.is_empty() && records.iter().all(|recorded| recorded.place == of));
                    if of == place {
                        read.extend(records);
                    }
                }
                Read::End(of, next) if of == place && next >= end => break,
                Read::End(..) => {}
                Read::Unreachable(reason) => panic!("the log can't be reached: {reason}"),
            }
        }
    };
    tokio::time::timeout(DEADLINE, reading).await.expect("the end is reached in time");
    assert!(read.is_sorted_by(|one, next| one.offset < next.offset), "offsets grow");
    read
}

pub(crate) fn assert_chain_verifies(records: &[Recorded]) {
    let mut chain = Chain::default();
    for recorded in records {
        chain.verify(recorded).unwrap();
    }
}
