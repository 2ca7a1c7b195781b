//! A writer that passes on every call that a test does not override.

use std::time::Duration;

use log_model::Position;

use super::wrapped::Wrapped;
use crate::error::AppendError;
use crate::port::{Batch, Writer};
use crate::snapshot::PendingSnapshot;

/// What a test changes about a writer. Every method passes its call on unless it is overridden.
pub trait WriterOverrides: Send {
    /// The writer that calls are passed on to.
    fn inner(&self) -> &dyn Writer;

    /// The same writer, to be changed.
    fn inner_mut(&mut self) -> &mut dyn Writer;

    /// See [`Writer::append`].
    fn append(&mut self, batch: Batch) -> Result<Position, AppendError> {
        self.inner_mut().append(batch)
    }

    /// See [`Writer::confirm`].
    fn confirm(&mut self) -> Result<Position, AppendError> {
        self.inner_mut().confirm()
    }

    /// See [`Writer::reclaim`].
    fn reclaim(&mut self) -> Result<Position, AppendError> {
        self.inner_mut().reclaim()
    }
}

impl<T: WriterOverrides> Writer for Wrapped<T> {
    fn append(&mut self, batch: Batch) -> Result<Position, AppendError> {
        self.0.append(batch)
    }

    fn confirm(&mut self) -> Result<Position, AppendError> {
        self.0.confirm()
    }

    fn reclaim(&mut self) -> Result<Position, AppendError> {
        self.0.reclaim()
    }

    fn save_snapshot(&mut self, snapshot: &mut dyn FnMut() -> Vec<Vec<u8>>) -> Option<PendingSnapshot> {
        self.0.inner_mut().save_snapshot(snapshot)
    }

    fn append_delay(&self) -> Duration {
        self.0.inner().append_delay()
    }

    fn pipelining_threshold(&self) -> usize {
        self.0.inner().pipelining_threshold()
    }

    fn epoch(&self) -> u64 {
        self.0.inner().epoch()
    }

    fn announce(&mut self, url: &str) -> Result<(), AppendError> {
        self.0.inner_mut().announce(url)
    }
}
