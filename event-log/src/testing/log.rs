//! A log that passes on every call that a test does not override.

use async_trait::async_trait;
use log_model::StreamPartition;
use log_model::record::Record;
use tokio::sync::watch;

use super::wrapped::Wrapped;
use crate::error::{ClaimError, Unavailable};
use crate::follow::Follow;
use crate::membership::Membership;
use crate::owners::Owners;
use crate::port::{EventLog, Writer};
use crate::replay::Replay;

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

    /// See [`EventLog::partitions`].
    fn partitions(&self) -> u32 {
        self.inner().partitions()
    }

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
        self.0.partitions()
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
