//! Whether the views are recent enough to judge credentials by.

use std::fmt;
use std::time::Duration;

use log_model::{Stream, StreamPartition};
use read_model::ReadModel;
use read_model::progress::{Health, Progress};

use crate::clock::now;
use crate::config::Config;

/// Decides whether the views are fresh. It holds nothing that must end with the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Freshness {
    progress: Progress,
    partitions: u32,
    /// How old views may be.
    staleness: Duration,
    /// How long they stay good when the log can't be reached.
    grace: Duration,
}

/// The views of a stream partition are not fresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotFresh {
    place: StreamPartition,
    health: Health,
}

impl Freshness {
    /// Of users in this number of partitions.
    pub(crate) fn new(views: &ReadModel, partitions: u32, config: &Config) -> Self {
        let (staleness, grace) = (config.access_staleness, config.access_grace);
        Self { progress: views.progress().clone(), partitions, staleness, grace }
    }

    /// Requires that the views know what happened to the users of a partition until a moment ago.
    pub(crate) fn require(&self, partition: u32) -> Result<(), NotFresh> {
        let now = now();
        for stream in [Stream::UserEvents, Stream::Credentials] {
            let place = StreamPartition::new(stream, partition);
            match self.progress.health(place, now, self.staleness) {
                Health::Confirmed => {}
                Health::Unreachable(since) if since + self.grace > now => {}
                health => return Err(NotFresh { place, health }),
            }
        }
        Ok(())
    }

    /// The same of the users of every partition.
    pub(crate) fn require_all(&self) -> Result<(), NotFresh> {
        (0..self.partitions).try_for_each(|partition| self.require(partition))
    }
}

impl fmt::Display for NotFresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place;
        match &self.health {
            Health::Halted => write!(f, "the views of {place}, which are halted"),
            Health::Unreachable(since) => write!(f, "the log, which can't be reached since {since}"),
            Health::Stale(Some(at)) => write!(f, "the views of {place}, last confirmed at {at}"),
            Health::Stale(None) | Health::Confirmed => write!(f, "the views of {place} to be confirmed"),
        }
    }
}
