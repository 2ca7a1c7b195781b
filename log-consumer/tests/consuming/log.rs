//! A SQLite log in a temporary directory, with readers that a test can disturb.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use event_log::sqlite::SqliteLog;
use event_log::{
    Batch, ClaimError, EventLog, Follow, Membership, Owners, Read, Record, Replay, Unavailable, Writer,
    every_record,
};
use log_model::{Stream, StreamPartition};
use tempfile::TempDir;
use tokio::sync::watch;

/// The stream partition that tests write to.
pub(crate) const PLACE: StreamPartition = StreamPartition::new(Stream::Access, 0);

/// A stream partition with a hash chain.
pub(crate) const CHAINED: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);

/// How long a test waits for what has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something, but not longer than [`PATIENCE`].
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it happens in time")
}

/// A log and its directory.
pub(crate) struct Log {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) _directory: TempDir,
}

impl Log {
    pub(crate) async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(directory.path()).await.unwrap();
        Self { log, _directory: directory }
    }

    /// Appends a record for each text.
    pub(crate) async fn append(&self, texts: &[&str]) {
        let record = |text: &&str| Record::keyed((*text).to_owned(), None);
        self.log.append_access(texts.iter().map(record).collect()).await.unwrap();
    }

    /// Claims the log.
    pub(crate) async fn claim(&self) -> Owner {
        let log = Arc::clone(&self.log);
        let claim = move || log.claim(0, &mut every_record(|_| Ok(()))).unwrap();
        Owner(Arc::new(Mutex::new(tokio::task::spawn_blocking(claim).await.unwrap())))
    }
}

/// The owner of the log's one partition.
pub(crate) struct Owner(Arc<Mutex<Box<dyn Writer>>>);

impl Owner {
    /// Appends a record to [`CHAINED`].
    pub(crate) async fn append(&self, text: &str) {
        let (writer, record) = (Arc::clone(&self.0), Record::keyed(text.to_owned(), Some(b"{}".to_vec())));
        let batch = Batch { records: vec![(CHAINED.stream, record)] };
        let append = move || writer.lock().unwrap().append(batch).unwrap();
        tokio::task::spawn_blocking(append).await.unwrap();
    }
}

/// The same log, but its readers first hear that it is away, for as long as the test wants.
pub(crate) struct Away {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) is_away: watch::Receiver<bool>,
}

#[async_trait]
impl EventLog for Away {
    fn partitions(&self) -> u32 {
        self.log.partitions()
    }

    fn claim(&self, partition: u32, replay: &mut dyn Replay) -> Result<Box<dyn Writer>, ClaimError> {
        self.log.claim(partition, replay)
    }

    fn join(&self) -> Membership {
        self.log.join()
    }

    async fn append_access(&self, records: Vec<Record>) -> Result<(), Unavailable> {
        self.log.append_access(records).await
    }

    fn follow(&self, from: Vec<(StreamPartition, u64)>) -> Follow {
        let (sender, follow) = Follow::channel(1);
        let (mut whole, mut is_away) = (self.log.follow(from), self.is_away.clone());
        tokio::spawn(async move {
            if *is_away.borrow() {
                sender.send(Read::Unreachable("on leave".to_owned())).await.ok();
            }
            let _ = is_away.wait_for(|is_away| !is_away).await;
            while let Some(read) = whole.next().await {
                if sender.send(read).await.is_err() {
                    return;
                }
            }
        });
        follow
    }

    async fn ends(&self) -> Result<Vec<(StreamPartition, u64)>, Unavailable> {
        self.log.ends().await
    }

    fn owners(&self) -> watch::Receiver<Owners> {
        self.log.owners()
    }
}
