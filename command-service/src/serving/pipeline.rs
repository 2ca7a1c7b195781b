//! Hands batches to the log, one at a time, and takes them back when they land.

use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use event_log::{AppendError, Record, Writer};
use log_model::{Position, Stream};

use super::batch::{InFlightBatch, NextBatch};
use crate::appender::{AppendRequest, Appender, FinishedAppend, OwnershipProof, PendingAppend};

/// Number of times an owner looks for new commands while a batch is in flight, if this append takes as long as the last
/// one. The alternative is that each caller wakes the owner, which costs more.
const POLLS_PER_APPEND: u32 = 4;
const SHORTEST_POLL: Duration = Duration::from_micros(200);
const LONGEST_POLL: Duration = Duration::from_millis(2);
/// A batch in flight for longer than this shows that the log makes no progress.
const STALLED_AFTER: Duration = Duration::from_secs(3);
const WRITER_IS_BACK: &str = "the writer is here while nothing is in flight";

/// The way to the log. Holds the writer, or the one batch in flight that has it.
pub(super) struct Pipeline {
    appender: Appender,
    /// `None` while a batch is in flight, because the writer goes with the batch and comes back with it.
    writer: Option<Box<dyn Writer>>,
    in_flight: Option<(InFlightBatch, PendingAppend)>,
    /// Fewest commands in a batch for which it pays to decide the next batch during the append.
    overlap_from: usize,
    /// From when on the log begins an append at once. An append made earlier would wait; the time is better used to
    /// decide more commands into the batch.
    ready_at: Instant,
    /// How long a wait for the batch in flight lasts before the owner looks for new commands.
    poll_interval: Duration,
}

/// A batch the log is done with.
pub(super) struct LandedBatch {
    pub(super) batch: InFlightBatch,
    /// The position that covers everything the batch wrote, or why it is not known to be written.
    pub(super) result: Result<Position, AppendError>,
}

impl Pipeline {
    pub(super) fn new(appender: Appender, writer: Box<dyn Writer>) -> Self {
        Self {
            appender,
            overlap_from: writer.pipelining_threshold(),
            writer: Some(writer),
            in_flight: None,
            ready_at: Instant::now(),
            poll_interval: SHORTEST_POLL,
        }
    }

    /// The batch in flight.
    pub(super) fn in_flight(&self) -> Option<&InFlightBatch> {
        self.in_flight.as_ref().map(|(batch, _)| batch)
    }

    /// Whether the batch in flight takes suspiciously long.
    pub(super) fn is_stalled(&self) -> bool {
        self.in_flight().is_some_and(|batch| batch.launched.elapsed() >= STALLED_AFTER)
    }

    /// Whether a batch of this many commands is appended on the other thread, so that deciding overlaps with writing.
    pub(super) fn overlaps(&self, commands: usize) -> bool {
        commands >= self.overlap_from
    }

    /// Whether the log would begin an append at once.
    pub(super) fn is_ready(&self) -> bool {
        self.ready_at <= Instant::now()
    }

    /// Blocks until the log would begin an append at once.
    pub(super) fn wait_until_ready(&self) {
        thread::sleep(self.ready_at.saturating_duration_since(Instant::now()));
    }

    /// The writer. Panics while a batch is in flight.
    pub(super) fn writer(&mut self) -> &mut dyn Writer {
        &mut **self.writer.as_mut().expect(WRITER_IS_BACK)
    }

    /// Has a batch appended on the appender's thread. Panics while another one is in flight.
    pub(super) fn launch(&mut self, next: &mut NextBatch, proof: OwnershipProof) {
        let (batch, records) = next.take();
        let request = self.request(records, proof);
        let pending = self.appender.begin(request);
        self.in_flight = Some((batch, pending));
    }

    /// Appends a batch on this thread. Panics while another one is in flight.
    pub(super) fn append(&mut self, next: &mut NextBatch, proof: OwnershipProof) -> LandedBatch {
        let (batch, records) = next.take();
        let request = self.request(records, proof);
        let finished = self.appender.append(request);
        self.landed(batch, Some(finished))
    }

    /// Blocks until the batch in flight lands, or, if `polls`, until it is time to look for new commands. `None` in the
    /// latter case, and if nothing is in flight.
    pub(super) fn wait(&mut self, polls: bool) -> Option<LandedBatch> {
        let (batch, pending) = self.in_flight.take()?;
        let finished = if polls {
            pending.recv_timeout(self.poll_interval)
        } else {
            pending.recv().map_err(RecvTimeoutError::from)
        };
        if let Err(RecvTimeoutError::Timeout) = finished {
            self.in_flight = Some((batch, pending));
            return None;
        }
        self.poll_interval = (batch.launched.elapsed() / POLLS_PER_APPEND).clamp(SHORTEST_POLL, LONGEST_POLL);
        Some(self.landed(batch, finished.ok()))
    }

    fn request(&mut self, records: Vec<(Stream, Record)>, proof: OwnershipProof) -> AppendRequest {
        AppendRequest { writer: self.writer.take().expect(WRITER_IS_BACK), records, proof }
    }

    /// Takes the writer back. `finished` is `None` if the appender's thread has ended by a panic, and the writer with it.
    fn landed(&mut self, batch: InFlightBatch, finished: Option<FinishedAppend>) -> LandedBatch {
        let result = match finished {
            Some(FinishedAppend { writer, result }) => {
                self.ready_at = Instant::now() + writer.append_delay();
                self.writer = Some(writer);
                result
            }
            None => Err(AppendError::Unknown("the thread that appends has ended".to_owned())),
        };
        LandedBatch { batch, result }
    }
}
