//! The thread that hands one batch to the log while the owner decides the next.

use std::io;
use std::sync::mpsc;
use std::thread;

use event_log::{AppendError, Batch, Record, Writer};
use log_model::{Position, Stream};

use crate::call_watchdog::CallWatchdog;

/// Appends what it is given, in order. The writer goes with each batch and comes back with the answer.
pub(crate) struct Appender {
    watchdog: CallWatchdog,
    requests: mpsc::Sender<(AppendRequest, mpsc::Sender<FinishedAppend>)>,
}

/// What became of a batch.
pub(crate) struct FinishedAppend {
    pub(crate) writer: Box<dyn Writer>,
    pub(crate) result: Result<Position, AppendError>,
}

/// Where the answer to a batch comes in. It is closed without one if the thread was ended by a panic.
pub(crate) type PendingAppend = mpsc::Receiver<FinishedAppend>;

/// By what it is known that nobody else writes, where a batch writes nothing itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnershipProof {
    /// That the last commit was not long ago: nobody else is given the partition so soon.
    Lease,
    /// A commit.
    NewClaim,
}

/// What is to be appended.
pub(crate) struct AppendRequest {
    pub(crate) writer: Box<dyn Writer>,
    pub(crate) records: Vec<(Stream, Record)>,
    pub(crate) proof: OwnershipProof,
}

impl Appender {
    /// Starts the thread of the owner of a partition. It ends when this is dropped.
    pub(crate) fn start(partition: u32, watchdog: CallWatchdog) -> io::Result<Self> {
        let (requests, receiver) = mpsc::channel::<(AppendRequest, mpsc::Sender<FinishedAppend>)>();
        let of_thread = watchdog.clone();
        thread::Builder::new().name(format!("append-{partition}")).spawn(move || {
            for (request, answer) in receiver {
                // Whoever does not wait any more has ended by a panic, and the log knows what was written.
                let _ = answer.send(request.execute(&of_thread));
            }
        })?;
        Ok(Self { watchdog, requests })
    }

    /// Appends on the thread.
    pub(crate) fn begin(&self, request: AppendRequest) -> PendingAppend {
        let (answer, answered) = mpsc::channel();
        // To a thread that has ended nothing can be sent, and there is no answer.
        let _ = self.requests.send((request, answer));
        answered
    }

    /// Appends here and now.
    pub(crate) fn append(&self, request: AppendRequest) -> FinishedAppend {
        request.execute(&self.watchdog)
    }
}

impl AppendRequest {
    /// What changes nothing needs no record, only the certainty that nobody else writes.
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
