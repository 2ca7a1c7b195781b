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
    orders: mpsc::Sender<(Order, mpsc::Sender<Appended>)>,
}

/// What became of a batch.
pub(crate) struct Appended {
    pub(crate) writer: Box<dyn Writer>,
    pub(crate) result: Result<Position, AppendError>,
}

/// Where the answer to a batch comes in. It is closed without one if the thread was ended by a panic.
pub(crate) type Answered = mpsc::Receiver<Appended>;

/// By what it is known that nobody else writes, where a batch writes nothing itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// That the last commit was not long ago: nobody else is given the partition so soon.
    Lease,
    /// A commit.
    Claim,
}

/// What is to be appended.
pub(crate) struct Order {
    pub(crate) writer: Box<dyn Writer>,
    pub(crate) records: Vec<(Stream, Record)>,
    pub(crate) proof: Proof,
}

impl Appender {
    /// Starts the thread of the owner of a partition. It ends when this is dropped.
    pub(crate) fn start(partition: u32, watchdog: CallWatchdog) -> io::Result<Self> {
        let (orders, receiver) = mpsc::channel::<(Order, mpsc::Sender<Appended>)>();
        let of_thread = watchdog.clone();
        thread::Builder::new().name(format!("append-{partition}")).spawn(move || {
            for (order, answer) in receiver {
                // Whoever does not wait any more has ended by a panic, and the log knows what was written.
                let _ = answer.send(order.carry_out(&of_thread));
            }
        })?;
        Ok(Self { watchdog, orders })
    }

    /// Appends on the thread.
    pub(crate) fn begin(&self, order: Order) -> Answered {
        let (answer, answered) = mpsc::channel();
        // To a thread that has ended nothing can be sent, and there is no answer.
        let _ = self.orders.send((order, answer));
        answered
    }

    /// Appends here and now.
    pub(crate) fn append(&self, order: Order) -> Appended {
        order.carry_out(&self.watchdog)
    }
}

impl Order {
    /// What changes nothing needs no record, only the certainty that nobody else writes.
    fn carry_out(self, watchdog: &CallWatchdog) -> Appended {
        let Self { mut writer, records, proof } = self;
        let result = watchdog.during(|| match proof {
            _ if !records.is_empty() => writer.append(Batch { records }),
            Proof::Lease => writer.confirm(),
            Proof::Claim => writer.reclaim(),
        });
        Appended { writer, result }
    }
}
