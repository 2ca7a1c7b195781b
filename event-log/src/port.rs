//! The port: what callers may ask of the log, and what both adapters promise.

use std::time::Duration;

use async_trait::async_trait;
use log_model::record::Record;
use log_model::{Position, Stream, StreamPartition};
use tokio::sync::watch;

use crate::error::{AppendError, ClaimError, Unavailable};
use crate::follow::Follow;
use crate::membership::Membership;
use crate::owners::Owners;
use crate::replay::Replay;
use crate::snapshot::PendingSnapshot;

/// The log of one deployment.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// The number of partitions over which users are spread. Fixed when the log is created.
    fn partitions(&self) -> u32;

    /// Makes the caller the one writer of a partition.
    ///
    /// The claim fences an earlier writer, settles the transaction it left open, and commits a claim record.
    /// Every record up to that one goes to `replay`, claim records included. If there is a snapshot and
    /// `replay` accepts it, the records it stands for are left out. An adapter for several processes replays
    /// most records before it fences, to keep the interruption short.
    ///
    /// Replayed are the user events and reservations of the partition. The writer of partition 0 also owns
    /// the group events and replays them too. Records of one stream partition arrive in order; different
    /// stream partitions may alternate.
    ///
    /// Blocks, so call it on a thread that may block. `docs/adr/0001-one-writer-per-partition.md` and
    /// `docs/adr/0006-hash-chain-and-claim-records.md` explain the decisions.
    ///
    /// # Errors
    ///
    /// Each variant of [`ClaimError`] says what the caller does next.
    ///
    /// # Examples
    ///
    /// ```
    /// use event_log::sqlite::SqliteLog;
    /// use event_log::{Batch, EventLog, Record, every_record};
    /// use log_model::{Stream, StreamPartition};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    /// let directory = tempfile::tempdir()?;
    /// let log = SqliteLog::open(directory.path()).await?;
    /// let owning = tokio::task::spawn_blocking(move || {
    ///     let mut writer = log.claim(0, &mut every_record(|_| Ok(())))?;
    ///     let headers = vec![("ce_type", "muster.user.registered".to_owned())];
    ///     let event = Record { key: "user_1".to_owned(), headers, body: Some(b"{}".to_vec()) };
    ///     let position = writer.append(Batch { records: vec![(Stream::UserEvents, event)] })?;
    ///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(position)
    /// });
    /// // Offset 0 is the claim record.
    /// assert_eq!(owning.await??.covered(StreamPartition::new(Stream::UserEvents, 0)), Some(1));
    /// # Ok(())
    /// # }
    /// ```
    fn claim(&self, partition: u32, replay: &mut dyn Replay) -> Result<Box<dyn Writer>, ClaimError>;

    /// Joins the command services of the deployment that share the partitions.
    fn join(&self) -> Membership;

    /// Appends access records, each to the partition of its key. Order is kept per key. A failure may leave
    /// some of the records written.
    async fn append_access(&self, records: Vec<Record>) -> Result<(), Unavailable>;

    /// Reads committed records of each stream partition from its offset on, and continues as the log grows.
    ///
    /// # Examples
    ///
    /// ```
    /// use event_log::sqlite::SqliteLog;
    /// use event_log::{EventLog, Read, every_record};
    /// use log_model::{Stream, StreamPartition};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let directory = tempfile::tempdir()?;
    /// let log = SqliteLog::open(directory.path()).await?;
    /// let claimed = log.clone();
    /// tokio::task::spawn_blocking(move || claimed.claim(0, &mut every_record(|_| Ok(()))).map(drop)).await??;
    ///
    /// let users = StreamPartition::new(Stream::UserEvents, 0);
    /// let mut follow = log.follow(vec![(users, 0)]);
    /// let mut records = Vec::new();
    /// while let Some(read) = follow.next().await {
    ///     match read {
    ///         Read::Records(_, more) => records.extend(more),
    ///         // Everything so far was delivered. A service would go on.
    ///         Read::End(..) => break,
    ///         Read::Unreachable(reason) => eprintln!("{reason}; the follower tries again"),
    ///     }
    /// }
    /// assert!(records[0].record.is_claim());
    /// # Ok(())
    /// # }
    /// ```
    fn follow(&self, from: Vec<(StreamPartition, u64)>) -> Follow;

    /// For each followed stream partition, the lowest offset that its next record can have. A reader that
    /// starts now must reach it to have read everything.
    async fn ends(&self) -> Result<Vec<(StreamPartition, u64)>, Unavailable>;

    /// The announced owners, and every later change of them.
    fn owners(&self) -> watch::Receiver<Owners>;
}

/// The one writer of a partition, until another one claims it. Every method blocks.
pub trait Writer: Send {
    /// Commits the batch, all of it or nothing. Records of chained streams get their `ce_chain` here.
    ///
    /// The position covers the last record written to each stream partition. An example is at
    /// [`EventLog::claim`].
    ///
    /// # Errors
    ///
    /// Each variant of [`AppendError`] says what the caller does next.
    fn append(&mut self, batch: Batch) -> Result<Position, AppendError>;

    /// Confirms that no other writer can have committed since this writer's last commit.
    ///
    /// Where only a commit can tell, it commits a fresh claim record, so it may take as long as an append.
    /// The position covers what was written.
    fn confirm(&mut self) -> Result<Position, AppendError>;

    /// Proves the ownership anew: commits a fresh claim record and fails if another writer has claimed the
    /// partition. The position covers the record.
    ///
    /// SQLite writes nothing and checks the epoch alone, because the locked directory keeps other processes out.
    fn reclaim(&mut self) -> Result<Position, AppendError>;

    /// Saves the caller's state, so that the next claim can start from it.
    ///
    /// The state must cover every user event and reservation that was replayed to the caller or that it has
    /// appended. It has at least one part, and no part is empty. The snapshot is written in the background
    /// and replaces the one before once it is complete. A failure is logged and does no harm.
    /// `docs/adr/0013-snapshots-for-the-next-owner.md` explains the decision.
    ///
    /// Returns `None` without calling `snapshot` while another snapshot is being written, before the first
    /// user event that this writer appends, or where committed records might still be lost.
    fn save_snapshot(&mut self, snapshot: &mut dyn FnMut() -> Vec<Vec<u8>>) -> Option<PendingSnapshot>;

    /// How long an append made now would wait before it starts. The caller can use the time to add to its
    /// batch.
    fn append_delay(&self) -> Duration {
        Duration::ZERO
    }

    /// Smallest batch for which it pays to decide the next one while this one is appended. For a smaller one,
    /// handing over to another thread costs more than it saves.
    fn pipelining_threshold(&self) -> usize;

    /// The epoch of this writer, which grows with every claim of the partition.
    fn epoch(&self) -> u64;

    /// Announces the owner's URL to everybody who watches [`EventLog::owners`].
    fn announce(&mut self, url: &str) -> Result<(), AppendError>;
}

/// What one transaction writes.
#[derive(Debug, Default)]
pub struct Batch {
    /// Records with their streams, in order: user events, group events, credentials and reservations. Each
    /// goes to the writer's partition of its stream; group events have only one.
    pub records: Vec<(Stream, Record)>,
}
