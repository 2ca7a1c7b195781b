//! A log for tests: announces owners, keeps access records, and can be out of reach.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use event_log::{
    ClaimError, EventLog, Follow, Membership, Owner, Owners, Record, Replay, Unavailable, Writer,
};
use log_model::StreamPartition;
use tokio::sync::{Notify, watch};

pub(crate) struct QuietLog {
    pub(crate) owners: watch::Sender<Owners>,
    pub(crate) away: AtomicBool,
    pub(crate) written: Mutex<Vec<Record>>,
    /// Notified after every attempt to append access records.
    pub(crate) attempted: Notify,
}

impl QuietLog {
    pub(crate) fn new() -> Self {
        let owners = watch::Sender::new(Owners::new());
        Self { owners, away: AtomicBool::new(false), written: Mutex::default(), attempted: Notify::new() }
    }

    pub(crate) fn announce(&self, partition: u32, url: String, epoch: u64) {
        self.owners.send_modify(|owners| {
            owners.insert(partition, Owner { url, epoch });
        });
    }
}

#[async_trait]
impl EventLog for QuietLog {
    fn partitions(&self) -> u32 {
        1
    }

    fn claim(&self, _: u32, _: &mut dyn Replay) -> Result<Box<dyn Writer>, ClaimError> {
        Err(ClaimError::Unavailable("nobody writes here".to_owned()))
    }

    fn join(&self) -> Membership {
        Membership::channel().1
    }

    async fn append_access(&self, records: Vec<Record>) -> Result<(), Unavailable> {
        let is_away = self.away.load(Ordering::SeqCst);
        if !is_away {
            self.written.lock().unwrap().extend(records);
        }
        self.attempted.notify_one();
        if is_away { Err(Unavailable("away".to_owned())) } else { Ok(()) }
    }

    fn follow(&self, _: Vec<(StreamPartition, u64)>) -> Follow {
        Follow::channel(1).1
    }

    async fn ends(&self) -> Result<Vec<(StreamPartition, u64)>, Unavailable> {
        Ok(Vec::new())
    }

    fn owners(&self) -> watch::Receiver<Owners> {
        self.owners.subscribe()
    }
}
