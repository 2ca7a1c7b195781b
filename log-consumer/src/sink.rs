//! What a consumer fills: the port between reading the log and keeping what it says.

use std::collections::BTreeMap;
use std::future::{Future, pending, ready};

use event_log::Recorded;
use log_model::{Anchor, StreamPartition};
use time::OffsetDateTime;

/// Something filled from the log, together with its checkpoints.
///
/// A [`Consumer`](crate::Consumer) calls [`read`](Self::read) for each record of a batch, [`load`](Self::load) once,
/// [`fold`](Self::fold) for each record in order, and [`apply`](Self::apply) once. Whatever fails in between, it reads
/// the checkpoints again and folds anew.
pub trait Sink: Send {
    /// What a record says to this sink.
    type Entry: Send + Sync;
    /// What folded records change.
    type Batch: Default + Send;

    /// The checkpoint of each of these stream partitions, also of those that the sink has never seen: they begin at 0.
    fn checkpoints(
        &mut self,
        places: &[StreamPartition],
    ) -> impl Future<Output = Result<Vec<Checkpoint>, SinkUnavailable>> + Send;

    /// Reads a record. An error halts its stream partition at the record.
    fn read(&self, recorded: &Recorded) -> Result<Self::Entry, String>;

    /// The batch to fold these entries into, with whatever the fold has to know of the sink.
    fn load(
        &mut self,
        _entries: &[&Self::Entry],
    ) -> impl Future<Output = Result<Self::Batch, SinkUnavailable>> + Send {
        ready(Ok(Self::Batch::default()))
    }

    /// Folds the next record into the batch. An error leaves the batch as it was and halts the stream partition.
    fn fold(&self, batch: &mut Self::Batch, entry: Self::Entry, recorded: &Recorded) -> Result<(), String>;

    /// Applies the batch and moves the checkpoints: all of it, and only if every checkpoint stands at `from`; else
    /// nothing.
    fn apply(
        &mut self,
        batch: Self::Batch,
        moves: Vec<Move>,
    ) -> impl Future<Output = Result<(), ApplyError>> + Send;

    /// Records that nothing of a stream partition is applied from this record on, until the halt is taken back.
    fn halt(&mut self, halt: &Halt) -> impl Future<Output = Result<(), SinkUnavailable>> + Send;

    /// Takes the halt of a stream partition back: an operator has skipped the record at fault.
    fn resume(&mut self, place: StreamPartition) -> impl Future<Output = Result<(), SinkUnavailable>> + Send;

    /// Returns when one of these halts, each with its offset, may have been taken back. The consumer also looks every
    /// second, so a sink that can't tell needs nothing here.
    fn resumed(&mut self, _halted: &BTreeMap<StreamPartition, u64>) -> impl Future<Output = ()> + Send {
        pending()
    }

    /// The sink stood at the end of these stream partitions at this instant. Repeated about once a second.
    fn confirm(
        &mut self,
        _places: &[StreamPartition],
        _at: OffsetDateTime,
    ) -> impl Future<Output = Result<(), SinkUnavailable>> + Send {
        ready(Ok(()))
    }

    /// The log can't be reached, for these stream partitions. Repeated for as long as it lasts.
    fn log_unreachable(
        &mut self,
        _places: &[StreamPartition],
        _at: OffsetDateTime,
    ) -> impl Future<Output = Result<(), SinkUnavailable>> + Send {
        ready(Ok(()))
    }
}

/// How far a sink is in one stream partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which one.
    pub place: StreamPartition,
    /// The offset to read next: everything before it is applied.
    pub next: u64,
    /// The last applied record, as the sink was given it with the checkpoint. `None` before the first one.
    pub anchor: Option<Anchor>,
    /// The offset at which it is halted.
    pub halted: Option<u64>,
}

/// A checkpoint to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Which one.
    pub place: StreamPartition,
    /// Where it has to stand.
    pub from: u64,
    /// Where it stands afterwards.
    pub to: u64,
    /// The last record before `to`, to be kept with the checkpoint.
    pub anchor: Option<Anchor>,
    /// Whether the end was met since the consumer started. Until then old records are being caught up.
    pub has_met_end: bool,
}

/// A record that can't be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// The stream partition that halts.
    pub place: StreamPartition,
    /// The offset of the record.
    pub offset: u64,
    /// What is wrong with it.
    pub reason: String,
    /// When that was found.
    pub at: OffsetDateTime,
}

/// The sink can't be asked at the moment. A later attempt may succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sink can't be used: {0}")]
pub struct SinkUnavailable(pub String);

/// Why nothing of a batch was applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// A checkpoint does not stand where the batch begins: another process applied it.
    #[error("a checkpoint has been moved by another process")]
    Conflict,
    /// The sink refuses what the batch says. The consumer finds the record at fault and halts there.
    #[error("the sink refuses the batch: {0}")]
    Refused(String),
    /// The sink can't be used. Whether the batch was applied is unknown; the checkpoints tell.
    #[error("the sink can't be used: {0}")]
    Unavailable(String),
}

impl From<SinkUnavailable> for ApplyError {
    fn from(SinkUnavailable(reason): SinkUnavailable) -> Self {
        Self::Unavailable(reason)
    }
}
