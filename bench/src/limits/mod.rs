//! The limits: what the log's servers can do when nothing is decided, with records of the same size and shape.

mod kafka;
mod postgres;
mod sqlite;

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::sync::{mpsc, oneshot};

pub use kafka::kafka;
pub use postgres::postgres;
pub use sqlite::sqlite;

/// Bytes of a record's key, as both adapters write it.
pub const KEY: usize = 41;
/// Bytes of all header values of an event.
pub const HEADERS: usize = 430;
/// Bytes of all headers of an event as a file keeps them, names included.
const HEADERS_AS_TEXT: usize = 705;
/// Most records of one transaction that come from waiting commands.
const MOST: usize = 512;

/// One record: into which stream, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Whether it is a credential, which has a stream of its own and no headers to speak of.
    pub credential: bool,
    /// Bytes of its body.
    pub body: usize,
}

impl Row {
    const fn headers(self) -> usize {
        if self.credential { 16 } else { HEADERS }
    }

    const fn headers_as_text(self) -> usize {
        if self.credential { 35 } else { HEADERS_AS_TEXT }
    }
}

/// What a registration writes.
pub const REGISTRATION: &[Row] = &[Row { credential: false, body: 170 }];
/// What an approval writes: two events, and the digest of the first password.
pub const APPROVAL: &[Row] = &[
    Row { credential: false, body: 75 },
    Row { credential: false, body: 45 },
    Row { credential: true, body: 150 },
];

/// Rows that wait to be written, and the way back.
struct Job {
    rows: &'static [Row],
    done: oneshot::Sender<()>,
}

/// Writers that commit whatever waits, as an owner does.
#[derive(Clone)]
pub struct Limit {
    lanes: Arc<Vec<mpsc::Sender<Job>>>,
}

impl Limit {
    fn new(lanes: Vec<mpsc::Sender<Job>>) -> Self {
        Self { lanes: Arc::new(lanes) }
    }

    /// Has rows written in one transaction and waits for its commit.
    pub async fn write(self, number: u64, rows: &'static [Row]) -> Result<()> {
        let (done, wait) = oneshot::channel();
        let lane = usize::try_from(number)? % self.lanes.len();
        self.lanes[lane].send(Job { rows, done }).await.context("the writer ended")?;
        wait.await.context("the writer ended")
    }
}

/// The end of a lane where jobs come out.
struct Jobs {
    receiver: mpsc::Receiver<Job>,
    most: usize,
}

impl Jobs {
    /// A lane. Its writer takes up to `most` jobs at once.
    fn lane(most: usize) -> (mpsc::Sender<Job>, Self) {
        let (sender, receiver) = mpsc::channel(4_096);
        (sender, Self { receiver, most })
    }

    /// What waits, at least one; `None` at the end. Blocks.
    fn blocking_waiting(&mut self) -> Option<Vec<Job>> {
        let first = self.receiver.blocking_recv()?;
        Some(self.with_others(first))
    }

    /// What waits, at least one; `None` at the end.
    async fn waiting(&mut self) -> Option<Vec<Job>> {
        let first = self.receiver.recv().await?;
        Some(self.with_others(first))
    }

    fn with_others(&mut self, first: Job) -> Vec<Job> {
        let mut batch = vec![first];
        while batch.len() < self.most
            && let Ok(job) = self.receiver.try_recv()
        {
            batch.push(job);
        }
        batch
    }
}

fn rows(batch: &[Job]) -> impl Iterator<Item = Row> {
    batch.iter().flat_map(|job| job.rows.iter().copied())
}

/// A client that went away needs no answer.
fn answer(batch: Vec<Job>) {
    for job in batch {
        let _ = job.done.send(());
    }
}
