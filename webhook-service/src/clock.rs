//! The time, read in one place.

use domain::timestamp::Timestamp;
use time::OffsetDateTime;

/// The present instant.
pub(crate) fn now() -> Timestamp {
    OffsetDateTime::now_utc().into()
}
