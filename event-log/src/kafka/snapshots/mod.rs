//! Snapshots on a topic of their own.

mod chunk;
mod restore;
mod store;

pub(super) use self::store::Snapshots;
