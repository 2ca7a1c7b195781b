//! The log in one SQLite file of the data directory: for a single process, without any server.
//!
//! It has one partition. `docs/adr/0003-two-adapters-one-code.md` explains the decision.

mod claim;
mod compaction;
mod compactions;
mod connection;
mod error;
mod files;
mod follower;
mod packed;
mod reader;
mod row;
mod schema;
mod shared;
mod snapshot;
mod store;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::timestamp::Timestamp;
use log_model::record::{Record, TIME};
use log_model::{Stream, StreamPartition};
use time::OffsetDateTime;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};

use self::compactions::Compactions;
pub use self::error::OpenError;
use self::follower::GrowthSignal;
use self::reader::Reader;
use self::shared::{FencedStore, Shared};
use self::store::{Ends, Store};

use crate::error::{ClaimError, Unavailable};
use crate::follow::Follow;
use crate::membership::{Assignment, Handover, Membership};
use crate::owners::Owners;
use crate::port::{EventLog, Writer};
use crate::replay::Replay;
use crate::snapshot::SnapshotPermit;

/// How long access records are kept.
const ACCESS_KEPT: Duration = Duration::from_hours(400 * 24);
const ONE_PARTITION: u32 = 1;

/// The log in one SQLite file.
pub struct SqliteLog {
    file: PathBuf,
    runtime: Handle,
    growth: GrowthSignal,
    /// `None` when the log was opened for reading.
    shared: Option<Arc<Shared>>,
    owners: watch::Receiver<Owners>,
}

impl SqliteLog {
    /// Opens the log of a data directory and creates both if they are missing. Access records older than 400
    /// days are deleted.
    ///
    /// The directory stays locked until the log and its writer are dropped, no snapshot is being written and no stream
    /// is being compacted.
    ///
    /// # Errors
    ///
    /// The directory can't be used or belongs to another process, or the file is damaged or from a newer
    /// Muster.
    ///
    /// # Examples
    ///
    /// ```
    /// use event_log::EventLog;
    /// use event_log::sqlite::{OpenError, SqliteLog};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let directory = tempfile::tempdir()?;
    /// let log = SqliteLog::open(directory.path()).await?;
    /// assert_eq!(log.partitions(), 1);
    /// assert!(matches!(SqliteLog::open(directory.path()).await, Err(OpenError::InUse(_))));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open(data_dir: &Path) -> Result<Arc<Self>, OpenError> {
        Self::open_at(data_dir, OffsetDateTime::now_utc().into()).await
    }

    /// Like [`SqliteLog::open`], with `now` as the present time: it decides which access records are too old.
    pub async fn open_at(data_dir: &Path, now: Timestamp) -> Result<Arc<Self>, OpenError> {
        let lock = files::lock(data_dir)?;
        let file = files::log_file(data_dir);
        let failed = |error| OpenError::File(file.clone(), error);
        if let Err(format) = schema::prepare(&file).await.map_err(failed)? {
            return Err(OpenError::Newer { file, format });
        }
        let mut store = Store::open(file.clone()).await.map_err(failed)?;
        let young = first_young(&file, store.ends(), now - ACCESS_KEPT).await.map_err(failed)?;
        let deleted = store.delete_below(Stream::Access, young).await.map_err(failed)?;
        if deleted > 0 {
            tracing::info!(records = deleted, "deleted access records older than 400 days");
        }
        let compactions = Compactions::read(&file).await.map_err(failed)?;
        let (ends, growth) = watch::channel(store.ends());
        let (owners, seen_owners) = watch::channel(Owners::new());
        let runtime = Handle::current();
        let fenced = Mutex::new(FencedStore { store, epoch: None, compactions });
        let shared = Shared {
            directory: data_dir.to_owned(),
            file: file.clone(),
            runtime: runtime.clone(),
            fenced,
            ends,
            owners,
            snapshots: SnapshotPermit::default(),
            _lock: lock,
        };
        Ok(Arc::new(Self {
            file,
            runtime,
            growth: GrowthSignal::Watched(growth),
            shared: Some(Arc::new(shared)),
            owners: seen_owners,
        }))
    }

    /// Opens the log for reading, even while another process has locked the directory. It can't be claimed,
    /// and takes no access records.
    ///
    /// # Errors
    ///
    /// The directory holds no log, or the file is damaged or from a newer Muster.
    pub async fn open_read_only(data_dir: &Path) -> Result<Arc<Self>, OpenError> {
        let file = files::log_file(data_dir);
        if !file.is_file() {
            return Err(OpenError::Missing(data_dir.to_owned()));
        }
        let failed = |error| OpenError::File(file.clone(), error);
        let mut reader = Reader::open(&file).await.map_err(failed)?;
        if let Err(format) = schema::check(reader.connection()).await.map_err(failed)? {
            return Err(OpenError::Newer { file, format });
        }
        reader.end(Stream::UserEvents).await.map_err(failed)?;
        let (_, owners) = watch::channel(Owners::new());
        let runtime = Handle::current();
        Ok(Arc::new(Self { file, runtime, growth: GrowthSignal::Polled, shared: None, owners }))
    }

    async fn read_ends(&self) -> Result<Vec<(StreamPartition, u64)>, sqlx::Error> {
        let mut reader = Reader::open(&self.file).await?;
        let mut ends = Vec::new();
        for place in StreamPartition::followed(ONE_PARTITION) {
            ends.push((place, reader.end(place.stream).await?));
        }
        Ok(ends)
    }
}

/// The offset of the first access record that isn't older than `limit`. The newest one counts as young whatever its
/// age, because its offset must not be reused.
async fn first_young(file: &Path, ends: Ends, limit: Timestamp) -> Result<u64, sqlx::Error> {
    let newest = ends[Stream::Access as usize].saturating_sub(1);
    let mut reader = Reader::open(file).await?;
    let mut next = 0;
    while next < newest {
        let records = reader.batch(Stream::Access, next).await?;
        // Records are ordered by time, so the search ends at the first one that is young enough.
        let young = records.iter().find(|recorded| {
            let time = recorded.record.header(TIME).map(Timestamp::parse);
            matches!(time, Some(Ok(time)) if time >= limit)
        });
        match (young, records.last()) {
            (Some(young), _) => return Ok(young.offset.min(newest)),
            (None, Some(last)) => next = last.next_offset(),
            (None, None) => break,
        }
    }
    Ok(newest)
}

#[async_trait]
impl EventLog for SqliteLog {
    fn partitions(&self) -> u32 {
        ONE_PARTITION
    }

    fn claim(&self, partition: u32, replay: &mut dyn Replay) -> Result<Box<dyn Writer>, ClaimError> {
        if partition >= ONE_PARTITION {
            return Err(ClaimError::Unavailable(format!("there is no partition {partition} in one file")));
        }
        match &self.shared {
            Some(shared) => Ok(Box::new(claim::claim(shared, replay)?)),
            None => Err(ClaimError::Unavailable("the log was opened for reading".to_owned())),
        }
    }

    fn join(&self) -> Membership {
        let (mut member, membership) = Membership::channel();
        self.runtime.spawn(async move {
            // The lock on the directory keeps other processes out, so the only member owns everything until
            // it leaves.
            member.assignments.send(Assignment::Given(vec![0])).await.ok();
            member.leaving().await;
            member.assignments.send(Assignment::Taken(vec![0], Handover::new().0)).await.ok();
        });
        membership
    }

    async fn append_access(&self, records: Vec<Record>) -> Result<(), Unavailable> {
        match &self.shared {
            Some(shared) => Arc::clone(shared).append_access(records).await,
            None => Err(Unavailable("the log was opened for reading".to_owned())),
        }
    }

    fn follow(&self, from: Vec<(StreamPartition, u64)>) -> Follow {
        follower::follow(&self.runtime, self.file.clone(), self.growth.clone(), from)
    }

    async fn ends(&self) -> Result<Vec<(StreamPartition, u64)>, Unavailable> {
        self.read_ends().await.map_err(|error| Unavailable(error.to_string()))
    }

    fn owners(&self) -> watch::Receiver<Owners> {
        self.owners.clone()
    }
}
