//! The thread that hands one batch to the log while the owner decides the next.

use std::io;
use std::sync::mpsc;
use std::thread;

use domain::position::{Position, Stream};
use event_log::{AppendError, Batch, Record, Writer};

use crate::pulse::Pulse;

/// Appends what it is given, in order. The writer goes with each batch and comes back with the answer.
pub(crate) struct Appender {
    pulse: Pulse,
    orders: mpsc::Sender<Order>,
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

struct Order {
    writer: Box<dyn Writer>,
    records: Vec<(Stream, Record)>,
    proof: Proof,
    answer: mpsc::Sender<Appended>,
}

impl Appender {
    /// Starts the thread of the owner of a partition. It ends when this is dropped.
    pub(crate) fn start(partition: u32, pulse: Pulse) -> io::Result<Self> {
        let (orders, receiver) = mpsc::channel::<Order>();
        let of_thread = pulse.clone();
        thread::Builder::new().name(format!("append-{partition}")).spawn(move || {
            for Order { writer, records, proof, answer } in receiver {
                // Whoever does not wait any more has ended by a panic, and the log knows what was written.
                let _ = answer.send(append(&of_thread, writer, records, proof));
            }
        })?;
        Ok(Self { pulse, orders })
    }

    /// Appends on the thread.
    pub(crate) fn begin(
        &self,
        writer: Box<dyn Writer>,
        records: Vec<(Stream, Record)>,
        proof: Proof,
    ) -> Answered {
        let (answer, answered) = mpsc::channel();
        // To a thread that has ended nothing can be sent, and there is no answer.
        let _ = self.orders.send(Order { writer, records, proof, answer });
        answered
    }

    /// Appends here and now.
    pub(crate) fn append(
        &self,
        writer: Box<dyn Writer>,
        records: Vec<(Stream, Record)>,
        proof: Proof,
    ) -> Appended {
        append(&self.pulse, writer, records, proof)
    }
}

/// What changes nothing needs no record, only the certainty that nobody else writes.
fn append(
    pulse: &Pulse,
    mut writer: Box<dyn Writer>,
    records: Vec<(Stream, Record)>,
    proof: Proof,
) -> Appended {
    let result = pulse.during(|| match proof {
        _ if !records.is_empty() => writer.append(Batch { records }),
        Proof::Lease => writer.confirm(),
        Proof::Claim => writer.reclaim(),
    });
    Appended { writer, result }
}
