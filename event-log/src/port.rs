//! The port: what a caller may ask of the log, and what both adapters promise.

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
    fn append_delay(&self) -> Duration {
        Duration::ZERO
    }

    /// From how many commands in a batch on it pays to decide the next one while this one is appended. Fewer are decided in
    /// less time than it takes to hand a batch to another thread, and to look meanwhile at what has come.
    fn pipelining_threshold(&self) -> usize;

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
