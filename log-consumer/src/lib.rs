//! The consumer of the log: reads records, folds them into a [`Sink`] together with its checkpoints, and goes on as the
//! log grows. Terms are defined in `docs/glossary.md`.
//!
//! Everything in Muster that follows the log stands on this crate: the projection fills the views
//! (`docs/adr/0007-disposable-views.md`), owners keep what they know of groups, `muster log` reads to the end.
//!
//! # Guarantees
//!
//! - **Order.** Records of one stream partition are folded in their order, without gaps. Between stream partitions there
//!   is no order.
//! - **All or nothing.** A batch is applied together with the checkpoints it moves, and only if each of them stands where
//!   the batch begins. Several processes may therefore consume into one sink: what one has applied, the others pass over.
//!   Whatever fails, the consumer reads the checkpoints again and goes on from there.
//! - **Nothing is skipped.** A record that can't be read, folded or applied halts its stream partition. The records before
//!   it are applied, nothing behind it is. Other stream partitions go on. When the halt is taken back, the consumer tries the
//!   record again. Only a record that an operator has skipped is passed over; a consumer that is halted there goes on by
//!   itself (`docs/adr/0014-skipping-a-record.md`).
//! - **Outages are waited out.** When the log or the sink can't be reached, the consumer says so once, tries again with
//!   growing pauses, and says when it is over.
//! - **The end is confirmed.** About once a second the sink hears at which stream partitions the consumer stands at the
//!   end; the first time at once. While the log can't be reached, it hears that instead.
//! - **A foreign log is noticed.** A checkpoint keeps the digest of the last record before it. Reading begins at that
//!   record. If the log has another one there, has none, or ends before the checkpoint, it is not the log that the sink
//!   was filled from, or it was cut and has grown again. That stream partition halts, because later records would not
//!   follow from what the sink holds. A halt that is taken back is compared again, and so is a log that was away. In a
//!   stream that is compacted or has a retention, the record may be gone; only another one in its place halts it.
//!
//! A consumer doesn't keep its log open: it ends when the log is dropped.
//!
//! # Example
//!
//! A sink that counts records. A sink in memory keeps its checkpoints in [`MemoryCheckpoints`]; one in a database moves
//! them in the transaction that writes the rows.
//!
//! ```
//! use std::sync::Arc;
//!
//! use event_log::{EventLog, Record, Recorded, sqlite::SqliteLog};
//! use log_consumer::{
//!     ApplyError, Checkpoint, Consumer, ConsumerConfig, Halt, MemoryCheckpoints, Move, Sink, SinkUnavailable,
//! };
//! use log_model::{Stream, StreamPartition};
//! use tokio::sync::watch;
//!
//! struct Counter {
//!     checkpoints: MemoryCheckpoints,
//!     count: watch::Sender<u64>,
//! }
//!
//! impl Sink for Counter {
//!     type Entry = ();
//!     type Batch = u64;
//!
//!     async fn checkpoints(&mut self, places: &[StreamPartition]) -> Result<Vec<Checkpoint>, SinkUnavailable> {
//!         Ok(self.checkpoints.of(places))
//!     }
//!
//!     fn read(&self, _recorded: &Recorded) -> Result<(), String> {
//!         Ok(())
//!     }
//!
//!     fn fold(&self, batch: &mut u64, _entry: (), _recorded: &Recorded) -> Result<(), String> {
//!         *batch += 1;
//!         Ok(())
//!     }
//!
//!     async fn apply(&mut self, batch: u64, moves: Vec<Move>) -> Result<(), ApplyError> {
//!         self.checkpoints.advance(&moves)?;
//!         self.count.send_modify(|count| *count += batch);
//!         Ok(())
//!     }
//!
//!     async fn halt(&mut self, halt: &Halt) -> Result<(), SinkUnavailable> {
//!         self.checkpoints.halt(halt);
//!         Ok(())
//!     }
//!
//!     async fn resume(&mut self, place: StreamPartition) -> Result<(), SinkUnavailable> {
//!         self.checkpoints.resume(place);
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let directory = tempfile::tempdir()?;
//! let log: Arc<dyn EventLog> = SqliteLog::open(directory.path()).await?;
//! let record = Record::keyed("alice".to_owned(), Some(b"{}".to_vec()));
//! log.append_access(vec![record.clone(), record]).await?;
//!
//! let (count, mut counted) = watch::channel(0);
//! let sink = Counter { checkpoints: MemoryCheckpoints::default(), count };
//! let access = StreamPartition::new(Stream::Access, 0);
//! let consumer = Consumer::new(&log, [access], sink, ConsumerConfig::new("counter", "the counts"));
//! let consuming = tokio::spawn(consumer.run());
//!
//! counted.wait_for(|count| *count == 2).await?;
//! consuming.abort();
//! # Ok(())
//! # }
//! ```

mod batch;
mod clock;
mod config;
mod consumed;
mod consumer;
mod lag;
mod memory;
mod metrics;
mod outage;
mod scan;
mod sink;
mod standing;

pub use config::ConsumerConfig;
pub use consumed::Consumed;
pub use consumer::Consumer;
pub use memory::MemoryCheckpoints;
pub use scan::{Scan, ScanError};
pub use sink::{ApplyError, Checkpoint, Halt, Move, Sink, SinkUnavailable};
