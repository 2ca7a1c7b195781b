//! Where a reader of a feed stands, as an opaque text that names the log.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use log_model::LogId;
use uuid::Uuid;

use crate::kind::FeedKind;

/// A point in a feed: for each of its partitions, the offset to go on with. Everything before it was seen.
///
/// The text is URL-safe base64 without padding. It has 24 characters and about 4 to 7 for each partition, so it stays below
/// 2,000 for the 200 partitions that any deployment we know of stays below.
///
/// ```
/// use event_feed::{FeedKind, FeedPosition};
/// use log_model::LogId;
/// use uuid::Uuid;
///
/// let mut position = FeedPosition::start(LogId(Uuid::nil()), FeedKind::Users, 2);
/// position.advance(1, 1_204);
/// position.advance(1, 88);
/// assert_eq!(position.next(), [0, 1_204]);
/// assert_eq!(position.to_string().parse(), Ok(position));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPosition {
    log: LogId,
    kind: FeedKind,
    next: Vec<u64>,
}

/// A text that is not a position of a feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a position of a feed")]
pub struct NotAFeedPosition;

/// The first byte of the text. Another form gets another number.
const FORM: u8 = 1;
/// Most partitions that a position can have: those of the largest log.
const MOST_PARTITIONS: u64 = 1_000;

impl FeedPosition {
    /// The beginning of a feed, in a log that spreads users over `partitions`.
    pub fn start(log: LogId, kind: FeedKind, partitions: u32) -> Self {
        Self { log, kind, next: vec![0; kind.partitions(partitions) as usize] }
    }

    /// The position with these offsets, one for each partition of the feed.
    pub fn at(log: LogId, kind: FeedKind, next: Vec<u64>) -> Self {
        Self { log, kind, next }
    }

    /// The log that the position is of.
    pub fn log(&self) -> LogId {
        self.log
    }

    /// The feed that the position is of.
    pub fn kind(&self) -> FeedKind {
        self.kind
    }

    /// For each partition the offset to go on with.
    pub fn next(&self) -> &[u64] {
        &self.next
    }

    /// Everything of the partition before `next` was seen. It never moves back.
    pub fn advance(&mut self, partition: u32, next: u64) {
        if let Some(known) = self.next.get_mut(partition as usize) {
            *known = (*known).max(next);
        }
    }

    /// Whether everything before the other position was seen.
    pub fn covers(&self, other: &[u64]) -> bool {
        self.next.iter().zip(other).all(|(own, other)| own >= other)
    }
}

impl fmt::Display for FeedPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(20 + 5 * self.next.len());
        bytes.extend([FORM, self.kind.name().as_bytes()[0]]);
        bytes.extend(self.log.0.as_bytes());
        write_number(&mut bytes, self.next.len() as u64);
        for next in &self.next {
            write_number(&mut bytes, *next);
        }
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for FeedPosition {
    type Err = NotAFeedPosition;

    fn from_str(text: &str) -> Result<Self, NotAFeedPosition> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotAFeedPosition)?;
        read(&bytes).ok_or(NotAFeedPosition)
    }
}

fn read(bytes: &[u8]) -> Option<FeedPosition> {
    let (head, mut rest) = bytes.split_at_checked(18)?;
    let kind = FeedKind::ALL.into_iter().find(|kind| kind.name().as_bytes()[0] == head[1]);
    let kind = kind.filter(|_| head[0] == FORM)?;
    let log = LogId(Uuid::from_slice(&head[2..]).ok()?);
    let partitions = read_number(&mut rest).filter(|partitions| *partitions <= MOST_PARTITIONS)?;
    let next = (0..partitions).map(|_| read_number(&mut rest)).collect::<Option<Vec<_>>>()?;
    rest.is_empty().then_some(FeedPosition { log, kind, next })
}

/// Seven bits a byte, the lowest first; all but the last byte have the highest bit set.
fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(next: Vec<u64>) -> FeedPosition {
        FeedPosition::at(LogId(Uuid::from_u128(7)), FeedKind::Users, next)
    }

    #[test]
    fn a_position_reads_back_from_its_text() {
        for next in [vec![], vec![0], vec![127, 128, 16_384], vec![u64::MAX; 8]] {
            assert_eq!(position(next.clone()).to_string().parse(), Ok(position(next)));
        }
        let groups = FeedPosition::start(LogId(Uuid::nil()), FeedKind::Groups, 8);
        assert_eq!((groups.next(), groups.to_string().parse()), (&[0][..], Ok(groups.clone())));
    }

    #[test]
    fn the_text_of_200_partitions_with_a_thousand_million_records_each_stays_below_2_kb() {
        let text = position(vec![1 << 34; 200]).to_string();
        assert!(text.len() < 2_000 && text.bytes().all(|byte| byte.is_ascii_graphic()), "{}", text.len());
    }

    #[test]
    fn what_is_no_position_is_told() {
        let text = position(vec![1, 2, 3]).to_string();
        let longer = URL_SAFE_NO_PAD.encode([URL_SAFE_NO_PAD.decode(&text).unwrap(), vec![0]].concat());
        for wrong in ["", "start", "dTA6MA", "ÄÖ", &text[..text.len() - 2], &longer, &format!("{text}=")] {
            assert_eq!(wrong.parse::<FeedPosition>(), Err(NotAFeedPosition), "{wrong}");
        }
    }

    #[test]
    fn a_position_covers_what_lies_behind_it() {
        assert!(position(vec![2, 3]).covers(&[2, 2]));
        assert!(!position(vec![2, 3]).covers(&[2, 4]));
    }
}
