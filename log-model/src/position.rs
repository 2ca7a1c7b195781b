//! Streams, their partitions, and positions: how much of the log a view or a caller has seen.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The streams of the log. With the topic prefix before it, a stream's name is its Kafka topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Events of users. Kept permanently, chained.
    UserEvents,
    /// Events of groups and of the deployment. One partition, kept permanently, chained.
    GroupEvents,
    /// Digests of passwords and tokens. Compacted, restricted:
    /// `docs/adr/0005-secrets-stay-at-the-gateway.md`.
    Credentials,
    /// Sign-ins, failures and denials. Kept for 400 days, not chained.
    Access,
    /// Reservation holders of e-mail addresses, and void reservations. Compacted; only owners read it:
    /// `docs/adr/0011-one-holder-of-an-address.md`.
    Reservations,
}

impl Stream {
    /// Every stream.
    pub const ALL: [Self; 5] =
        [Self::UserEvents, Self::GroupEvents, Self::Credentials, Self::Access, Self::Reservations];

    /// The stream's wire name, part of its topic's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserEvents => "user-events",
            Self::GroupEvents => "group-events",
            Self::Credentials => "credentials",
            Self::Access => "access",
            Self::Reservations => "claims",
        }
    }

    /// The stream with this wire name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.name() == name)
    }

    /// The number of partitions of the stream, in a log whose users are spread over `partitions`.
    pub const fn partitions(self, partitions: u32) -> u32 {
        match self {
            Self::GroupEvents => 1,
            _ => partitions,
        }
    }

    /// Whether its records carry the hash chain.
    pub const fn is_chained(self) -> bool {
        matches!(self, Self::UserEvents | Self::GroupEvents)
    }

    /// Whether only the newest record of a key counts.
    pub const fn is_compacted(self) -> bool {
        matches!(self, Self::Credentials | Self::Reservations)
    }

    /// Whether views and other followers read it.
    pub const fn is_followed(self) -> bool {
        !matches!(self, Self::Reservations)
    }

    const fn letter(self) -> char {
        match self {
            Self::UserEvents => 'u',
            Self::GroupEvents => 'g',
            Self::Credentials => 'c',
            Self::Access => 'a',
            Self::Reservations => 'm',
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One partition of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamPartition {
    /// The stream.
    pub stream: Stream,
    /// The partition, from 0.
    pub partition: u32,
}

impl StreamPartition {
    /// The partition `partition` of `stream`.
    pub const fn new(stream: Stream, partition: u32) -> Self {
        Self { stream, partition }
    }

    /// Every stream partition of a log whose users are spread over `partitions`.
    pub fn all(partitions: u32) -> impl Iterator<Item = Self> {
        Stream::ALL.into_iter().flat_map(move |stream| {
            (0..stream.partitions(partitions)).map(move |partition| Self { stream, partition })
        })
    }

    /// Every stream partition that views and other followers read.
    pub fn followed(partitions: u32) -> impl Iterator<Item = Self> {
        Self::all(partitions).filter(|place| place.stream.is_followed())
    }
}

impl fmt::Display for StreamPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.stream, self.partition)
    }
}

/// A point in the log: for each stream partition, the offset of the last record that it covers.
///
/// The text form is URL-safe base64 and opaque to callers.
///
/// ```
/// use log_model::{Position, Stream, StreamPartition};
///
/// let users = StreamPartition::new(Stream::UserEvents, 3);
/// let mut seen = Position::at(users, 7);
/// seen.cover(users, 9);
/// seen.cover(users, 8);
/// assert_eq!(seen.covered(users), Some(9));
/// assert_eq!(seen.covered(StreamPartition::new(Stream::Access, 3)), None);
///
/// let text = seen.to_string();
/// assert_eq!(text.parse(), Ok(seen));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position(BTreeMap<StreamPartition, u64>);

/// A text that is not a position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a position")]
pub struct NotAPosition;

impl Position {
    /// The position that covers nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The position that covers one stream partition up to and including `offset`.
    pub fn at(place: StreamPartition, offset: u64) -> Self {
        Self(BTreeMap::from([(place, offset)]))
    }

    /// Extends the position to cover `place` up to and including `offset`. It never moves back.
    pub fn cover(&mut self, place: StreamPartition, offset: u64) {
        let covered = self.0.entry(place).or_insert(offset);
        *covered = (*covered).max(offset);
    }

    /// The last offset that is covered in a stream partition; `None` if nothing is.
    pub fn covered(&self, place: StreamPartition) -> Option<u64> {
        self.0.get(&place).copied()
    }

    /// Every covered stream partition, with the last offset covered in it.
    pub fn iter(&self) -> impl Iterator<Item = (StreamPartition, u64)> + '_ {
        self.0.iter().map(|(place, offset)| (*place, *offset))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self
            .iter()
            .map(|(place, offset)| format!("{}{}:{offset}", place.stream.letter(), place.partition))
            .collect();
        f.write_str(&URL_SAFE_NO_PAD.encode(parts.join(",")))
    }
}

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotAPosition)?;
        let text = String::from_utf8(bytes).map_err(|_| NotAPosition)?;
        let part = |part: &str| {
            let stream = Stream::ALL.into_iter().find(|stream| part.starts_with(stream.letter()))?;
            let (partition, offset) = part[1..].split_once(':')?;
            Some((StreamPartition { stream, partition: partition.parse().ok()? }, offset.parse().ok()?))
        };
        text.split(',')
            .filter(|text| !text.is_empty())
            .map(part)
            .collect::<Option<_>>()
            .map(Self)
            .ok_or(NotAPosition)
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_from_its_text() {
        let mut position = Position::at(StreamPartition::new(Stream::UserEvents, 3), 1204);
        position.cover(StreamPartition::new(Stream::Credentials, 3), 88);
        assert_eq!(position.to_string().parse(), Ok(position));
        assert_eq!(Position::new().to_string().parse(), Ok(Position::new()));
    }

    #[test]
    fn a_position_never_moves_back() {
        let place = StreamPartition::new(Stream::UserEvents, 0);
        let mut position = Position::at(place, 7);
        position.cover(place, 3);
        assert_eq!(position.covered(place), Some(7));
    }
}
