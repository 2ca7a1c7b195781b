//! The log as a port: claim a partition, append a batch, read and follow. Two adapters keep it: Kafka and one SQLite file.
//!
//! What an adapter owes its callers is written once, in `tests/conformance.rs`, and run against both.

pub mod chain;
mod claim;
pub mod envelope;
pub mod kafka;
mod membership;
mod record_buffer;
mod snapshot;
pub mod sqlite;
mod telemetry;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use log_model::{Position, Stream, StreamPartition};
use tokio::sync::{mpsc, watch};

pub use log_model::record::{Record, Recorded};
pub use membership::{Assignment, Handover, HandoverDone, LeftMember, MemberHandle, Membership};
pub use snapshot::PendingSnapshot;

/// The log of one deployment.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Over how many partitions users are spread. Fixed when the log was made.
    fn partitions(&self) -> u32;

    /// Makes the caller the one writer of a partition: fences an earlier one, settles what that one left open,
    /// commits a claim record and hands every record up to it to `replay`, claim records included. Where a snapshot was
    /// kept and is not refused, the records that it stands for are left out. An adapter with several processes replays most
    /// of them before it fences, so that an earlier writer is cut short for as little as possible.
    ///
    /// Replayed are the user events and the claims of addresses of that partition, and by the writer of partition 0,
    /// who owns them too, the group events: each place in its order, the places mixed. Blocks: call it on a thread that
    /// may.
    fn claim(&self, partition: u32, replay: &mut dyn Replay) -> Result<Box<dyn Writer>, ClaimError>;

    /// Takes part in sharing the partitions with the other command services of the deployment.
    fn join(&self) -> Membership;

    /// Appends access records, each to the partition of its key. All or nothing is not promised; order is kept per key.
    async fn append_access(&self, records: Vec<Record>) -> Result<(), Unavailable>;

    /// Reads each place from its offset on, committed records only, and goes on as the log grows.
    fn follow(&self, from: Vec<(StreamPartition, u64)>) -> Follow;

    /// Per place that is followed the offset that the next record will at least have: what a reader who starts now has
    /// to reach.
    async fn ends(&self) -> Result<Vec<(StreamPartition, u64)>, Unavailable>;

    /// Who serves which partition, as announced, and every change of it.
    fn owners(&self) -> watch::Receiver<Owners>;
}

/// Takes in what a claim finds.
pub trait Replay {
    /// Takes in a snapshot that [`Writer::save_snapshot`] was given, before any record. An error refuses it: then every record
    /// is replayed, as if there were none.
    fn restore(&mut self, parts: &[Vec<u8>]) -> Result<(), String>;

    /// Takes in a record; the next one is read over it. An error ends the claim.
    fn replay(&mut self, recorded: &Recorded) -> Result<(), String>;

    /// Hears that the claim gets on while there is nothing to take in yet. An error leaves out what is being read, or ends
    /// the claim before it tries to fence anybody again.
    fn beat(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Replays every record, whatever snapshots there are.
pub fn every_record(take: impl FnMut(&Recorded) -> Result<(), String>) -> impl Replay {
    EveryRecord(take)
}

struct EveryRecord<F>(F);

impl<F: FnMut(&Recorded) -> Result<(), String>> Replay for EveryRecord<F> {
    fn restore(&mut self, _parts: &[Vec<u8>]) -> Result<(), String> {
        Err("every record is wanted".to_owned())
    }

    fn replay(&mut self, recorded: &Recorded) -> Result<(), String> {
        (self.0)(recorded)
    }
}

/// The one writer of a partition, until somebody else claims it. Every call blocks.
pub trait Writer: Send {
    /// Commits the batch: all of it or nothing. Records of chained streams get their `ce_chain` here.
    ///
    /// The position covers the last record of every place that was written.
    fn append(&mut self, batch: Batch) -> Result<Position, AppendError>;

    /// Ok if no other writer of the deployment's services can have committed since this writer's last commit. Commits
    /// a fresh claim record where that is the only way to know, so it may take as long as an append; the position
    /// covers what was written.
    fn confirm(&mut self) -> Result<Position, AppendError>;

    /// Commits a fresh claim record, for whoever must know for certain that nobody else has claimed the partition.
    fn reclaim(&mut self) -> Result<Position, AppendError>;

    /// Keeps what the caller has made of all user events and claims of addresses that were replayed to it or that it has
    /// appended, so that the next claim can begin with it: at least one part, none of them empty. It is written in the
    /// background and takes the place of the one before once it is whole; a failure is logged and harms nothing.
    ///
    /// None, and `snapshot` isn't called, while that can't be done: another one is being written, no user event was
    /// appended since the claim, or what is committed is not certain to stay.
    fn save_snapshot(&mut self, snapshot: &mut dyn FnMut() -> Vec<Vec<u8>>) -> Option<PendingSnapshot>;

    /// How long an append that is made now waits before it begins: time to put more into its batch.
    fn ready_in(&self) -> Duration {
        Duration::ZERO
    }

    /// From how many commands in a batch on it pays to decide the next one while this one is appended. Fewer are decided in
    /// less time than it takes to hand a batch to another thread, and to look meanwhile at what has come.
    fn ahead_from(&self) -> usize;

    /// Grows with every claim of the partition.
    fn epoch(&self) -> u64;

    /// Tells everybody that follows [`EventLog::owners`] where the owner of this partition is reached.
    fn announce(&mut self, url: &str) -> Result<(), AppendError>;
}

/// What one transaction writes, in order.
#[derive(Debug, Default)]
pub struct Batch {
    /// User events, group events, credentials and claims of addresses; each goes to the writer's partition of its stream (groups: the only one).
    pub records: Vec<(Stream, Record)>,
}

/// Why a partition could not be claimed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Somebody claimed it at the same time. The caller may claim again.
    #[error("another writer claimed the partition meanwhile")]
    Fenced,
    /// The log can't be reached. The caller waits and claims again.
    #[error("the log can't be reached: {0}")]
    Unavailable(String),
    /// A record could not be replayed. Claiming again will not help.
    #[error("{place} offset {offset} can't be replayed: {reason}")]
    Unreadable {
        /// Where the record lies.
        place: StreamPartition,
        /// Its offset.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a batch was not, or not certainly, appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another writer owns the partition, or may without this one being told. Nothing was written by this call; the writer
    /// is of no more use.
    #[error("another writer owns the partition, or may")]
    Fenced,
    /// Nothing was written and the same writer may try again.
    #[error("the batch was aborted: {0}")]
    Aborted(String),
    /// It may have been written or not; only the log says. The writer is of no more use: claim and look.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
}

/// The log can't be reached at the moment, or refuses.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the log can't be reached: {0}")]
pub struct Unavailable(pub String);

/// Who serves a partition.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Owner {
    /// Base address of the owner's command door.
    pub url: String,
    /// Grows with every claim of the partition: of two owners the one with the greater epoch is right.
    pub epoch: u64,
}

/// The announced owner of each partition that has one.
pub type Owners = BTreeMap<u32, Owner>;

/// A reader that goes on for ever. Dropping it ends the reading.
pub struct Follow {
    receiver: mpsc::Receiver<Read>,
}

/// What a [`Follow`] meets.
#[derive(Debug)]
pub enum Read {
    /// Records of one place, in order, at least one.
    Records(StreamPartition, Vec<Recorded>),
    /// Everything that is committed in this place was delivered; the next record will have at least this offset.
    /// Said again at least once a second for as long as it is so.
    End(StreamPartition, u64),
    /// The log could not be asked. Reading goes on as soon as it can be.
    Unreachable(String),
}

impl Follow {
    /// A reader and the sender that feeds it. An adapter stops when the sender finds it closed.
    pub fn channel(capacity: usize) -> (mpsc::Sender<Read>, Self) {
        let (sender, receiver) = mpsc::channel(capacity);
        (sender, Self { receiver })
    }

    /// What comes next; `None` when the log was closed.
    pub async fn next(&mut self) -> Option<Read> {
        self.receiver.recv().await
    }

    /// What is there already, without waiting.
    pub fn try_next(&mut self) -> Option<Read> {
        self.receiver.try_recv().ok()
    }

    /// What comes next, for threads that may block.
    pub fn blocking_next(&mut self) -> Option<Read> {
        self.receiver.blocking_recv()
    }
}
