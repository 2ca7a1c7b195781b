//! Where a consumer stands in each stream partition, and the proof that the log is still the one it has read.

use std::collections::BTreeMap;

use event_log::Recorded;
use log_model::{Anchor, RecordDigest, StreamPartition};

use crate::sink::{Checkpoint, Move};

/// The stream partitions that are consumed and not halted.
#[derive(Debug, Default)]
pub(crate) struct Standing(BTreeMap<StreamPartition, Stand>);

/// Where one stream partition stands.
#[derive(Debug)]
struct Stand {
    next: u64,
    anchor: Option<Anchor>,
    /// Whether the log was seen to have the anchor's record since the checkpoint was read.
    is_proven: bool,
}

impl Standing {
    /// Where the checkpoints stand. Nothing is proven yet.
    pub(crate) fn at<'a>(checkpoints: impl IntoIterator<Item = &'a Checkpoint>) -> Self {
        let stand = |seen: &Checkpoint| {
            let Checkpoint { place, next, anchor, .. } = *seen;
            // A checkpoint that was set back by hand begins anew.
            let anchor = anchor.filter(|anchor| anchor.offset < next);
            (place, Stand { next, anchor, is_proven: anchor.is_none() })
        };
        Self(checkpoints.into_iter().map(stand).collect())
    }

    /// Where to begin to read: at the last applied record, which proves the log, or at the next one.
    pub(crate) fn from(&self) -> Vec<(StreamPartition, u64)> {
        let from = |stand: &Stand| stand.anchor.map_or(stand.next, |anchor| anchor.offset);
        self.0.iter().map(|(place, stand)| (*place, from(stand))).collect()
    }

    /// The offset to read next; `None` for a stream partition that is halted or not consumed.
    pub(crate) fn next(&self, place: StreamPartition) -> Option<u64> {
        self.0.get(&place).map(|stand| stand.next)
    }

    /// The last applied record.
    pub(crate) fn anchor(&self, place: StreamPartition) -> Option<Anchor> {
        self.0.get(&place)?.anchor
    }

    pub(crate) fn places(&self) -> Vec<StreamPartition> {
        self.0.keys().copied().collect()
    }

    /// Whether the checkpoint may be gone on from.
    pub(crate) fn is_proven(&self, place: StreamPartition) -> bool {
        self.0.get(&place).is_some_and(|stand| stand.is_proven)
    }

    pub(crate) fn all_proven(&self) -> bool {
        self.0.values().all(|stand| stand.is_proven)
    }

    /// Keeps what was proven before, for a reading that goes on: it does not meet the same anchor a second time. An anchor
    /// that another process has moved lies ahead of the reading and is still to be met.
    pub(crate) fn keep_proofs(&mut self, before: &Self) {
        for (place, stand) in &mut self.0 {
            let known = before.0.get(place);
            stand.is_proven |= known.is_some_and(|known| known.is_proven && known.anchor == stand.anchor);
        }
    }

    /// Whether the places are others than before, or one has gone back.
    pub(crate) fn is_behind(&self, before: &Self) -> bool {
        let went_back =
            |(place, stand): (&StreamPartition, &Stand)| self.next(*place).is_none_or(|now| now < stand.next);
        before.0.iter().any(went_back) || self.0.len() != before.0.len()
    }

    pub(crate) fn advance(&mut self, moved: &Move) {
        if let Some(stand) = self.0.get_mut(&moved.place) {
            (stand.next, stand.anchor) = (moved.to, moved.anchor);
        }
    }

    pub(crate) fn remove(&mut self, place: StreamPartition) {
        self.0.remove(&place);
    }

    /// Compares what was read, and the ends met behind it, with the last applied records. Returns the stream partitions
    /// whose log is another one, and where the log differs.
    pub(crate) fn prove(
        &mut self,
        records: &[Recorded],
        ends: &BTreeMap<StreamPartition, u64>,
    ) -> Vec<(StreamPartition, ForeignLog)> {
        let mut foreign = Vec::new();
        for (place, stand) in self.0.iter_mut().filter(|(_, stand)| !stand.is_proven) {
            let Some(anchor) = stand.anchor else { continue };
            let is_ours = |recorded: &&Recorded| recorded.place == *place && recorded.offset >= anchor.offset;
            let found = records.iter().find(is_ours);
            let verdict = match found {
                Some(found) if found.offset == anchor.offset => {
                    if RecordDigest::of(&found.record) == anchor.digest {
                        Ok(())
                    } else {
                        Err(ForeignLog::AnotherRecord(anchor.offset))
                    }
                }
                None if ends.get(place).is_none_or(|end| *end <= anchor.offset) => continue,
                // Compaction and retention remove records. What is chained is kept permanently.
                Some(_) | None if place.stream.is_chained() => Err(ForeignLog::NoRecord(anchor.offset)),
                Some(_) | None => Ok(()),
            };
            match verdict {
                Ok(()) => stand.is_proven = true,
                Err(reason) => foreign.push((*place, reason)),
            }
        }
        foreign
    }
}

/// How a log shows that it is not the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForeignLog {
    /// The log ends here, before the checkpoint.
    Ends(u64),
    /// Another record stands at this offset.
    AnotherRecord(u64),
    /// No record stands at this offset.
    NoRecord(u64),
}

impl ForeignLog {
    /// The reason of the halt. `sink` is a plural, such as `the views`; `next` is where its checkpoint stands.
    pub(crate) fn reason(self, sink: &str, next: u64) -> String {
        let found = match self {
            Self::Ends(end) => format!("the log ends at {end}, but {sink} have seen it up to {next}"),
            Self::AnotherRecord(offset) => {
                format!("the log has another record at offset {offset} than {sink} have seen there")
            }
            Self::NoRecord(offset) => {
                format!("the log has no record at offset {offset}, where {sink} have seen one")
            }
        };
        format!(
            "{found}: it is not the log that they were filled from; restore that one, or remove {sink} to have them \
             filled anew"
        )
    }
}

#[cfg(test)]
mod tests {
    use event_log::Record;
    use log_model::Stream;

    use super::*;

    const CHAINED: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);
    const COMPACTED: StreamPartition = StreamPartition::new(Stream::Credentials, 0);

    fn recorded(place: StreamPartition, offset: u64, key: &str) -> Recorded {
        Recorded { place, offset, record: Record::keyed(key.to_owned(), None) }
    }

    /// What follows for a checkpoint at 6, with the anchor `ours` at 4, from these records and this end.
    fn verdict(
        place: StreamPartition,
        records: &[(u64, &str)],
        end: Option<u64>,
    ) -> (bool, Option<ForeignLog>) {
        let digest = RecordDigest::of(&recorded(place, 4, "ours").record);
        let anchor = Some(Anchor { offset: 4, digest });
        let mut standing = Standing::at(&[Checkpoint { place, next: 6, anchor, halted: None }]);
        assert_eq!(standing.from(), [(place, 4)], "reading begins at the anchor");
        let records: Vec<_> = records.iter().map(|(offset, key)| recorded(place, *offset, key)).collect();
        let ends = end.map(|end| (place, end)).into_iter().collect();
        let foreign = standing.prove(&records, &ends).first().map(|(_, log)| *log);
        (standing.is_proven(place), foreign)
    }

    #[test]
    fn f06_the_anchored_record_proves_the_log() {
        for place in [CHAINED, COMPACTED] {
            assert_eq!(verdict(place, &[(4, "ours")], None), (true, None));
            assert_eq!(verdict(place, &[(4, "ours"), (7, "next")], Some(8)), (true, None));
            let other = Some(ForeignLog::AnotherRecord(4));
            assert_eq!(verdict(place, &[(4, "other")], None), (false, other));
        }
    }

    #[test]
    fn f06_only_what_is_kept_permanently_has_to_be_there() {
        let gone = (false, Some(ForeignLog::NoRecord(4)));
        assert_eq!(verdict(CHAINED, &[(5, "next")], None), gone);
        assert_eq!(verdict(CHAINED, &[], Some(6)), gone);
        assert_eq!(verdict(COMPACTED, &[(5, "next")], None), (true, None));
        assert_eq!(verdict(COMPACTED, &[], Some(6)), (true, None));
    }

    #[test]
    fn f06_what_lies_before_the_anchor_proves_nothing() {
        assert_eq!(verdict(CHAINED, &[(3, "before")], None), (false, None));
        assert_eq!(verdict(CHAINED, &[], Some(4)), (false, None));
    }
}
