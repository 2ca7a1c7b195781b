//! Claiming the partition of the embedded log: fence, restore a snapshot, replay the rest.

use std::sync::Arc;
use std::thread;

use log_model::{Stream, StreamPartition};
use tokio::sync::mpsc;

use super::packed::{Decompressor, WantedHeaders};
use super::reader::Reader;
use super::row::{Row, offset_of, read_into};
use super::shared::Shared;
use super::snapshot;
use super::writer::{RESERVATIONS, SqliteWriter, USERS};
use crate::chain::Chains;
use crate::claim_record;
use crate::error::ClaimError;
use crate::record_buffer::RecordBuffer;
use crate::replay::Replay;
use crate::snapshot::{SnapshotAnchor, SnapshotPoint, first_after};

const GROUPS: StreamPartition = StreamPartition::new(Stream::GroupEvents, 0);
/// Batches of rows that are read ahead of the replay.
const READ_AHEAD: usize = 2;

/// Claims the partition and fences an earlier writer of this process. The lock keeps other processes out.
pub(super) fn claim(shared: &Arc<Shared>, replay: &mut dyn Replay) -> Result<SqliteWriter, ClaimError> {
    let unavailable = |error: sqlx::Error| ClaimError::Unavailable(error.to_string());
    let claims = [GROUPS, RESERVATIONS, USERS].map(|place| (place.stream, claim_record::fresh()));
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
    let (mut decompressor, wanted) = (Decompressor::default(), WantedHeaders::of(replay.headers()));
    for place in [GROUPS, RESERVATIONS, USERS] {
        let up_to = claimed.covered(place).unwrap_or_default();
        let mut rows = read_ahead(shared, place.stream, first_after(restored, place), up_to);
        let mut record_buffer = RecordBuffer::new(place);
        let mut reached = None;
        while let Some(read) = rows.blocking_recv() {
            for row in read.map_err(unavailable)? {
                read_into(&mut record_buffer, &row, &mut decompressor, &wanted);
                let recorded = record_buffer.current();
                let offset = recorded.offset;
                reached = Some(offset);
                if replay.is_skipped(recorded) {
                    continue;
                }
                replay.replay(recorded).map_err(|reason| ClaimError::Unreadable { place, offset, reason })?;
                writer.chains.advance(recorded);
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
    let saved = match snapshot::open(&shared.directory) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(None),
        Err(error) => return refused(&error.to_string()),
    };
    let anchor = saved.anchor;
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
    match replay.restore(&mut saved.read_ahead()) {
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
