//! What both adapters need of snapshots: the anchor in the log's history, how far a writer has come, and one
//! write at a time.
//!
//! A snapshot is an owner's state, kept outside the log so that the next claim need not replay every record.
//! It is only a shortcut: if it is missing or doesn't fit, every record is replayed. The value of the hash
//! chain ties it to the history it was made from. `docs/adr/0013-snapshots-for-the-next-owner.md` explains
//! the decision.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use log_model::record::{CHAIN, Recorded};
use log_model::{Stream, StreamPartition};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::chain::Chain;
use crate::telemetry;

/// The point in the log that a snapshot covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SnapshotAnchor {
    /// Offset of the last user event that the snapshot covers.
    pub(crate) event: u64,
    /// The chain value of the user events after that event.
    pub(crate) chain: Chain,
    /// Offset of the first reservation that the snapshot doesn't cover. It is `claims` in stored snapshots.
    #[serde(rename = "claims")]
    pub(crate) reservations: u64,
}

impl SnapshotAnchor {
    /// Whether `last` is the event that the snapshot ends with. If so, the snapshot was made from the very
    /// records before it.
    pub(crate) fn fits(&self, last: &Recorded) -> bool {
        last.offset == self.event && last.record.header(CHAIN) == Some(self.chain.to_string().as_str())
    }
}

/// The first offset of a stream partition to replay after what was restored.
pub(crate) fn first_after(restored: Option<SnapshotAnchor>, place: StreamPartition) -> u64 {
    match (place.stream, restored) {
        (Stream::UserEvents, Some(anchor)) => anchor.event + 1,
        (Stream::Reservations, Some(anchor)) => anchor.reservations,
        _ => 0,
    }
}

/// A snapshot, complete.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) anchor: SnapshotAnchor,
    pub(crate) parts: Vec<Vec<u8>>,
}

/// How far a writer has come, and with it what a snapshot made now would cover.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SnapshotPoint {
    /// The last user event that this writer wrote. Without one there is no event to anchor a snapshot to.
    event: Option<(u64, Chain)>,
    reservations: u64,
}

impl SnapshotPoint {
    /// The point of a writer that has just claimed and has read the reservations up to this offset.
    pub(crate) fn claimed(reservations: u64) -> Self {
        Self { event: None, reservations }
    }

    /// Moves to the last record that was written to each stream.
    pub(crate) fn advance(&mut self, event: Option<u64>, chain: Chain, reservations: Option<u64>) {
        self.event = event.map(|event| (event, chain)).or(self.event);
        self.reservations = reservations.map_or(self.reservations, |last| last + 1);
    }

    pub(crate) fn anchor(&self) -> Option<SnapshotAnchor> {
        let reservations = self.reservations;
        self.event.map(|(event, chain)| SnapshotAnchor { event, chain, reservations })
    }
}

/// Lets a process write one snapshot at a time, because each takes memory while it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct SnapshotPermit(Arc<AtomicBool>);

/// The permit to write a snapshot, until it is dropped.
#[derive(Debug)]
pub(crate) struct HeldPermit {
    permit: SnapshotPermit,
    written: Option<oneshot::Sender<()>>,
}

/// A snapshot that is being written.
#[derive(Debug)]
pub struct PendingSnapshot(oneshot::Receiver<()>);

impl PendingSnapshot {
    /// Waits until the writing ends, and returns whether it succeeded. A caller that doesn't care may drop
    /// this instead.
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
    /// Reports that the snapshot was written.
    pub(crate) fn finish(mut self) {
        let written = self.written.take();
        drop(self);
        telemetry::snapshot("written");
        // Sent after the drop, so that a listener finds the permit free. Nobody has to listen.
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
