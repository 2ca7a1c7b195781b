//! The claim record that this process commits to take over a partition.

use domain::timestamp::Timestamp;
use log_model::record::Record;
use time::OffsetDateTime;
use uuid::Uuid;

/// A claim record with the present time. Its body names the process for people who read the log; no code
/// reads it.
pub(crate) fn fresh() -> Record {
    let now = Timestamp::from(OffsetDateTime::now_utc());
    Record::claim(Uuid::now_v7(), &now.to_string(), &format!("process {}", std::process::id()))
}
