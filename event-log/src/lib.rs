//! The log as a port: claim a partition, append a batch, read and follow. Two adapters keep it: Kafka and one SQLite file.
//!
//! What an adapter owes its callers is written once, in `tests/conformance`, and run against both.

pub mod chain;
mod claim;
pub mod envelope;
mod error;
mod follow;
pub mod kafka;
mod membership;
mod owners;
mod port;
mod record_buffer;
mod replay;
mod snapshot;
pub mod sqlite;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

pub use error::{AppendError, ClaimError, Unavailable};
pub use follow::{Follow, Read};
pub use log_model::record::{Record, Recorded};
pub use membership::{Assignment, Handover, HandoverDone, LeftMember, MemberHandle, Membership};
pub use owners::{Owner, Owners};
pub use port::{Batch, EventLog, Writer};
pub use replay::{Replay, every_record};
pub use snapshot::PendingSnapshot;
