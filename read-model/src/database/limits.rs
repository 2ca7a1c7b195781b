//! Limits that both databases share, and how long a PostgreSQL server may take.

use std::time::Duration;

/// How long a caller waits for a connection, also while the server is away.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Prepared statements that a connection keeps.
pub(super) const STATEMENTS: usize = 400;

/// How long PostgreSQL may work on a statement outside of transactions. It answers then that it gave up.
pub(super) const STATEMENT: Duration = Duration::from_secs(5);
/// How long it may work on a statement of a transaction that writes.
pub(super) const WRITING: Duration = Duration::from_secs(15);
/// How long it may work on a statement that makes tables.
pub(super) const SCHEMA: Duration = Duration::from_mins(30);
/// How long a statement may wait for a lock.
pub(super) const LOCK: Duration = Duration::from_secs(4);
/// How much later than the server the client gives up. An answer is on its way that long at most; without one the
/// connection has fallen silent.
pub(super) const ON_THE_WAY: Duration = Duration::from_secs(1);
