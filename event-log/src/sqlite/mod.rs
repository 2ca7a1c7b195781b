//! The log in one SQLite file of the data directory: for a single process, without any server.
//!
//! It has one partition. `docs/adr/0003-two-adapters-one-code.md` explains the decision.

mod claim;
mod error;
mod files;
mod follower;
mod reader;
mod row;
mod snapshot;
mod store;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::timestamp::Timestamp;
use log_model::record::Record;
use log_model::{Stream, StreamPartition};
use time::OffsetDateTime;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};

pub use self::error::OpenError;
use self::follower::GrowthSignal;
use self::reader::Reader;
use self::store::Store;
use self::writer::{FencedStore, Shared};
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
    /// The directory stays locked until the log and its writer are dropped and no snapshot is being written.
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
        if let Err(format) = store::prepare(&file).await.map_err(failed)? {
            return Err(OpenError::Newer { file, format });
        }
        let mut store = Store::open(file.clone()).await.map_err(failed)?;
        let deleted = store.delete_access_before(&(now - ACCESS_KEPT).to_string()).await.map_err(failed)?;
        if deleted > 0 {
            tracing::info!(records = deleted, "deleted access records older than 400 days");
        }
        let (ends, growth) = watch::channel(store.ends());
        let (owners, seen_owners) = watch::channel(Owners::new());
        let runtime = Handle::current();
        let fenced = Mutex::new(FencedStore { store, epoch: None });
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
    /// The directory holds no log, or the file is damaged.
    pub async fn open_read_only(data_dir: &Path) -> Result<Arc<Self>, OpenError> {
        let file = files::log_file(data_dir);
        if !file.is_file() {
            return Err(OpenError::Missing(data_dir.to_owned()));
        }
        let mut reader = Reader::open(&file).await.map_err(|error| OpenError::File(file.clone(), error))?;
        reader.end(Stream::UserEvents).await.map_err(|error| OpenError::File(file.clone(), error))?;
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
