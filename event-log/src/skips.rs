//! The records that operators have taken out of the log, as every reader learns of them before it reads.
//!
//! A record that can't be read halts every reader. `muster projection skip` then writes an event that names it: by its
//! stream partition, its offset and its digest. Readers pass over exactly that record, and the hash chain goes past it as if
//! it were not there. `docs/adr/0014-skipping-a-record.md` explains the decision.

use std::collections::BTreeMap;

use domain::deployment::{self, RecordSkipped};
use log_model::record::{Record, Recorded};
use log_model::{RecordDigest, Stream, StreamPartition};

use crate::error::Unavailable;
use crate::follow::Read;
use crate::port::EventLog;

/// Where the events are that name skipped records.
const GROUPS: StreamPartition = StreamPartition::new(Stream::GroupEvents, 0);

/// The skipped records of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skips(BTreeMap<(StreamPartition, u64), Skip>);

/// Why a record is skipped, and how it is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// The digest of the record.
    pub digest: RecordDigest,
    /// What the operator gave as the reason.
    pub reason: String,
}

impl Skips {
    /// Reads every skip that is in the log now. It reads the group events alone, which are few, and claims nothing.
    ///
    /// # Errors
    ///
    /// The log can't be read at the moment.
    pub async fn read(log: &dyn EventLog) -> Result<Self, Unavailable> {
        let mut follow = log.follow(vec![(GROUPS, 0)]);
        let mut skips = Self::default();
        loop {
            match follow.next().await {
                Some(Read::Records(_, records)) => {
                    records
                        .iter()
                        .filter_map(|recorded| skip_of(&recorded.record))
                        .for_each(|it| skips.add(&it));
                }
                Some(Read::End(..)) => return Ok(skips),
                Some(Read::Unreachable(reason)) => return Err(Unavailable(reason)),
                None => return Err(Unavailable("it was closed".to_owned())),
            }
        }
    }

    /// Adds a skip. Nothing is added where the event names no place or no digest.
    pub fn add(&mut self, skipped: &RecordSkipped) {
        if let (Ok(place), Ok(digest)) = (skipped.place.parse(), skipped.digest.parse()) {
            let skip = Skip { digest, reason: skipped.reason.clone() };
            self.0.insert((place, skipped.offset), skip);
        }
    }

    /// The skip of this record: place, offset and digest fit.
    pub fn of(&self, recorded: &Recorded) -> Option<&Skip> {
        let skip = self.at(recorded.place, recorded.offset)?;
        (skip.digest == RecordDigest::of(&recorded.record)).then_some(skip)
    }

    /// What is skipped at this offset, whatever the record there.
    pub fn at(&self, place: StreamPartition, offset: u64) -> Option<&Skip> {
        // Nearly always empty, and asked for every record.
        if self.0.is_empty() { None } else { self.0.get(&(place, offset)) }
    }

    /// Every skip, by stream partition and offset.
    pub fn iter(&self) -> impl Iterator<Item = (StreamPartition, u64, &Skip)> {
        self.0.iter().map(|((place, offset), skip)| (*place, *offset, skip))
    }
}

/// The deployment's event in a record. `None` for other records, and for what can't be read: those who apply it report it.
pub fn deployment_event(record: &Record) -> Option<deployment::Event> {
    if record.key != deployment::SUBJECT {
        return None;
    }
    deployment::Event::from_json(record.wire_name().ok()?, record.body.as_deref().unwrap_or_default()).ok()
}

/// The skip that a record of the group events writes down.
fn skip_of(record: &Record) -> Option<RecordSkipped> {
    match deployment_event(record)? {
        deployment::Event::RecordSkipped(skipped) => Some(skipped),
        deployment::Event::Initialised(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_names_one_record_alone() {
        let place = StreamPartition::new(Stream::UserEvents, 3);
        let recorded = |offset, body: &str| {
            let record = Record::keyed(String::new(), Some(body.as_bytes().to_vec()));
            Recorded { place, offset, record }
        };
        let stray = recorded(17, "hello");
        let mut skips = Skips::default();
        assert_eq!(skips.of(&stray), None);
        skips.add(&RecordSkipped {
            place: place.to_string(),
            offset: 17,
            digest: RecordDigest::of(&stray.record).to_string(),
            reason: "a typo".to_owned(),
        });
        assert_eq!(skips.of(&stray).map(|skip| skip.reason.as_str()), Some("a typo"));
        assert_eq!(skips.of(&recorded(18, "hello")), None, "another offset");
        assert_eq!(skips.of(&recorded(17, "hullo")), None, "another record");
        let elsewhere = Recorded { place: StreamPartition::new(Stream::UserEvents, 4), ..stray };
        assert_eq!(skips.of(&elsewhere), None, "another place");
        assert_eq!(skips.iter().count(), 1);
    }
}
