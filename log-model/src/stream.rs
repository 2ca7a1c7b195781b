//! The streams of the log and their partitions.

use std::fmt;

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
