//! A log, and a projection that runs for as long as a test wants.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use event_log::sqlite::SqliteLog;
use event_log::testing::LogOverrides;
use event_log::{EventLog, Follow, Read, Writer, every_record};
use log_model::{Position, StreamPartition};
use projection_service::{ProjectionConfig, ProjectionService, Status};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::stage::Views;
use crate::story::Story;

/// How long a test waits for an expected change.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

/// A log and its one writer.
pub(crate) struct Log {
    pub(crate) log: Arc<SqliteLog>,
    writer: Option<Box<dyn Writer>>,
}

impl Log {
    pub(crate) async fn open(directory: &Path) -> Self {
        let log = SqliteLog::open(&directory.join("log")).await.unwrap();
        let claimed = Arc::clone(&log);
        let claim = move || claimed.claim(0, &mut every_record(|_| Ok(()))).unwrap();
        let writer = tokio::task::spawn_blocking(claim).await.unwrap();
        Self { log, writer: Some(writer) }
    }

    /// Writes what the story has told since the last call.
    pub(crate) async fn write(&mut self, story: &mut Story) -> Position {
        let (mut writer, batch) = (self.writer.take().unwrap(), story.batch());
        let notes = std::mem::take(&mut story.notes);
        if !notes.is_empty() {
            self.log.append_access(notes).await.unwrap();
        }
        let (writer, position) = tokio::task::spawn_blocking(move || {
            let position = writer.append(batch).unwrap();
            (writer, position)
        })
        .await
        .unwrap();
        self.writer = Some(writer);
        position
    }

    /// Everything that is in the log.
    pub(crate) async fn end(&self) -> Position {
        end_of(&*self.log).await
    }

    pub(crate) fn follow(&self) -> Arc<dyn EventLog> {
        Arc::clone(&self.log) as Arc<dyn EventLog>
    }
}

async fn end_of(log: &dyn EventLog) -> Position {
    let mut position = Position::new();
    for (place, next) in log.ends().await.unwrap() {
        if let Some(last) = next.checked_sub(1) {
            position.cover(place, last);
        }
    }
    position
}

/// A running projection.
pub(crate) struct Running {
    pub(crate) status: Status,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(log: Arc<dyn EventLog>, views: &Views, batch: u32) -> Self {
        let config = ProjectionConfig { projection_batch: batch };
        let service = ProjectionService::build(&config, log, Arc::clone(views.writer()));
        let (stop, stopped) = oneshot::channel();
        let status = service.status();
        let task = tokio::spawn(service.run_until_stopped(async {
            let _ = stopped.await;
        }));
        Self { status, stop, task }
    }

    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }
}

/// Projects everything that is in the log, then stops.
pub(crate) async fn project(log: Arc<dyn EventLog>, views: &Views, batch: u32) {
    let end = end_of(&*log).await;
    let running = Running::start(log, views, batch);
    views.progress().wait(&end, deadline()).await.unwrap();
    running.stop().await;
}

/// Waits until the condition holds. It is checked whenever the checkpoints change.
pub(crate) async fn until(views: &Views, mut condition: impl FnMut() -> bool) {
    let end = deadline();
    while !condition() {
        assert!(Instant::now() < end, "the condition did not come true in time");
        let _ = tokio::time::timeout(Duration::from_millis(100), views.progress().changed()).await;
    }
}

/// The same log, whose records come in pieces of the given sizes.
pub(crate) struct InPieces {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) first: usize,
    pub(crate) then: usize,
}

impl LogOverrides for InPieces {
    fn inner(&self) -> &dyn EventLog {
        &*self.log
    }

    fn follow(&self, from: Vec<(StreamPartition, u64)>) -> Follow {
        let (sender, pieces) = Follow::channel(1);
        let mut whole = self.log.follow(from);
        let (mut size, then) = (self.first, self.then);
        tokio::spawn(async move {
            while let Some(read) = whole.next().await {
                let Read::Records(place, mut records) = read else {
                    if sender.send(read).await.is_err() {
                        return;
                    }
                    continue;
                };
                while !records.is_empty() {
                    let rest = records.split_off(records.len().min(size));
                    size = then;
                    if sender.send(Read::Records(place, records)).await.is_err() {
                        return;
                    }
                    records = rest;
                }
            }
        });
        pieces
    }
}
