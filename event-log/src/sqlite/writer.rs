//! The one writer of the embedded log: it claims, seals the hash chain and appends.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use log_model::record::Record;
use log_model::{Position, Stream, StreamPartition};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc, watch};

use super::reader::Reader;
use super::row::{Row, offset_of, read_into};
use super::snapshot;
use super::store::{Ends, Store, WriteError};
use crate::chain::Chains;
use crate::error::{AppendError, ClaimError, Unavailable};
use crate::owners::{Owner, Owners};
use crate::port::{Batch, Writer};
use crate::record_buffer::RecordBuffer;
use crate::replay::Replay;
use crate::snapshot::{
    PendingSnapshot, Snapshot, SnapshotAnchor, SnapshotPermit, SnapshotPoint, first_after,
};
use crate::{claim, telemetry};

const USERS: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);
const GROUPS: StreamPartition = StreamPartition::new(Stream::GroupEvents, 0);
const RESERVATIONS: StreamPartition = StreamPartition::new(Stream::Reservations, 0);

/// Batches of rows that are read ahead of the replay.
const READ_AHEAD: usize = 2;
/// Writing a thousand records takes about as long as deciding them; a handful is written before another
/// thread wakes up.
const PIPELINING_THRESHOLD: usize = 8;

/// What the log and its writers share. The directory stays locked until the last of them is dropped.
pub(super) struct Shared {
    pub(super) directory: PathBuf,
    pub(super) file: PathBuf,
    pub(super) runtime: Handle,
    pub(super) fenced: Mutex<FencedStore>,
    pub(super) ends: watch::Sender<Ends>,
    pub(super) owners: watch::Sender<Owners>,
    pub(super) snapshots: SnapshotPermit,
    pub(super) _lock: File,
}

/// The store, and the epoch that may write events to it.
pub(super) struct FencedStore {
    pub(super) store: Store,
    /// The offset of the newest claim record in user-events. A writer with another epoch is fenced.
    pub(super) epoch: Option<u64>,
}

impl Shared {
    /// Writes in a task of its own, so that a dropped caller leaves no transaction open.
    pub(super) async fn append_access(self: Arc<Self>, records: Vec<Record>) -> Result<(), Unavailable> {
        let runtime = self.runtime.clone();
        let writing = runtime.spawn(async move {
            let records: Vec<_> = records.into_iter().map(|record| (Stream::Access, record)).collect();
            let mut fenced = self.fenced.lock().await;
            self.write(&mut fenced, &records).await.map_err(|failed| Unavailable(failed.source.to_string()))
        });
        writing.await.map_err(|stopped| Unavailable(stopped.to_string()))?.map(drop)
    }

    async fn write(
        &self,
        fenced: &mut FencedStore,
        records: &[(Stream, Record)],
    ) -> Result<Position, WriteError> {
        let position = fenced.store.write(records).await?;
        self.ends.send_replace(fenced.store.ends());
        Ok(position)
    }
}

/// Claims the partition and fences an earlier writer of this process. The lock keeps other processes out.
pub(super) fn claim(shared: &Arc<Shared>, replay: &mut dyn Replay) -> Result<SqliteWriter, ClaimError> {
    let unavailable = |error: sqlx::Error| ClaimError::Unavailable(error.to_string());
    let claims = [GROUPS, RESERVATIONS, USERS].map(|place| (place.stream, claim::fresh_record()));
    let claimed = shared.runtime.block_on(async {
        let mut fenced = shared.fenced.lock().await;
        // Even a failed claim may be in the file, where an earlier writer's chain doesn't cover it.
        fenced.epoch = None;
        let claimed =
            shared.write(&mut fenced, &claims).await.map_err(|failed| unavailable(failed.source))?;
        fenced.epoch = claimed.covered(USERS);
        Ok(claimed)
    })?;
    let epoch = claimed.covered(USERS).unwrap_or_default();
    let reservations_claim = claimed.covered(RESERVATIONS).unwrap_or_default();
    let restored = restore(shared, reservations_claim, replay).map_err(unavailable)?;
    let mut writer = SqliteWriter {
        shared: Arc::clone(shared),
        epoch,
        chains: Chains {
            users: restored.map(|anchor| anchor.chain).unwrap_or_default(),
            ..Chains::default()
        },
        reached: SnapshotPoint::claimed(reservations_claim + 1),
    };
    for place in [GROUPS, RESERVATIONS, USERS] {
        let up_to = claimed.covered(place).unwrap_or_default();
        let mut rows = read_ahead(shared, place.stream, first_after(restored, place), up_to);
        let mut record_buffer = RecordBuffer::new(place);
        let mut reached = None;
        while let Some(read) = rows.blocking_recv() {
            for row in read.map_err(unavailable)? {
                read_into(&mut record_buffer, &row);
                let recorded = record_buffer.current();
                let offset = recorded.offset;
                replay.replay(recorded).map_err(|reason| ClaimError::Unreadable { place, offset, reason })?;
                writer.chains.advance(recorded);
                reached = Some(offset);
            }
        }
        // The reading thread stops early if the runtime shuts down. Half a replay is none.
        if reached != Some(up_to) {
            return Err(ClaimError::Unavailable(format!("{place} was not read to its end")));
        }
    }
    Ok(writer)
}

/// Gives the saved snapshot to `replay`, if it was made from this very log. `claim` is the offset of the
/// claim record among the reservations.
fn restore(
    shared: &Shared,
    claim: u64,
    replay: &mut dyn Replay,
) -> Result<Option<SnapshotAnchor>, sqlx::Error> {
    let refused = |reason: &str| {
        tracing::warn!(reason, "the snapshot is of no use; every record is replayed");
        Ok(None)
    };
    let Snapshot { anchor, parts } = match snapshot::read(&shared.directory) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(None),
        Err(error) => return refused(&error.to_string()),
    };
    let last = shared.runtime.block_on(async {
        let mut reader = Reader::open(&shared.file).await?;
        reader.batch(USERS.stream, anchor.event).await
    })?;
    if anchor.reservations > claim || !last.first().is_some_and(|last| anchor.fits(last)) {
        // Once the log has grown past the snapshot's end again, the mismatch would no longer show.
        if let Err(error) = snapshot::remove(&shared.directory) {
            tracing::warn!(%error, "a snapshot of another history can't be deleted");
        }
        return refused("it was made from another history");
    }
    match replay.restore(&parts) {
        Ok(()) => Ok(Some(anchor)),
        Err(reason) => refused(&reason),
    }
}

/// Reads a stream between two offsets on a thread of its own, so that the next rows are read while the last
/// ones are replayed. Ends when the receiver is dropped.
///
/// It isn't a task, because the claiming thread may be blocking the runtime.
fn read_ahead(
    shared: &Arc<Shared>,
    stream: Stream,
    from: u64,
    up_to: u64,
) -> mpsc::Receiver<Result<Vec<Row>, sqlx::Error>> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    let (file, runtime) = (shared.file.clone(), shared.runtime.clone());
    let reading = async move {
        let mut reader = match Reader::open(&file).await {
            Ok(reader) => reader,
            Err(error) => return sender.send(Err(error)).await.unwrap_or_default(),
        };
        let mut next = from;
        while next <= up_to {
            let mut read = reader.rows(stream, next).await;
            next = u64::MAX;
            if let Ok(rows) = &mut read {
                next = rows.last().map_or(u64::MAX, |last| offset_of(last.0) + 1);
                rows.retain(|row| offset_of(row.0) <= up_to);
            }
            if sender.send(read).await.is_err() {
                return;
            }
        }
    };
    thread::spawn(move || runtime.block_on(reading));
    receiver
}

/// The writer of the only partition.
pub(super) struct SqliteWriter {
    shared: Arc<Shared>,
    epoch: u64,
    chains: Chains,
    reached: SnapshotPoint,
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
        let owner = Owner { url: url.to_owned(), epoch: self.epoch };
        self.shared.owners.send_replace(Owners::from([(0, owner)]));
        Ok(())
    }
}
