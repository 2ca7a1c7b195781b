//! Finds where in the log the records of an instant begin, by halving.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::timestamp::Timestamp;
use event_log::{EventLog, Read};
use log_model::StreamPartition;
use log_model::record::{Recorded, TIME};

use crate::error::FeedError;
use crate::kind::FeedKind;

/// How far the clocks of owners may be apart. Times in the log are nearly in order: a record may be older than an earlier one
/// by as much.
const DISORDER: Duration = Duration::from_hours(1);
/// As few records are read through instead of being halved.
const FEW: u64 = 2_000;

/// For each stream partition the offset of its first event that is not older than `from`, or its end. `ends` is where the
/// stream partitions end.
pub(crate) async fn first_at(
    log: &dyn EventLog,
    kind: FeedKind,
    ends: &[(StreamPartition, u64)],
    from: Timestamp,
) -> Result<BTreeMap<StreamPartition, u64>, FeedError> {
    let certainly_before = from - DISORDER;
    let mut low: BTreeMap<StreamPartition, u64> = ends.iter().map(|(place, _)| (*place, 0)).collect();
    let mut high: BTreeMap<StreamPartition, u64> = ends.iter().copied().collect();
    loop {
        let open = low.iter().filter(|(place, low)| high[place] > **low + FEW);
        let middles: Vec<_> = open.map(|(place, low)| (*place, low.midpoint(high[place]))).collect();
        if middles.is_empty() {
            break;
        }
        for (place, middle, found) in firsts(log, &middles).await? {
            match found {
                Some((offset, time)) if time < certainly_before => low.insert(place, offset + 1),
                _ => high.insert(place, middle),
            };
        }
    }
    let mut first: BTreeMap<StreamPartition, u64> = BTreeMap::new();
    let mut follow = log.follow(low.into_iter().collect());
    while first.len() < ends.len() {
        match follow.next().await {
            Some(Read::Records(place, records)) if !first.contains_key(&place) => {
                for recorded in records.iter().filter(|recorded| kind.shows(&recorded.record)) {
                    if time(recorded)? >= from {
                        first.insert(place, recorded.offset);
                        break;
                    }
                }
            }
            Some(Read::Records(..)) => {}
            Some(Read::End(place, end)) => drop(first.entry(place).or_insert(end)),
            Some(Read::Unreachable(reason)) => return Err(FeedError::Unavailable(reason)),
            None => return Err(FeedError::Unavailable("it was closed".to_owned())),
        }
    }
    Ok(first)
}

/// A stream partition, where it was looked at, and offset and time of the first record from there on, if there is one.
type FirstFrom = (StreamPartition, u64, Option<(u64, Timestamp)>);

async fn firsts(log: &dyn EventLog, from: &[(StreamPartition, u64)]) -> Result<Vec<FirstFrom>, FeedError> {
    let mut found: BTreeMap<StreamPartition, Option<(u64, Timestamp)>> = BTreeMap::new();
    let mut follow = log.follow(from.to_vec());
    while found.len() < from.len() {
        match follow.next().await {
            Some(Read::Records(place, records)) => {
                if let Some(first) = records.first() {
                    let time = time(first)?;
                    found.entry(place).or_insert(Some((first.offset, time)));
                }
            }
            Some(Read::End(place, _)) => drop(found.entry(place).or_insert(None)),
            Some(Read::Unreachable(reason)) => return Err(FeedError::Unavailable(reason)),
            None => return Err(FeedError::Unavailable("it was closed".to_owned())),
        }
    }
    Ok(from.iter().map(|(place, at)| (*place, *at, found[place])).collect())
}

fn time(recorded: &Recorded) -> Result<Timestamp, FeedError> {
    let text = recorded.record.header(TIME).unwrap_or_default();
    Timestamp::parse(text).map_err(|_| {
        let (place, offset) = (recorded.place, recorded.offset);
        FeedError::Unavailable(format!("{place} offset {offset} has no time"))
    })
}
