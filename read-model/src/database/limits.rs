//! Limits that both databases share.

use std::time::Duration;

/// How long a caller waits for a connection, also while the server is away.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Prepared statements that a connection keeps.
pub(super) const STATEMENTS: usize = 400;
