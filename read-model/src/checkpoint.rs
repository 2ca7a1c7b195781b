//! Checkpoints: how far the views have seen each stream partition, and since when that is confirmed.

use domain::timestamp::Timestamp;
use log_model::{Anchor, StreamPartition};

use crate::database::Database;
use crate::error::Error;
use crate::row::{Columns, FromColumns, broken};
use crate::statement::sql;

/// How far the views have seen one stream partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The stream partition.
    pub place: StreamPartition,
    /// The offset to read next. Everything before it is in the views.
    pub next: u64,
    /// The last record before it, which shows whether the log is still the same.
    pub anchor: Option<Anchor>,
    /// The greatest time of an audit entry of this stream partition. Later entries are not ordered before it.
    pub latest_at: Option<Timestamp>,
    /// When the projection last stood at the end.
    pub confirmed_at: Option<Timestamp>,
    /// Since when the log can't be reached.
    pub unreachable_since: Option<Timestamp>,
    /// The record that could not be applied. Nothing behind it is in the views.
    pub halted: Option<Halt>,
}

/// A record that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// The offset of the record.
    pub offset: u64,
    /// What is wrong with it.
    pub reason: String,
    /// When that was found.
    pub at: Timestamp,
}

/// Every checkpoint, by stream partition.
pub(crate) async fn read(database: &Database) -> Result<Vec<Checkpoint>, Error> {
    let text = "SELECT place, next, anchor_offset, anchor_digest, latest_at, confirmed_at, unreachable_since, \
        halted_offset, halted_reason, halted_at FROM checkpoints ORDER BY place";
    database.all(sql(text)).await
}

impl FromColumns for Checkpoint {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let halted = match (row.maybe_number("halted_offset")?, row.maybe_time("halted_at")?) {
            (Some(offset), Some(at)) => {
                let reason = row.maybe_text("halted_reason")?.unwrap_or_default();
                Some(Halt { offset, reason, at })
            }
            _ => None,
        };
        let anchor = match (row.maybe_number("anchor_offset")?, row.maybe_text("anchor_digest")?) {
            (Some(offset), Some(digest)) => {
                let digest = digest.parse().map_err(|_| broken("anchor_digest", "is no digest"))?;
                Some(Anchor { offset, digest })
            }
            _ => None,
        };
        Ok(Self {
            place: row.text("place")?.parse().map_err(|_| broken("place", "is no place"))?,
            next: row.number("next")?,
            anchor,
            latest_at: row.maybe_time("latest_at")?,
            confirmed_at: row.maybe_time("confirmed_at")?,
            unreachable_since: row.maybe_time("unreachable_since")?,
            halted,
        })
    }
}
