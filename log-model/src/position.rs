//! Positions: how much of the log a view or a caller has seen.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::stream::{Stream, StreamPartition};

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
