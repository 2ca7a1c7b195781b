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

struct Order {
    writer: Box<dyn Writer>,
    records: Vec<(Stream, Record)>,
    answer: mpsc::Sender<Appended>,
}

impl Appender {
    /// Starts the thread of the owner of a partition. It ends when this is dropped.
    pub(crate) fn start(partition: u32, pulse: Pulse) -> io::Result<Self> {
        let (orders, receiver) = mpsc::channel::<Order>();
        let of_thread = pulse.clone();
        thread::Builder::new().name(format!("append-{partition}")).spawn(move || {
            for Order { writer, records, answer } in receiver {
                // Whoever does not wait any more has ended by a panic, and the log knows what was written.
                let _ = answer.send(append(&of_thread, writer, records));
            }
        })?;
        Ok(Self { pulse, orders })
    }

    /// Appends on the thread.
    pub(crate) fn begin(&self, writer: Box<dyn Writer>, records: Vec<(Stream, Record)>) -> Answered {
        let (answer, answered) = mpsc::channel();
        // To a thread that has ended nothing can be sent, and there is no answer.
        let _ = self.orders.send(Order { writer, records, answer });
        answered
    }

    /// Appends here and now.
    pub(crate) fn append(&self, writer: Box<dyn Writer>, records: Vec<(Stream, Record)>) -> Appended {
        append(&self.pulse, writer, records)
    }
}

/// What changes nothing needs no record, only the certainty that nobody else writes.
fn append(pulse: &Pulse, mut writer: Box<dyn Writer>, records: Vec<(Stream, Record)>) -> Appended {
    let result =
        pulse.during(|| if records.is_empty() { writer.confirm() } else { writer.append(Batch { records }) });
    Appended { writer, result }
}
