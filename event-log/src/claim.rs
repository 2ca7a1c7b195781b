//! The record with which this process claims a partition.

use domain::timestamp::Timestamp;
use log_model::record::Record;
use time::OffsetDateTime;
use uuid::Uuid;

/// A claim record made now. It names the process for people who read the log; nothing decides by that.
pub(crate) fn fresh_record() -> Record {
    let now = Timestamp::from(OffsetDateTime::now_utc());
    Record::claim(Uuid::now_v7(), &now.to_string(), &format!("process {}", std::process::id()))
}
