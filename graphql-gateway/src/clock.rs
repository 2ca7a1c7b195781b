//! The time of day, asked in one place.

use domain::timestamp::Timestamp;
use time::OffsetDateTime;

/// Now.
pub(crate) fn now() -> Timestamp {
    OffsetDateTime::now_utc().into()
}
