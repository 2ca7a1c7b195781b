//! The feeds of one process: opens readers, and keeps the tail that they share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use domain::timestamp::Timestamp;
use event_log::EventLog;
use log_model::StreamPartition;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::error::FeedError;
use crate::kind::FeedKind;
use crate::locate;
use crate::position::FeedPosition;
use crate::reader::FeedReader;
use crate::selection::{Selection, StartAt};
use crate::tail::FeedTail;

/// How long a reader waits for the tail to start.
const START: Duration = Duration::from_secs(5);
/// How long finding an instant may take.
const LOCATE: Duration = Duration::from_secs(20);
/// Most readers who read the log for themselves at the same time. Each holds a reader of the log with its buffers: up to
/// 16 MiB on SQLite, and on Kafka what its client fetches ahead, up to 80 MiB.
const BEHIND: usize = 4;

/// The feeds of one process. Clones share one tail, which begins with the first reader.
#[derive(Clone)]
pub struct Feeds {
    inner: Arc<Inner>,
}

struct Inner {
    /// Weak: feeds end with their log instead of keeping it open.
    log: Weak<dyn EventLog>,
    partitions: u32,
    tail: Arc<FeedTail>,
    tailing: Mutex<Option<JoinHandle<()>>>,
    behind: Arc<Semaphore>,
}

impl Feeds {
    /// The feeds of a log. Nothing is read before the first reader opens.
    pub fn new(log: &Arc<dyn EventLog>) -> Self {
        let inner = Inner {
            log: Arc::downgrade(log),
            partitions: log.partitions(),
            tail: Arc::new(FeedTail::new()),
            tailing: Mutex::new(None),
            behind: Arc::new(Semaphore::new(BEHIND)),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Opens a reader.
    ///
    /// # Errors
    ///
    /// The position does not fit, or the log can't be read now.
    pub async fn open(
        &self,
        kind: FeedKind,
        start: StartAt,
        selection: Selection,
    ) -> Result<FeedReader, FeedError> {
        self.start_tail();
        let ring = self.inner.tail.ring(kind);
        ring.opened(START).await?;
        let beginning = ring.look(|ring, _| ring.seen().log())?;
        let beginning = FeedPosition::start(beginning, kind, self.inner.partitions);
        let position = match start {
            StartAt::Now => return self.reader(kind, None, selection),
            StartAt::Beginning => beginning,
            StartAt::After(position) => self.checked(position, &beginning).await?,
            StartAt::Time(from) => self.located(from, &beginning).await?,
        };
        self.reader(kind, Some(position), selection)
    }

    /// Where the feed ends now: for each partition the lowest offset that its next record can have.
    pub async fn end(&self, kind: FeedKind) -> Result<Vec<u64>, FeedError> {
        let ends = self.ends(kind).await?;
        Ok(ends.into_values().collect())
    }

    fn reader(
        &self,
        kind: FeedKind,
        position: Option<FeedPosition>,
        selection: Selection,
    ) -> Result<FeedReader, FeedError> {
        let Inner { log, tail, behind, .. } = &*self.inner;
        FeedReader::open(log.clone(), Arc::clone(tail), Arc::clone(behind), kind, position, selection)
    }

    /// A position that was given from outside, if it is of this log and this feed, and not beyond its end.
    async fn checked(
        &self,
        position: FeedPosition,
        beginning: &FeedPosition,
    ) -> Result<FeedPosition, FeedError> {
        if position.log() != beginning.log() {
            return Err(FeedError::Gone);
        }
        if position.kind() != beginning.kind() {
            return Err(FeedError::OtherFeed);
        }
        if position.next().len() != beginning.next().len() {
            return Err(FeedError::Gone);
        }
        let is_seen =
            self.inner.tail.ring(position.kind()).look(|ring, _| ring.seen().covers(position.next()))?;
        if !is_seen {
            let ends = self.ends(position.kind()).await?;
            if ends.values().zip(position.next()).any(|(end, next)| next > end) {
                return Err(FeedError::Gone);
            }
        }
        Ok(position)
    }

    async fn located(&self, from: Timestamp, beginning: &FeedPosition) -> Result<FeedPosition, FeedError> {
        let kind = beginning.kind();
        let ends: Vec<_> = self.ends(kind).await?.into_iter().collect();
        let log = self.log()?;
        let locating = tokio::time::timeout(LOCATE, locate::first_at(&*log, kind, &ends, from));
        let first = locating.await.map_err(|_| unavailable("the instant was not found in time"))??;
        Ok(FeedPosition::at(beginning.log(), kind, first.into_values().collect()))
    }

    async fn ends(&self, kind: FeedKind) -> Result<BTreeMap<StreamPartition, u64>, FeedError> {
        let ends = self.log()?.ends().await?;
        Ok(ends.into_iter().filter(|(place, _)| place.stream == kind.stream()).collect())
    }

    /// The log.
    ///
    /// # Errors
    ///
    /// It was closed.
    pub fn log(&self) -> Result<Arc<dyn EventLog>, FeedError> {
        self.inner.log.upgrade().ok_or_else(|| unavailable("it was closed"))
    }

    fn start_tail(&self) {
        let mut tailing = self.inner.tailing.lock().expect("nothing panics while it holds the lock");
        if tailing.is_none() {
            let (tail, log) = (Arc::clone(&self.inner.tail), self.inner.log.clone());
            *tailing = Some(tokio::spawn(tail.run(log)));
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Ok(Some(tailing)) = self.tailing.get_mut().map(Option::take) {
            tailing.abort();
        }
    }
}

fn unavailable(reason: &str) -> FeedError {
    FeedError::Unavailable(reason.to_owned())
}
