//! Reading the file in batches: to its end, and on as it grows.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use log_model::record::Recorded;
use log_model::{Stream, StreamPartition};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::row::{Row, recorded, stored, table};
use super::store::{Ends, end};
use crate::follow::{Follow, Read};

/// Records per read. Each read ends with its batch, because an open one keeps SQLite from reusing its
/// write-ahead log.
pub(super) const BATCH: usize = 1_000;
/// Batches that may wait for the follower.
const WAITING: usize = 4;
/// How often an end is repeated while nothing is written.
const REPEAT: Duration = Duration::from_millis(800);
/// How often a reader looks when the writer is in another process.
const POLL: Duration = Duration::from_millis(200);

/// A read-only connection.
pub(super) struct Reader {
    connection: SqliteConnection,
}

/// How a reader learns that the log has grown.
#[derive(Clone)]
pub(super) enum GrowthSignal {
    /// The writer is in this process and publishes the ends.
    Watched(watch::Receiver<Ends>),
    /// The writer, if there is one, is in another process.
    Polled,
}

impl Reader {
    pub(super) async fn open(file: &Path) -> Result<Self, sqlx::Error> {
        let connection = SqliteConnectOptions::new()
            .filename(file)
            .read_only(true)
            // With the default, the connection's thread waits after every 50 rows until they are taken.
            .row_buffer_size(BATCH)
            .disable_statement_logging()
            .connect()
            .await?;
        Ok(Self { connection })
    }

    /// Up to [`BATCH`] records of a stream, starting at an offset.
    pub(super) async fn batch(&mut self, stream: Stream, from: u64) -> Result<Vec<Recorded>, sqlx::Error> {
        let rows = self.rows(stream, from).await?;
        Ok(rows.iter().map(|row| recorded(stream, row)).collect())
    }

    /// Up to [`BATCH`] rows of a stream, starting at an offset.
    pub(super) async fn rows(&mut self, stream: Stream, from: u64) -> Result<Vec<Row>, sqlx::Error> {
        let sql = format!(
            "SELECT offset, key, headers, body FROM {} WHERE offset >= $1 ORDER BY offset LIMIT {BATCH}",
            table(stream)
        );
        sqlx::query_as(AssertSqlSafe(sql)).bind(stored(from)).fetch_all(&mut self.connection).await
    }

    /// The offset that the next record of a stream gets.
    pub(super) async fn end(&mut self, stream: Stream) -> Result<u64, sqlx::Error> {
        end(&mut self.connection, stream).await
    }
}

/// Follows stream partitions until the receiver is dropped or the log is closed.
pub(super) fn follow(
    runtime: &Handle,
    file: PathBuf,
    growth: GrowthSignal,
    from: Vec<(StreamPartition, u64)>,
) -> Follow {
    let (sender, follow) = Follow::channel(WAITING);
    runtime.spawn(async move {
        let follower = Follower { file, growth, places: from, sender: sender.clone() };
        tokio::select! {
            () = sender.closed() => {}
            () = follower.run() => {}
        }
    });
    follow
}

/// The log was closed, or the follower was dropped.
struct FollowEnded;

struct Follower {
    file: PathBuf,
    growth: GrowthSignal,
    places: Vec<(StreamPartition, u64)>,
    sender: mpsc::Sender<Read>,
}

impl Follower {
    async fn run(mut self) {
        loop {
            let error = match Reader::open(&self.file).await {
                Ok(mut reader) => match self.read(&mut reader).await {
                    Ok(FollowEnded) => return,
                    Err(error) => error,
                },
                Err(error) => error,
            };
            if self.send(Read::Unreachable(error.to_string())).await.is_err() || self.wait().await.is_err() {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn read(&mut self, reader: &mut Reader) -> Result<FollowEnded, sqlx::Error> {
        let mut all_asked = None;
        loop {
            let everything = all_asked.is_none_or(|at: Instant| at.elapsed() >= REPEAT);
            if everything {
                all_asked = Some(Instant::now());
            }
            let known = self.growth.latest_ends();
            for at in 0..self.places.len() {
                let (place, next) = self.places[at];
                let grown = known.is_none_or(|ends| ends[place.stream as usize] > next);
                if (everything || grown) && self.read_to_end(reader, at, known).await?.is_err() {
                    return Ok(FollowEnded);
                }
            }
            if self.wait().await.is_err() {
                return Ok(FollowEnded);
            }
        }
    }

    async fn read_to_end(
        &mut self,
        reader: &mut Reader,
        at: usize,
        known: Option<Ends>,
    ) -> Result<Result<(), FollowEnded>, sqlx::Error> {
        let (place, mut next) = self.places[at];
        // Taken before reading: the read then finds every record below it.
        let mut end = match known {
            Some(ends) => ends[place.stream as usize],
            None => reader.end(place.stream).await?,
        };
        loop {
            let records = reader.batch(place.stream, next).await?;
            let is_last = records.len() < BATCH;
            if let Some(last) = records.last() {
                next = last.offset + 1;
                end = end.max(next);
                if self.send(Read::Records(place, records)).await.is_err() {
                    return Ok(Err(FollowEnded));
                }
                self.places[at].1 = next;
            }
            if is_last {
                return Ok(self.send(Read::End(place, end)).await);
            }
        }
    }

    async fn send(&self, read: Read) -> Result<(), FollowEnded> {
        self.sender.send(read).await.map_err(|_| FollowEnded)
    }

    /// Waits until the log grows, but no longer than an end may go without being repeated.
    async fn wait(&mut self) -> Result<(), FollowEnded> {
        match &mut self.growth {
            GrowthSignal::Watched(ends) => match tokio::time::timeout(REPEAT, ends.changed()).await {
                Ok(Err(_)) => Err(FollowEnded),
                Ok(Ok(())) | Err(_) => Ok(()),
            },
            GrowthSignal::Polled => {
                tokio::time::sleep(POLL).await;
                Ok(())
            }
        }
    }
}

impl GrowthSignal {
    /// The ends that the writer published last; `None` if it is in another process.
    fn latest_ends(&mut self) -> Option<Ends> {
        match self {
            Self::Watched(ends) => Some(*ends.borrow_and_update()),
            Self::Polled => None,
        }
    }
}
