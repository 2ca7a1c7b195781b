//! What was read and not applied yet, and what it is folded into.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::record::Fact;
use event_log::Recorded;
use log_model::{Stream, StreamPartition};
use read_model::apply::{ApplyError, Batch, Move};
use read_model::{Error, ReadModel};
use tokio::time::Instant;
use tracing::Instrument;

use super::{behind, now};
use crate::draft::Draft;

/// What was read and not applied yet.
#[derive(Default)]
pub(super) struct Pending {
    /// Records of several places; those of one place are in order.
    pub(super) records: Vec<Recorded>,
    /// The ends that were met behind them.
    pub(super) ends: BTreeMap<StreamPartition, u64>,
}

/// Records as one batch of row changes.
pub(super) struct Folded {
    pub(super) batch: Arc<Batch>,
    /// How many records it holds.
    pub(super) records: usize,
    /// The first of them, or of the misfits.
    pub(super) first: (StreamPartition, u64),
    /// Records that can't be folded, the first of its place each, and what is wrong with them.
    pub(super) misfits: Vec<(StreamPartition, u64, String)>,
    traces: Vec<Trace>,
}

/// What the log line of a record shows.
struct Trace {
    place: StreamPartition,
    offset: u64,
    name: &'static str,
    correlation_id: String,
    age_micros: i64,
}

impl Pending {
    /// Drops what is applied already, and what belongs to places that are not followed.
    pub(super) fn pass(&mut self, next: &BTreeMap<StreamPartition, u64>) {
        self.records
            .retain(|recorded| next.get(&recorded.place).is_some_and(|next| recorded.offset >= *next));
        self.ends.retain(|place, _| next.contains_key(place));
    }

    /// Whether neither a record nor an end is left that lies behind a checkpoint.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.ends.is_empty()
    }

    /// Takes out the places whose met end has been reached.
    pub(super) fn ended(&mut self, next: &BTreeMap<StreamPartition, u64>) -> Vec<StreamPartition> {
        let is_reached = |place: &StreamPartition, end: u64| next.get(place).is_some_and(|next| *next >= end);
        let reached: Vec<_> = self
            .ends
            .iter()
            .filter(|(place, end)| is_reached(place, **end))
            .map(|(place, _)| *place)
            .collect();
        self.ends.retain(|place, _| !reached.contains(place));
        reached
    }
}

impl Folded {
    /// Folds up to `most` of the records onto the rows that the database has.
    pub(super) async fn new(
        read_model: &ReadModel,
        pending: &Pending,
        next: &BTreeMap<StreamPartition, u64>,
        most: usize,
    ) -> Result<Self, Error> {
        let taken = &pending.records[..pending.records.len().min(most)];
        let facts: Vec<_> = taken.iter().map(Fact::read).collect();
        let mut draft = Draft::load(read_model, facts.iter().flatten()).await?;
        let mut reached: BTreeMap<StreamPartition, u64> = BTreeMap::new();
        let mut misfits: Vec<(StreamPartition, u64, String)> = Vec::new();
        let mut traces = Vec::with_capacity(taken.len());
        for (recorded, fact) in taken.iter().zip(&facts) {
            let (place, offset) = (recorded.place, recorded.offset);
            if misfits.iter().any(|(halted, ..)| *halted == place) {
                continue;
            }
            match fact.as_ref().map_err(Clone::clone).and_then(|fact| {
                draft.fold(fact, (place, offset)).map(|()| traces.push(Trace::of(recorded, fact)))
            }) {
                Ok(()) => drop(reached.insert(place, behind(recorded))),
                Err(reason) => misfits.push((place, offset, reason)),
            }
        }
        if taken.len() == pending.records.len() {
            // Nothing but what followers pass over lies between the last record and the end.
            for (place, end) in &pending.ends {
                if !misfits.iter().any(|(halted, ..)| halted == place) {
                    let to = reached.entry(*place).or_insert(*end);
                    *to = (*to).max(*end);
                }
            }
        }
        let moves = reached.into_iter().map(|(place, to)| Move { place, from: next[&place], to });
        let batch = draft.finish(moves.filter(|it| it.to > it.from).collect());
        let first = taken.first().map(|recorded| (recorded.place, recorded.offset));
        let first = first.or_else(|| pending.ends.iter().next().map(|(place, end)| (*place, *end)));
        let first = first.expect("an empty batch is not folded");
        Ok(Self { batch: Arc::new(batch), records: traces.len(), first, misfits, traces })
    }

    /// Applies it, all or nothing.
    pub(super) async fn apply(
        &self,
        read_model: &ReadModel,
        ended: &BTreeSet<StreamPartition>,
    ) -> Result<(), ApplyError> {
        if self.batch.moves.is_empty() {
            return Ok(());
        }
        let start = Instant::now();
        let span = tracing::debug_span!(
            "projection.apply",
            batch.events = self.records,
            batch.places = self.batch.moves.len()
        );
        read_model.apply(&self.batch).instrument(span).await?;
        if self.records > 0 {
            let seconds = start.elapsed().as_secs_f64();
            metrics::histogram!("muster_projection_apply_seconds").record(seconds);
            #[expect(clippy::cast_precision_loss, reason = "a batch is far below 2⁵³ records")]
            metrics::histogram!("muster_projection_batch_records").record(self.records as f64);
            for stream in Stream::ALL {
                let records = self.traces.iter().filter(|trace| trace.place.stream == stream).count();
                metrics::counter!("muster_projection_records_total", "stream" => stream.name())
                    .increment(records as u64);
            }
            self.trace(ended);
        }
        Ok(())
    }

    /// One line a record, so that the way of a request can be followed; less loudly while old records are caught up.
    fn trace(&self, ended: &BTreeSet<StreamPartition>) {
        for Trace { place, offset, name, correlation_id, age_micros } in &self.traces {
            metrics::counter!("muster_projection_records_total", "stream" => place.stream.name())
                .increment(1);
            if ended.contains(place) {
                tracing::info!(
                    correlation_id, "event.type" = name, log.place = %place, log.offset = offset, "applied to the views"
                );
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "an age of 2⁵³ µs is not measured to the microsecond"
                )]
                metrics::histogram!("muster_projection_lag_seconds").record(*age_micros as f64 / 1e6);
            } else {
                tracing::debug!(
                    correlation_id, "event.type" = name, log.place = %place, log.offset = offset, "applied to the views"
                );
            }
        }
    }
}

impl Trace {
    fn of(recorded: &Recorded, fact: &Fact) -> Self {
        let envelope = fact.envelope();
        Self {
            place: recorded.place,
            offset: recorded.offset,
            name: fact.name(),
            correlation_id: envelope.map(|it| it.correlation_id.clone()).unwrap_or_default(),
            age_micros: envelope.map_or(0, |it| now().micros() - it.time.micros()).max(0),
        }
    }
}

/// Whether a place is halted, for whoever watches.
pub(super) fn gauge_halted(place: StreamPartition, is_halted: bool) {
    let gauge = metrics::gauge!("muster_projection_halted", "place" => place.to_string());
    gauge.set(if is_halted { 1.0 } else { 0.0 });
}

pub(super) fn describe_metrics() {
    metrics::describe_gauge!("muster_projection_halted", "1 while a record of the place can't be applied");
    metrics::describe_counter!("muster_projection_records_total", "Records applied to the views, by stream");
    metrics::describe_histogram!("muster_projection_batch_records", "Records of one transaction");
    metrics::describe_histogram!(
        "muster_projection_apply_seconds",
        metrics::Unit::Seconds,
        "Time to apply one transaction"
    );
    metrics::describe_histogram!(
        "muster_projection_lag_seconds",
        metrics::Unit::Seconds,
        "Time from the decision of an event until the views show it"
    );
}
