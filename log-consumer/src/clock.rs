//! The time, read in one place.

use time::OffsetDateTime;

/// The present instant.
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
