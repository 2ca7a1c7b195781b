//! A test double of the log that passes every call on to a real one, except for what a test overrides.
//!
//! A test implements [`LogOverrides`] for a type of its own, with only the methods that must behave differently, and
//! hands `Wrapped(its type)` to the code under test. [`WriterOverrides`] does the same for the writer that a claim
//! returns. [`EmptyLog`] is an inner log for tests that need none.

use std::ops::Deref;
use std::time::Duration;

use async_trait::async_trait;
use log_model::record::Record;
use log_model::{Position, StreamPartition};
use tokio::sync::watch;

use crate::error::{AppendError, ClaimError, Unavailable};
use crate::follow::Follow;
use crate::membership::Membership;
use crate::owners::Owners;
use crate::port::{Batch, EventLog, Writer};
use crate::replay::Replay;
use crate::snapshot::PendingSnapshot;

/// An [`EventLog`] made of [`LogOverrides`], or a [`Writer`] made of [`WriterOverrides`].
///
/// Dereferences to the overrides, so that a test reaches its own fields.
#[derive(Debug)]
pub struct Wrapped<T>(pub T);

impl<T> Deref for Wrapped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// What a test changes about a log. Every method passes its call on unless it is overridden.
///
/// ```
/// use std::sync::Arc;
///
/// use event_log::testing::{EmptyLog, LogOverrides, Wrapped};
/// use event_log::{EventLog, Unavailable};
/// use log_model::StreamPartition;
///
/// /// A log whose ends can't be asked for.
/// struct Unreachable(Arc<dyn EventLog>);
///
/// #[async_trait::async_trait]
/// impl LogOverrides for Unreachable {
///     fn inner(&self) -> &dyn EventLog {
///         &*self.0
///     }
///
///     async fn ends(&self) -> Result<Vec<(StreamPartition, u64)>, Unavailable> {
///         Err(Unavailable("the test says so".to_owned()))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let log: Arc<dyn EventLog> = Arc::new(Wrapped(Unreachable(Arc::new(EmptyLog))));
/// assert!(log.ends().await.is_err());
/// assert_eq!(log.partitions(), 1);
/// # }
/// ```
#[async_trait]
pub trait LogOverrides: Send + Sync + 'static {
    /// The log that calls are passed on to.
    fn inner(&self) -> &dyn EventLog;

    /// See [`EventLog::claim`].
    fn claim(&self, partition: u32, replay: &mut dyn Replay) -> Result<Box<dyn Writer>, ClaimError> {
        self.inner().claim(partition, replay)
    }

    /// See [`EventLog::join`].
    fn join(&self) -> Membership {
        self.inner().join()
    }

    /// See [`EventLog::append_access`].
    async fn append_access(&self, records: Vec<Record>) -> Result<(), Unavailable> {
        self.inner().append_access(records).await
    }

    /// See [`EventLog::follow`].
    fn follow(&self, from: Vec<(StreamPartition, u64)>) -> Follow {
        self.inner().follow(from)
    }

    /// See [`EventLog::ends`].
    async fn ends(&self) -> Result<Vec<(StreamPartition, u64)>, Unavailable> {
        self.inner().ends().await
    }

    /// See [`EventLog::owners`].
    fn owners(&self) -> watch::Receiver<Owners> {
        self.inner().owners()
    }
}

#[async_trait]
impl<T: LogOverrides> EventLog for Wrapped<T> {
    fn partitions(&self) -> u32 {
        self.0.inner().partitions()
    }

    fn claim(&self, partition: u32, replay: &mut dyn Replay) -> Result<Box<dyn Writer>, ClaimError> {
        self.0.claim(partition, replay)
    }

    fn join(&self) -> Membership {
        self.0.join()
    }

    async fn append_access(&self, records: Vec<Record>) -> Result<(), Unavailable> {
        self.0.append_access(records).await
    }

    fn follow(&self, from: Vec<(StreamPartition, u64)>) -> Follow {
        self.0.follow(from)
    }

    async fn ends(&self) -> Result<Vec<(StreamPartition, u64)>, Unavailable> {
        self.0.ends().await
    }

    fn owners(&self) -> watch::Receiver<Owners> {
        self.0.owners()
    }
}

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

/// A log of one partition that holds nothing, can't be claimed and forgets what is appended.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmptyLog;

#[async_trait]
impl EventLog for EmptyLog {
    fn partitions(&self) -> u32 {
        1
    }

    fn claim(&self, _: u32, _: &mut dyn Replay) -> Result<Box<dyn Writer>, ClaimError> {
        Err(ClaimError::Unavailable("nobody writes here".to_owned()))
    }

    fn join(&self) -> Membership {
        Membership::channel().1
    }

    async fn append_access(&self, _: Vec<Record>) -> Result<(), Unavailable> {
        Ok(())
    }

    fn follow(&self, _: Vec<(StreamPartition, u64)>) -> Follow {
        Follow::channel(1).1
    }

    async fn ends(&self) -> Result<Vec<(StreamPartition, u64)>, Unavailable> {
        Ok(Vec::new())
    }

    fn owners(&self) -> watch::Receiver<Owners> {
        watch::channel(Owners::new()).1
    }
}
