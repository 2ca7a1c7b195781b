//! The views as the sink of a consumer: entries are folded into row changes and applied with the checkpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::timestamp::Timestamp;
use event_log::Recorded;
use log_consumer::{ApplyError, Checkpoint, Halt, Move, Sink, SinkUnavailable};
use log_model::StreamPartition;
use read_model::{Error, ViewWriter, apply, checkpoint};
use service_kit::causes::Causes;
use time::OffsetDateTime;
use tracing::Instrument;

use crate::applied::{self, AppliedRecord};
use crate::log_entry::LogEntry;
use crate::row_changes::{LatestTimes, RowChanges};

/// The views, filled from the log.
pub(crate) struct ViewsSink {
    writer: Arc<ViewWriter>,
    /// As the checkpoints had them, and as applied batches have moved them since.
    latest: LatestTimes,
}

/// Row changes on their way to the database, and what to report when they are there.
#[derive(Default)]
pub(crate) struct ViewBatch {
    changes: RowChanges,
    applied: Vec<AppliedRecord>,
}

impl ViewsSink {
    pub(crate) fn new(writer: Arc<ViewWriter>) -> Self {
        Self { writer, latest: LatestTimes::new() }
    }
}

impl Sink for ViewsSink {
    type Entry = LogEntry;
    type Batch = ViewBatch;

    async fn checkpoints(&mut self, places: &[StreamPartition]) -> Result<Vec<Checkpoint>, SinkUnavailable> {
        let mut all = self.writer.views().checkpoints().await.map_err(unavailable)?;
        if !places.iter().all(|place| all.iter().any(|seen| seen.place == *place)) {
            self.writer.begin(places).await.map_err(unavailable)?;
            all = self.writer.views().checkpoints().await.map_err(unavailable)?;
        }
        self.latest = all.iter().filter_map(|seen| Some((seen.place, seen.latest_at?))).collect();
        let ours = all.into_iter().filter(|seen| places.contains(&seen.place));
        let checkpoint = |seen: checkpoint::Checkpoint| Checkpoint {
            place: seen.place,
            next: seen.next,
            anchor: seen.anchor,
            halted: seen.halted.map(|halt| halt.offset),
        };
        Ok(ours.map(checkpoint).collect())
    }

    fn read(&self, recorded: &Recorded) -> Result<LogEntry, String> {
        LogEntry::read(recorded)
    }

    async fn load(&mut self, entries: &[&LogEntry]) -> Result<ViewBatch, SinkUnavailable> {
        let changes = RowChanges::load(self.writer.views(), self.latest.clone(), entries);
        let changes = changes.await.map_err(unavailable)?;
        Ok(ViewBatch { changes, applied: Vec::with_capacity(entries.len()) })
    }

    fn fold(&self, batch: &mut ViewBatch, entry: LogEntry, recorded: &Recorded) -> Result<(), String> {
        let applied = AppliedRecord::of(recorded, &entry);
        batch.changes.fold(entry, (recorded.place, recorded.offset))?;
        batch.applied.push(applied);
        Ok(())
    }

    async fn apply(&mut self, batch: ViewBatch, moves: Vec<Move>) -> Result<(), ApplyError> {
        let ViewBatch { changes, applied } = batch;
        let span = tracing::debug_span!(
            "projection.apply",
            batch.events = applied.len(),
            batch.places = moves.len()
        );
        let checkpoint = |moved: &Move| {
            let Move { place, from, to, anchor, .. } = *moved;
            apply::Move { place, from, to, anchor }
        };
        let latest = changes.latest().clone();
        let rows = Arc::new(changes.finish(moves.iter().map(checkpoint).collect()));
        match self.writer.apply(&rows).instrument(span).await {
            Ok(()) => {
                self.latest = latest;
                applied::report(&applied, &moves);
                Ok(())
            }
            Err(apply::ApplyError::Conflict) => Err(ApplyError::Conflict),
            Err(apply::ApplyError::Views(error @ Error::Refused(_))) => {
                Err(ApplyError::Refused(Causes(&error).to_string()))
            }
            Err(apply::ApplyError::Views(error)) => Err(ApplyError::Unavailable(Causes(&error).to_string())),
        }
    }

    async fn halt(&mut self, halt: &Halt) -> Result<(), SinkUnavailable> {
        let kept = checkpoint::Halt {
            offset: halt.offset,
            reason: halt.reason.clone(),
            at: Timestamp::from(halt.at),
        };
        self.writer.halt(halt.place, &kept).await.map_err(unavailable)
    }

    async fn resume(&mut self, place: StreamPartition) -> Result<(), SinkUnavailable> {
        self.writer.resume(place).await.map(drop).map_err(unavailable)
    }

    async fn resumed(&mut self, halted: &BTreeMap<StreamPartition, u64>) {
        let progress = self.writer.views().progress();
        let is_halted =
            |place: &StreamPartition| progress.checkpoint(*place).is_none_or(|seen| seen.halted.is_some());
        loop {
            progress.changed().await;
            if !halted.keys().all(is_halted) {
                return;
            }
        }
    }

    async fn confirm(
        &mut self,
        places: &[StreamPartition],
        at: OffsetDateTime,
    ) -> Result<(), SinkUnavailable> {
        self.writer.confirm(places, at.into()).await.map_err(unavailable)
    }

    async fn log_unreachable(
        &mut self,
        places: &[StreamPartition],
        at: OffsetDateTime,
    ) -> Result<(), SinkUnavailable> {
        let progress = self.writer.views().progress();
        let is_told = |place: &StreamPartition| {
            progress.checkpoint(*place).is_some_and(|it| it.unreachable_since.is_some())
        };
        let places: Vec<_> = places.iter().filter(|place| !is_told(place)).copied().collect();
        if places.is_empty() {
            return Ok(());
        }
        self.writer.unreachable(&places, at.into()).await.map_err(unavailable)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an error is mapped by value")]
fn unavailable(error: Error) -> SinkUnavailable {
    SinkUnavailable(Causes(&error).to_string())
}
