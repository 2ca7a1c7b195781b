//! Following the file: to its end, and on as it grows.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use log_model::StreamPartition;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::reader::{BATCH, Reader};
use super::store::Ends;
use crate::follow::{Follow, Read};

/// Batches that may wait for the follower.
const WAITING: usize = 4;
/// How often an end is repeated while nothing is written.
const REPEAT: Duration = Duration::from_millis(800);
/// How often a reader looks when the writer is in another process.
const POLL: Duration = Duration::from_millis(200);

/// How a reader learns that the log has grown.
#[derive(Clone)]
pub(super) enum GrowthSignal {
    /// The writer is in this process and publishes the ends.
    Watched(watch::Receiver<Ends>),
    /// The writer, if there is one, is in another process.
    Polled,
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
