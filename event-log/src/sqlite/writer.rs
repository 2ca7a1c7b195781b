//! The one writer of the embedded log: it seals the hash chain, appends and saves snapshots.

use std::sync::Arc;
use std::thread;

use log_model::{Position, Stream, StreamPartition};

use super::compaction;
use super::shared::{FencedStore, Shared};
use super::snapshot;
use crate::chain::Chains;
use crate::error::AppendError;
use crate::owners::{AnnouncedOwner, Owners};
use crate::port::{Batch, Writer};
use crate::snapshot::{PendingSnapshot, Snapshot, SnapshotPoint};
use crate::telemetry;

pub(super) const USERS: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);
pub(super) const RESERVATIONS: StreamPartition = StreamPartition::new(Stream::Reservations, 0);

/// Writing a thousand records takes about as long as deciding them; a handful is written before another
/// thread wakes up.
const PIPELINING_THRESHOLD: usize = 8;

/// The writer of the only partition.
pub(super) struct SqliteWriter {
    pub(super) shared: Arc<Shared>,
    pub(super) epoch: u64,
    pub(super) chains: Chains,
    pub(super) reached: SnapshotPoint,
}

impl SqliteWriter {
    async fn commit(&mut self, mut batch: Batch) -> Result<Position, AppendError> {
        let shared = Arc::clone(&self.shared);
        let mut fenced = shared.fenced.lock().await;
        self.still_owns(&fenced)?;
        if batch.records.is_empty() {
            return Ok(Position::new());
        }
        // Kept only if the batch is committed.
        let mut chains = self.chains;
        chains.seal(&mut batch.records);
        match shared.write(&mut fenced, &batch.records).await {
            Ok(position) => {
                self.chains = chains;
                self.reached.advance(position.covered(USERS), chains.users, position.covered(RESERVATIONS));
                compaction::start_if_due(&shared, &mut fenced);
                Ok(position)
            }
            Err(failed) => {
                let reason = failed.source.to_string();
                if failed.nothing_written {
                    return Err(AppendError::Aborted(reason));
                }
                // This writer's chain doesn't cover what may be in the file, so only a new claim can
                // continue.
                fenced.epoch = None;
                Err(AppendError::Unknown(reason))
            }
        }
    }

    fn still_owns(&self, fenced: &FencedStore) -> Result<(), AppendError> {
        if fenced.epoch == Some(self.epoch) { Ok(()) } else { Err(AppendError::Fenced) }
    }
}

impl Writer for SqliteWriter {
    fn append(&mut self, batch: Batch) -> Result<Position, AppendError> {
        let runtime = self.shared.runtime.clone();
        telemetry::measured(batch.records.len(), || runtime.block_on(self.commit(batch)))
    }

    fn confirm(&mut self) -> Result<Position, AppendError> {
        self.still_owns(&self.shared.fenced.blocking_lock()).map(|()| Position::new())
    }

    fn reclaim(&mut self) -> Result<Position, AppendError> {
        // The lock keeps other processes out, so a claim record would prove nothing more.
        self.confirm()
    }

    fn save_snapshot(&mut self, snapshot: &mut dyn FnMut() -> Vec<Vec<u8>>) -> Option<PendingSnapshot> {
        let anchor = self.reached.anchor()?;
        let (permit, pending) = self.shared.snapshots.try_acquire()?;
        let snapshot = Snapshot { anchor, parts: snapshot() };
        // Keeps the directory locked while the snapshot is written.
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || match snapshot::write(&shared.directory, &snapshot) {
            Ok(()) => {
                tracing::info!(offset = anchor.event, "wrote a snapshot");
                drop(shared);
                permit.finish();
            }
            Err(error) => tracing::warn!(%error, "a snapshot can't be written"),
        });
        Some(pending)
    }

    fn pipelining_threshold(&self) -> usize {
        PIPELINING_THRESHOLD
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn announce(&mut self, url: &str) -> Result<(), AppendError> {
        let fenced = self.shared.fenced.blocking_lock();
        self.still_owns(&fenced)?;
        let owner = AnnouncedOwner { url: url.to_owned(), epoch: self.epoch };
        self.shared.owners.send_replace(Owners::from([(0, owner)]));
        Ok(())
    }
}
