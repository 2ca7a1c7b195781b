//! What a log was at some point: for each chained stream partition how far it reached, and its chain there.
//!
//! The text is a line `muster/<log>` and a line for each of them, in order: name, next offset, chain value.

use std::fmt;
use std::str::FromStr;

use event_log::chain::Chain;
use log_model::{LogId, StreamPartition};

/// What the first line begins with.
const ORIGIN: &str = "muster/";

/// How far one chained stream partition reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// The stream partition.
    pub place: StreamPartition,
    /// The offset after its last record.
    pub next: u64,
    /// The value of the chain after that record.
    pub chain: Chain,
}

/// What a log was at some point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCheckpoint {
    /// Which log.
    pub log: LogId,
    /// Every chained stream partition, in order.
    pub heads: Vec<ChainHead>,
}

/// A text that is no checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no checkpoint: line {0} is not of the form that docs/log-format.md describes")]
pub struct NotACheckpoint(pub usize);

impl fmt::Display for LogCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{ORIGIN}{}", self.log)?;
        self.heads
            .iter()
            .try_for_each(|ChainHead { place, next, chain }| writeln!(f, "{place} {next} {chain}"))
    }
}

impl FromStr for LogCheckpoint {
    type Err = NotACheckpoint;

    fn from_str(text: &str) -> Result<Self, NotACheckpoint> {
        let mut lines = text.lines();
        let log =
            lines.next().and_then(|line| line.strip_prefix(ORIGIN)?.parse().ok()).ok_or(NotACheckpoint(1))?;
        let mut heads: Vec<ChainHead> = Vec::new();
        for (number, line) in (2..).zip(lines) {
            let head = head(line).filter(|head| heads.last().is_none_or(|last| last.place < head.place));
            heads.push(head.ok_or(NotACheckpoint(number))?);
        }
        if heads.is_empty() { Err(NotACheckpoint(2)) } else { Ok(Self { log, heads }) }
    }
}

fn head(line: &str) -> Option<ChainHead> {
    let words: Vec<&str> = line.split(' ').collect();
    let [place, next, chain] = words[..] else { return None };
    let place: StreamPartition = place.parse().ok()?;
    let head = ChainHead { place, next: next.parse().ok()?, chain: chain.parse().ok()? };
    place.stream.is_chained().then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_reads_back_and_a_wrong_line_is_named() {
        let chain = "ab".repeat(32);
        let log = "0199aaaa-0000-7000-8000-000000000001";
        let text = format!(
            "muster/{log}\nuser-events-0 12 {chain}\nuser-events-1 0 {chain}\ngroup-events-0 3 {chain}\n"
        );
        let checkpoint: LogCheckpoint = text.parse().unwrap();
        assert_eq!((checkpoint.to_string(), checkpoint.heads.len()), (text.clone(), 3));
        for (from, to, line) in [
            ("muster/", "other/", 1),
            ("user-events-0 12", "user-events-2 12", 3),
            ("user-events-1 0", "access-1 0", 3),
            ("user-events-1 0", "user-events-1 -1", 3),
            ("group-events-0 3 ab", "group-events-0 3 xx", 4),
            ("group-events-0 3", "group-events-0  3", 4),
        ] {
            assert_eq!(text.replace(from, to).parse::<LogCheckpoint>(), Err(NotACheckpoint(line)), "{to}");
        }
        assert_eq!(format!("muster/{log}\n").parse::<LogCheckpoint>(), Err(NotACheckpoint(2)));
    }
}
