//! The thread that hands a batch to the log while its owner decides the next one.

use std::io;
use std::sync::mpsc;
use std::thread;

use event_log::{AppendError, Batch, Record, Writer};
use log_model::{Position, Stream};

use crate::call_watchdog::CallWatchdog;

/// Appends batches in order, on its own thread or on the caller's.
pub(crate) struct Appender {
    watchdog: CallWatchdog,
    requests: mpsc::Sender<(AppendRequest, mpsc::Sender<FinishedAppend>)>,
}

/// One batch to append. The writer goes with it and comes back with the result.
pub(crate) struct AppendRequest {
    pub(crate) writer: Box<dyn Writer>,
    pub(crate) records: Vec<(Stream, Record)>,
    pub(crate) proof: OwnershipProof,
}

/// How to make certain that no other process writes, if the batch itself has no records to commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnershipProof {
    /// A recent commit suffices: the partition is not assigned to another process so soon afterwards.
    Lease,
    /// Only a new claim record suffices.
    NewClaim,
}

/// A batch that was handed to the log, and the result.
pub(crate) struct FinishedAppend {
    pub(crate) writer: Box<dyn Writer>,
    /// The position that covers what was written.
    pub(crate) result: Result<Position, AppendError>,
}

/// Receives the result of an append. Closed without one if the thread has ended by a panic.
pub(crate) type PendingAppend = mpsc::Receiver<FinishedAppend>;

impl Appender {
    /// Starts the thread for the owner of a partition. It ends after this is dropped.
    pub(crate) fn start(partition: u32, watchdog: CallWatchdog) -> io::Result<Self> {
        let (requests, receiver) = mpsc::channel::<(AppendRequest, mpsc::Sender<FinishedAppend>)>();
        let of_thread = watchdog.clone();
        thread::Builder::new().name(format!("append-{partition}")).spawn(move || {
            for (request, reply) in receiver {
                // Nobody receives this after the owner has panicked. The log knows what was written.
                let _ = reply.send(request.execute(&of_thread));
            }
        })?;
        Ok(Self { watchdog, requests })
    }

    /// Appends on the thread.
    pub(crate) fn begin(&self, request: AppendRequest) -> PendingAppend {
        let (reply, pending) = mpsc::channel();
        // If the thread has ended, the reply channel is dropped here, and the caller sees that it is closed.
        let _ = self.requests.send((request, reply));
        pending
    }

    /// Appends on the caller's thread.
    pub(crate) fn append(&self, request: AppendRequest) -> FinishedAppend {
        request.execute(&self.watchdog)
    }
}

impl AppendRequest {
    fn execute(self, watchdog: &CallWatchdog) -> FinishedAppend {
        let Self { mut writer, records, proof } = self;
        let result = watchdog.during(|| match proof {
            _ if !records.is_empty() => writer.append(Batch { records }),
            OwnershipProof::Lease => writer.confirm(),
            OwnershipProof::NewClaim => writer.reclaim(),
        });
        FinishedAppend { writer, result }
    }
}
