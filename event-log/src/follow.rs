//! Following the log: what a reader meets as the log grows.

use log_model::StreamPartition;
use log_model::record::Recorded;
use tokio::sync::mpsc;

/// A reader that goes on for ever. Dropping it ends the reading.
pub struct Follow {
    receiver: mpsc::Receiver<Read>,
}

/// What a [`Follow`] meets.
#[derive(Debug)]
pub enum Read {
    /// Records of one place, in order, at least one.
    Records(StreamPartition, Vec<Recorded>),
    /// Everything that is committed in this place was delivered; the next record will have at least this offset.
    /// Said again at least once a second for as long as it is so.
    End(StreamPartition, u64),
    /// The log could not be asked. Reading goes on as soon as it can be.
    Unreachable(String),
}

impl Follow {
    /// A reader and the sender that feeds it. An adapter stops when the sender finds it closed.
    pub fn channel(capacity: usize) -> (mpsc::Sender<Read>, Self) {
        let (sender, receiver) = mpsc::channel(capacity);
        (sender, Self { receiver })
    }

    /// What comes next; `None` when the log was closed.
    pub async fn next(&mut self) -> Option<Read> {
        self.receiver.recv().await
    }

    /// What is there already, without waiting.
    pub fn try_next(&mut self) -> Option<Read> {
        self.receiver.try_recv().ok()
    }

    /// What comes next, for threads that may block.
    pub fn blocking_next(&mut self) -> Option<Read> {
        self.receiver.blocking_recv()
    }
}
