//! Snapshots of owners on a topic of their own.
//!
//! `docs/adr/0013-snapshots-for-the-next-owner.md` explains the decision.

mod chunk;
mod restore;
mod store;

pub(super) use self::store::Snapshots;
