//! What the embedded log, its writers and its compaction share.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use log_model::record::Record;
use log_model::{Position, Stream};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};

use super::compactions::Compactions;
use super::store::{Ends, Store, WriteError};
use crate::error::Unavailable;
use crate::owners::Owners;
use crate::snapshot::SnapshotPermit;

/// What the log and its writers share. The directory stays locked until the last of them is dropped.
pub(super) struct Shared {
    pub(super) directory: PathBuf,
    pub(super) file: PathBuf,
    pub(super) runtime: Handle,
    pub(super) fenced: Mutex<FencedStore>,
    pub(super) ends: watch::Sender<Ends>,
    pub(super) owners: watch::Sender<Owners>,
    pub(super) snapshots: SnapshotPermit,
    pub(super) _lock: File,
}

/// The store, and the epoch that may write events to it.
pub(super) struct FencedStore {
    pub(super) store: Store,
    /// The offset of the newest claim record in user-events. A writer with another epoch is fenced.
    pub(super) epoch: Option<u64>,
    pub(super) compactions: Compactions,
}

impl Shared {
    /// Writes in a task of its own, so that a dropped caller leaves no transaction open.
    pub(super) async fn append_access(self: Arc<Self>, records: Vec<Record>) -> Result<(), Unavailable> {
        let runtime = self.runtime.clone();
        let writing = runtime.spawn(async move {
            let records: Vec<_> = records.into_iter().map(|record| (Stream::Access, record)).collect();
            let mut fenced = self.fenced.lock().await;
            self.write(&mut fenced, &records).await.map_err(|failed| Unavailable(failed.source.to_string()))
        });
        writing.await.map_err(|stopped| Unavailable(stopped.to_string()))?.map(drop)
    }

    pub(super) async fn write(
        &self,
        fenced: &mut FencedStore,
        records: &[(Stream, Record)],
    ) -> Result<Position, WriteError> {
        let position = fenced.store.write(records).await?;
        self.ends.send_replace(fenced.store.ends());
        Ok(position)
    }
}
