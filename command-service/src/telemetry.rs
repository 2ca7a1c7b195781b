//! Units of what is measured.

use std::time::Instant;

/// Whole milliseconds since an instant, for `duration_ms` in log lines.
pub(crate) fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
