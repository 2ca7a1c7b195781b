//! The event log as a port: claim a partition, append batches to it, and follow what is committed.
//!
//! [`EventLog`] is the port. It has two adapters, [`kafka`] for several processes and [`sqlite`] for a single
//! one (`docs/adr/0003-two-adapters-one-code.md`). The suite in `tests/conformance` states what an adapter
//! owes its callers and runs against both.
//!
//! - One writer per partition: [`EventLog::claim`] fences the writer before
//!   (`docs/adr/0001-one-writer-per-partition.md`).
//! - Claim records and the hash chain: [`chain`] (`docs/adr/0006-hash-chain-and-claim-records.md`).
//! - Sharing partitions among processes: [`Membership`] (`docs/adr/0009-sharing-partitions.md`).
//! - Snapshots, which shorten a takeover: [`Writer::save_snapshot`]
//!   (`docs/adr/0013-snapshots-for-the-next-owner.md`).
//! - Records that nobody can read: [`Skips`] (`docs/adr/0014-skipping-a-record.md`).
//!
//! Every term is defined in `docs/glossary.md`.

pub mod chain;
mod claim_record;
pub mod envelope;
mod error;
mod follow;
pub mod kafka;
mod membership;
mod owners;
mod port;
mod record_buffer;
mod replay;
mod skips;
mod snapshot;
pub mod sqlite;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

pub use error::{AppendError, ClaimError, Unavailable};
pub use follow::{Follow, Read};
pub use log_model::record::{Record, Recorded};
pub use membership::{Assignment, Handover, HandoverDone, LeftMember, MemberHandle, Membership};
pub use owners::{AnnouncedOwner, Owners};
pub use port::{Batch, EventLog, Writer};
pub use replay::{Replay, SnapshotParts, every_record};
pub use skips::{Skip, Skips, deployment_event};
pub use snapshot::PendingSnapshot;
