//! Following the log: the stream of records and ends that a reader receives as the log grows.

use log_model::StreamPartition;
use log_model::record::Recorded;
use tokio::sync::mpsc;

/// A reader of the log that continues as the log grows. Dropping it ends the reading.
pub struct Follow {
    receiver: mpsc::Receiver<Read>,
}

/// What a [`Follow`] delivers.
#[derive(Debug)]
pub enum Read {
    /// Records of one stream partition, in order; at least one.
    Records(StreamPartition, Vec<Recorded>),
    /// Every committed record of this stream partition was delivered. The next one will have at least this
    /// offset.
    ///
    /// Repeated at least once a second while it holds.
    End(StreamPartition, u64),
    /// The log could not be reached, for this reason. Reading continues as soon as it can be.
    Unreachable(String),
}

impl Follow {
    /// A reader, and the sender that feeds it. An adapter stops when the sender finds the channel closed.
    ///
    /// `capacity` is the number of deliveries that may wait for the reader.
    pub fn channel(capacity: usize) -> (mpsc::Sender<Read>, Self) {
        let (sender, receiver) = mpsc::channel(capacity);
        (sender, Self { receiver })
    }

    /// Waits for the next delivery; `None` when the log was closed.
    pub async fn next(&mut self) -> Option<Read> {
        self.receiver.recv().await
    }

    /// The next delivery if one is waiting, without blocking.
    pub fn try_next(&mut self) -> Option<Read> {
        self.receiver.try_recv().ok()
    }

    /// Like [`Follow::next`], for a thread that may block.
    pub fn blocking_next(&mut self) -> Option<Read> {
        self.receiver.blocking_recv()
    }
}
