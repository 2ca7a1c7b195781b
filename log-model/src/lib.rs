//! The vocabulary of the event log, shared by every crate that speaks of it: streams, stream partitions,
//! positions, records, and the partition of a key.
//!
//! This crate depends on no other crate of Muster, knows no aggregate and does no I/O. `docs/glossary.md`
//! defines each term.

pub mod digest;
pub mod log_id;
pub mod partition;
pub mod position;
pub mod record;
pub mod stream;

pub use digest::{Anchor, RecordDigest};
pub use log_id::LogId;
pub use partition::RouteKey;
pub use position::Position;
pub use record::{Record, Recorded};
pub use stream::{Stream, StreamPartition};
