//! Which feeds there are, and which records of the log belong to each.

use domain::{group, user};
use log_model::record::{Record, TYPE};
use log_model::{Stream, StreamPartition};

/// A feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedKind {
    /// Events of users.
    Users,
    /// Events of groups.
    Groups,
}

impl FeedKind {
    /// Every feed.
    pub const ALL: [Self; 2] = [Self::Users, Self::Groups];

    /// The name in paths and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
        }
    }

    /// The stream that holds the feed's events.
    pub const fn stream(self) -> Stream {
        match self {
            Self::Users => Stream::UserEvents,
            Self::Groups => Stream::GroupEvents,
        }
    }

    /// The feed of a stream; `None` for streams that no reader outside may see.
    pub const fn of(stream: Stream) -> Option<Self> {
        match stream {
            Stream::UserEvents => Some(Self::Users),
            Stream::GroupEvents => Some(Self::Groups),
            Stream::Credentials | Stream::Access | Stream::Reservations => None,
        }
    }

    /// The number of partitions of the feed, in a log that spreads users over `partitions`.
    pub const fn partitions(self, partitions: u32) -> u32 {
        self.stream().partitions(partitions)
    }

    /// The stream partitions of the feed, in order.
    pub fn places(self, partitions: u32) -> impl Iterator<Item = StreamPartition> {
        (0..self.partitions(partitions)).map(move |partition| StreamPartition::new(self.stream(), partition))
    }

    /// The wire names of the feed's events.
    pub fn wire_names(self) -> &'static [&'static str] {
        match self {
            Self::Users => user::Event::WIRE_NAMES,
            Self::Groups => group::Event::WIRE_NAMES,
        }
    }

    /// How the wire names of the feed's events begin, those of later releases too.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Users => "muster.user.",
            Self::Groups => "muster.group.",
        }
    }

    /// Whether readers of the feed see the record. Claim records and what else a stream holds, such as the deployment's
    /// own record among the group events, are passed over.
    pub fn shows(self, record: &Record) -> bool {
        // A record without a type is shown, so that the reading stops at it instead of skipping it.
        !record.is_claim() && record.header(TYPE).is_none_or(|name| name.starts_with(self.prefix()))
    }
}
