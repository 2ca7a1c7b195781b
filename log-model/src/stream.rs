//! The streams of the log and their partitions.

use std::fmt;
use std::str::FromStr;

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

    /// The number of partitions of the stream, in a log that spreads users over `partitions`.
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

    /// The letter that stands for the stream in the text of a position.
    pub(crate) const fn letter(self) -> char {
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

    /// Every stream partition of a log that spreads users over `partitions`.
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

/// A text that names no partition of a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a partition such as user-events-3")]
pub struct NotAPlace(String);

impl FromStr for StreamPartition {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let read = || {
            let (stream, partition) = text.rsplit_once('-')?;
            // Each place has one text: no sign and no zeros before the number.
            let place = Self::new(Stream::from_name(stream)?, partition.parse().ok()?);
            (place.to_string() == text).then_some(place)
        };
        read().ok_or_else(|| NotAPlace(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_from_its_text() {
        for place in StreamPartition::all(12) {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for wrong in ["", "user-events", "user-events-", "user-events-+1", "user-events-01", "users-1", "-1"]
        {
            assert_eq!(wrong.parse::<StreamPartition>(), Err(NotAPlace(wrong.to_owned())));
        }
    }
}
