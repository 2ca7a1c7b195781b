//! Finds how far the chains of a log reach, without reading the whole of it.

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
}

/// What the log is now. The chain is taken as the records carry it, and not verified.
///
/// # Errors
///
/// The log can't be read, or is empty.
pub async fn read_heads(log: &dyn EventLog) -> Result<LogCheckpoint, HeadsError> {
    let unavailable = |error: event_log::Unavailable| HeadsError::Unavailable(error.to_string());
    let mut ends = log.ends().await.map_err(unavailable)?;
    ends.retain(|(place, _)| place.stream.is_chained());
    ends.sort_unstable();
    let skips = Skips::read(log).await.map_err(unavailable)?;
    let first = first(log).await?;
    let id = first.as_ref().and_then(|first| LogId::of_first(&first.record)).ok_or(HeadsError::Nameless)?;
    let mut heads = Vec::with_capacity(ends.len());
    for (place, end) in ends {
        heads.push(head(log, &skips, place, end).await?);
    }
    Ok(LogCheckpoint { log: id, heads })
}

async fn first(log: &dyn EventLog) -> Result<Option<Recorded>, HeadsError> {
    let mut follow = log.follow(vec![(StreamPartition::new(Stream::GroupEvents, 0), 0)]);
    match next(&mut follow).await? {
        Read::Records(_, records) => Ok(records.into_iter().next()),
        _ => Ok(None),
    }
}

async fn head(
    log: &dyn EventLog,
    skips: &Skips,
    place: StreamPartition,
    end: u64,
) -> Result<ChainHead, HeadsError> {
    let mut window = FIRST;
    loop {
        let from = end.saturating_sub(window);
        let found = read_from(log, skips, place, from).await?;
        if found.is_known || from == 0 {
            return Ok(found.head);
        }
        window = window.saturating_mul(GROWTH);
    }
}

struct Found {
    head: ChainHead,
    /// Whether a record carried the value of the chain, so that what comes before it does not matter.
    is_known: bool,
}

async fn read_from(
    log: &dyn EventLog,
    skips: &Skips,
    place: StreamPartition,
    from: u64,
) -> Result<Found, HeadsError> {
    let mut follow = log.follow(vec![(place, from)]);
    let head = ChainHead { place, next: 0, chain: Chain::default() };
    let mut found = Found { head, is_known: false };
    loop {
        match next(&mut follow).await? {
            Read::Records(_, records) => {
                for recorded in &records {
                    found.head.next = recorded.next_offset();
                    if skips.of(recorded).is_none() {
                        found.is_known |= recorded.record.header(CHAIN).is_some();
                        found.head.chain.advance(&recorded.record);
                    }
                }
            }
            _ => return Ok(found),
        }
    }
}

async fn next(follow: &mut event_log::Follow) -> Result<Read, HeadsError> {
    match follow.next().await {
        Some(Read::Unreachable(reason)) => Err(HeadsError::Unavailable(reason)),
        Some(read) => Ok(read),
        None => Err(HeadsError::Unavailable("it was closed".to_owned())),
    }
}
