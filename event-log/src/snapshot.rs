//! What somebody has made of a partition's records, kept beside the log so that the next claim need not replay them all.
//!
//! A snapshot takes nothing from the log and adds nothing to it: without one, or with one that doesn't fit, every record
//! is replayed. It is bound to the history that it was made from by the value of the hash chain.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use log_model::record::{CHAIN, Recorded};
use log_model::{Stream, StreamPartition};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::chain::Chain;
use crate::telemetry;

/// Up to where a snapshot reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SnapshotAnchor {
    /// Offset of the last user event in it.
    pub(crate) event: u64,
    /// The chain of the user events after that one.
    pub(crate) chain: Chain,
    /// Offset of the first record of the claims of addresses that is not in it.
    #[serde(rename = "claims")]
    pub(crate) reservations: u64,
}

impl SnapshotAnchor {
    /// Whether that record is the one that the snapshot ends with: then all before it are those that it was made from.
    pub(crate) fn fits(&self, last: &Recorded) -> bool {
        last.offset == self.event && last.record.header(CHAIN) == Some(self.chain.to_string().as_str())
    }
}

/// The first record of a place that is to be replayed after what was restored, if anything was.
pub(crate) fn first_after(restored: Option<SnapshotAnchor>, place: StreamPartition) -> u64 {
    match (place.stream, restored) {
        (Stream::UserEvents, Some(anchor)) => anchor.event + 1,
        (Stream::Reservations, Some(anchor)) => anchor.reservations,
        _ => 0,
    }
}

/// A snapshot that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) anchor: SnapshotAnchor,
    pub(crate) parts: Vec<Vec<u8>>,
}

/// How far a writer has come: what a snapshot that is made now reaches up to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SnapshotPoint {
    /// The last user event that this writer has written. Until it has written one there is nothing to bind a snapshot to.
    event: Option<(u64, Chain)>,
    reservations: u64,
}

impl SnapshotPoint {
    /// By a writer that has just claimed, and read the claims of addresses up to this offset.
    pub(crate) fn claimed(reservations: u64) -> Self {
        Self { event: None, reservations }
    }

    /// Moves to the last record of each stream that was written.
    pub(crate) fn advance(&mut self, event: Option<u64>, chain: Chain, reservations: Option<u64>) {
        self.event = event.map(|event| (event, chain)).or(self.event);
        self.reservations = reservations.map_or(self.reservations, |last| last + 1);
    }

    pub(crate) fn anchor(&self) -> Option<SnapshotAnchor> {
        let reservations = self.reservations;
        self.event.map(|(event, chain)| SnapshotAnchor { event, chain, reservations })
    }
}

/// One snapshot of a process is written at a time, because each takes memory while it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct SnapshotPermit(Arc<AtomicBool>);

/// Leave to write a snapshot, until it is dropped.
#[derive(Debug)]
pub(crate) struct HeldPermit {
    permit: SnapshotPermit,
    written: Option<oneshot::Sender<()>>,
}

/// A snapshot that is being written.
#[derive(Debug)]
pub struct PendingSnapshot(oneshot::Receiver<()>);

impl PendingSnapshot {
    /// Waits for it, and says whether it was written. Whoever does not care need not wait.
    pub async fn written(self) -> bool {
        self.0.await.is_ok()
    }
}

impl SnapshotPermit {
    pub(crate) fn try_acquire(&self) -> Option<(HeldPermit, PendingSnapshot)> {
        let was_free = !self.0.swap(true, Ordering::AcqRel);
        was_free.then(|| {
            let (written, pending) = oneshot::channel();
            (HeldPermit { permit: self.clone(), written: Some(written) }, PendingSnapshot(pending))
        })
    }
}

impl HeldPermit {
    /// Says that it was written.
    pub(crate) fn finish(mut self) {
        let written = self.written.take();
        drop(self);
        telemetry::snapshot("written");
        // Whoever hears of it finds the next turn free; nobody has to listen.
        if let Some(written) = written {
            let _ = written.send(());
        }
    }
}

impl Drop for HeldPermit {
    fn drop(&mut self) {
        self.permit.0.store(false, Ordering::Release);
        if self.written.is_some() {
            telemetry::snapshot("failed");
        }
    }
}
