//! The vocabulary of the event log, for every crate that speaks of it: streams, positions, records, partitions.
//!
//! A leaf: it depends on no other crate of Muster, knows no aggregate and does no I/O. What each term means stands in
//! `docs/glossary.md`.

pub mod partition;
pub mod position;
pub mod record;

pub use partition::RouteKey;
pub use position::{Position, Stream, StreamPartition};
pub use record::{Record, Recorded};
