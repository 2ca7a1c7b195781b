//! A log for tests: announces owners, keeps access records, and can be out of reach.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use event_log::testing::{EmptyLog, LogOverrides, Wrapped};
use event_log::{AnnouncedOwner, EventLog, Owners, Record, Unavailable};
use tokio::sync::{Notify, watch};

pub(crate) struct QuietLog {
    pub(crate) owners: watch::Sender<Owners>,
    pub(crate) away: AtomicBool,
    pub(crate) written: Mutex<Vec<Record>>,
    /// Notified after every attempt to append access records.
    pub(crate) attempted: Notify,
}

impl QuietLog {
    pub(crate) fn new() -> Wrapped<Self> {
        let owners = watch::Sender::new(Owners::new());
        Wrapped(Self {
            owners,
            away: AtomicBool::new(false),
            written: Mutex::default(),
            attempted: Notify::new(),
        })
    }

    pub(crate) fn announce(&self, partition: u32, url: String, epoch: u64) {
        self.owners.send_modify(|owners| {
            owners.insert(partition, AnnouncedOwner { url, epoch });
        });
    }
}

#[async_trait]
impl LogOverrides for QuietLog {
    fn inner(&self) -> &dyn EventLog {
        &EmptyLog
    }

    async fn append_access(&self, records: Vec<Record>) -> Result<(), Unavailable> {
        let is_away = self.away.load(Ordering::SeqCst);
        if !is_away {
            self.written.lock().unwrap().extend(records);
        }
        self.attempted.notify_one();
        if is_away { Err(Unavailable("away".to_owned())) } else { Ok(()) }
    }

    fn owners(&self) -> watch::Receiver<Owners> {
        self.owners.subscribe()
    }
}
