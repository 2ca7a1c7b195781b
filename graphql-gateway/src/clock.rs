//! The time of day, read in one place.

use domain::timestamp::Timestamp;
use time::OffsetDateTime;

/// Now.
pub(crate) fn now() -> Timestamp {
    OffsetDateTime::now_utc().into()
}
