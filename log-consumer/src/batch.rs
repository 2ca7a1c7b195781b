//! Records read and not applied yet, and the batch they are folded into.

use std::collections::BTreeMap;

use event_log::{Recorded, Skips};
use log_model::{Anchor, RecordDigest, StreamPartition};

use crate::consumed::Consumed;
use crate::metrics::RecordCounts;
use crate::sink::{Move, Sink, SinkUnavailable};
use crate::standing::Standing;

/// What was read and not applied yet.
#[derive(Default)]
pub(crate) struct Pending {
    /// Records of several stream partitions; those of one are in order.
    pub(crate) records: Vec<Recorded>,
    /// The ends met behind them.
    pub(crate) ends: BTreeMap<StreamPartition, u64>,
}

/// Records as one batch.
pub(crate) struct Folded<B> {
    pub(crate) batch: B,
    pub(crate) moves: Vec<Move>,
    pub(crate) counts: RecordCounts,
    /// The first record, or the first end where there are only ends.
    pub(crate) first: (StreamPartition, u64),
    /// Records that can't be applied: the first of its stream partition each, and what is wrong with it.
    pub(crate) misfits: Vec<(StreamPartition, u64, String)>,
}

impl Pending {
    /// Drops what is already applied, and what belongs to stream partitions that are not consumed. An end says nothing
    /// while it is unknown whether the log is still the same.
    pub(crate) fn drop_applied(&mut self, standing: &Standing) {
        self.records
            .retain(|recorded| standing.next(recorded.place).is_some_and(|next| recorded.offset >= next));
        self.ends.retain(|place, _| standing.is_proven(*place));
    }

    /// Whether neither a record nor an end is left that lies behind a checkpoint.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.ends.is_empty()
    }

    /// Takes out the stream partitions whose end has been reached.
    pub(crate) fn take_reached(&mut self, standing: &Standing) -> Vec<StreamPartition> {
        let is_reached =
            |place: &StreamPartition, end: u64| standing.next(*place).is_some_and(|next| next >= end);
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

impl<B> Folded<B> {
    /// Folds up to `most` of the pending records.
    pub(crate) async fn new<S: Sink<Batch = B>>(
        sink: &mut S,
        pending: &Pending,
        standing: &Standing,
        skips: &Skips,
        consumed: &Consumed,
        most: usize,
    ) -> Result<Self, SinkUnavailable> {
        let taken = &pending.records[..pending.records.len().min(most)];
        // `None` for a record that is skipped.
        let read = |recorded| skips.of(recorded).is_none().then(|| sink.read(recorded));
        let entries: Vec<_> = taken.iter().map(read).collect();
        let readable: Vec<_> = entries.iter().flatten().flatten().collect();
        let mut batch = sink.load(&readable).await?;
        let mut last: BTreeMap<StreamPartition, &Recorded> = BTreeMap::new();
        let mut misfits: Vec<(StreamPartition, u64, String)> = Vec::new();
        let mut counts = RecordCounts::default();
        for (recorded, entry) in taken.iter().zip(entries) {
            let (place, offset) = (recorded.place, recorded.offset);
            if misfits.iter().any(|(halted, ..)| *halted == place) {
                continue;
            }
            let folded = match entry {
                Some(entry) => entry.and_then(|entry| sink.fold(&mut batch, entry, recorded)),
                None => Ok(()),
            };
            match folded {
                Ok(()) => {
                    counts.add(recorded);
                    last.insert(place, recorded);
                }
                Err(reason) => misfits.push((place, offset, reason)),
            }
        }
        let mut reached: BTreeMap<_, _> =
            last.iter().map(|(place, recorded)| (*place, recorded.next_offset())).collect();
        if taken.len() == pending.records.len() {
            // Between the last record and the end lies nothing that followers are given.
            for (place, end) in &pending.ends {
                if !misfits.iter().any(|(halted, ..)| halted == place) {
                    let to = reached.entry(*place).or_insert(*end);
                    *to = (*to).max(*end);
                }
            }
        }
        let anchor = |recorded: &&Recorded| {
            let digest = RecordDigest::of(&recorded.record);
            Anchor { offset: recorded.offset, digest }
        };
        let moves = reached.into_iter().filter_map(|(place, to)| {
            let (from, has_met_end) = (standing.next(place)?, consumed.has_met_end(place));
            let anchor = last.get(&place).map(anchor).or_else(|| standing.anchor(place));
            Some(Move { place, from, to, anchor, has_met_end })
        });
        let moves = moves.filter(|moved| moved.to > moved.from).collect();
        let first = taken.first().map(|recorded| (recorded.place, recorded.offset));
        let first = first.or_else(|| pending.ends.iter().next().map(|(place, end)| (*place, *end)));
        let first = first.expect("an empty batch is not folded");
        Ok(Self { batch, moves, counts, first, misfits })
    }
}
