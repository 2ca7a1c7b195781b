//! Finds how far the chains of a log reach, without reading the whole of it.

use std::collections::{BTreeMap, BTreeSet};

use event_log::chain::Chain;
use event_log::{EventLog, Read, Skips};
use log_model::record::{CHAIN, Recorded};
use log_model::{LogId, Stream, StreamPartition};

use crate::checkpoint::{ChainHead, LogCheckpoint};

/// How many offsets from the end are looked at first. Most records carry the value of their chain.
const FIRST: u64 = 256;
/// By how much more is looked at where none did.
const GROWTH: u64 = 16;

/// The heads of a log can't be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadsError {
    /// The log can't be read at the moment.
    #[error("the log can't be read: {0}")]
    Unavailable(String),
    /// Nobody has written to the log yet, or its first record is none of Muster's.
    #[error("the log has no first record that names it")]
    Nameless,
    /// A record at the end does not continue the chain.
    #[error(
        "{0}; `muster log verify` says more, and a record that is none of Muster's has to be skipped first"
    )]
    Stray(String),
}

/// What the log is now. A record without a chain value is taken to follow the last one that carries one.
///
/// # Errors
///
/// The log can't be read, is empty, or holds a record at its end that is none of Muster's.
pub async fn read_heads(log: &dyn EventLog) -> Result<LogCheckpoint, HeadsError> {
    let unavailable = |error: event_log::Unavailable| HeadsError::Unavailable(error.to_string());
    let mut ends = log.ends().await.map_err(unavailable)?;
    ends.retain(|(place, _)| place.stream.is_chained());
    let skips = Skips::read(log).await.map_err(unavailable)?;
    let first = first(log).await?;
    let id = first.as_ref().and_then(|first| LogId::of_first(&first.record)).ok_or(HeadsError::Nameless)?;
    let mut heads = BTreeMap::new();
    let mut window = FIRST;
    // All that are open at once, because each reading costs a client of its own.
    while !ends.is_empty() {
        let from: Vec<_> = ends.iter().map(|(place, end)| (*place, end.saturating_sub(window))).collect();
        let found = read_from(log, &skips, &from).await?;
        ends.retain(|(place, end)| !found[place].is_known && *end > window);
        heads.extend(found);
        window = window.saturating_mul(GROWTH);
    }
    Ok(LogCheckpoint { log: id, heads: heads.into_values().map(|found| found.head).collect() })
}

async fn first(log: &dyn EventLog) -> Result<Option<Recorded>, HeadsError> {
    let mut follow = log.follow(vec![(StreamPartition::new(Stream::GroupEvents, 0), 0)]);
    match next(&mut follow).await? {
        Read::Records(_, records) => Ok(records.into_iter().next()),
        _ => Ok(None),
    }
}

struct Found {
    head: ChainHead,
    /// Whether a record carried the value of the chain, so that what comes before it does not matter.
    is_known: bool,
}

impl Found {
    fn meet(&mut self, recorded: &Recorded, is_first: bool) -> Result<(), HeadsError> {
        let chain = &mut self.head.chain;
        if self.is_known || is_first {
            // A stray record would be signed as if it were part of the chain, and be skipped later.
            chain.verify(recorded).map_err(|broken| HeadsError::Stray(broken.to_string()))?;
            self.is_known = true;
        } else {
            self.is_known = recorded.record.header(CHAIN).is_some();
            chain.advance(&recorded.record);
        }
        self.head.next = recorded.next_offset();
        Ok(())
    }
}

async fn read_from(
    log: &dyn EventLog,
    skips: &Skips,
    from: &[(StreamPartition, u64)],
) -> Result<BTreeMap<StreamPartition, Found>, HeadsError> {
    let begin = |place| ChainHead { place, next: 0, chain: Chain::default() };
    let mut found: BTreeMap<_, _> =
        from.iter().map(|(place, _)| (*place, Found { head: begin(*place), is_known: false })).collect();
    let is_from_start: BTreeMap<_, _> = from.iter().map(|(place, from)| (*place, *from == 0)).collect();
    let mut open: BTreeSet<_> = found.keys().copied().collect();
    let mut follow = log.follow(from.to_vec());
    while !open.is_empty() {
        match next(&mut follow).await? {
            Read::Records(place, records) if open.contains(&place) => {
                let found = found.get_mut(&place).ok_or(HeadsError::Nameless)?;
                for recorded in records.iter().filter(|recorded| skips.of(recorded).is_none()) {
                    found.meet(recorded, is_from_start[&place])?;
                }
            }
            Read::End(place, _) => drop(open.remove(&place)),
            Read::Records(..) | Read::Unreachable(_) => {}
        }
    }
    Ok(found)
}

async fn next(follow: &mut event_log::Follow) -> Result<Read, HeadsError> {
    match follow.next().await {
        Some(Read::Unreachable(reason)) => Err(HeadsError::Unavailable(reason)),
        Some(read) => Ok(read),
        None => Err(HeadsError::Unavailable("it was closed".to_owned())),
    }
}
