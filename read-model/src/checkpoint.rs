//! Up to where the views have seen the log, place by place, and how sure that is.

use domain::timestamp::Timestamp;
use log_model::{Stream, StreamPartition};

use crate::ReadModel;
use crate::database::Database;
use crate::error::Error;
use crate::only_postgres;
use crate::row::{Columns, FromColumns, broken};
use crate::statement::{Change, multi_row, sql};

/// How far one place has been seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which place.
    pub place: StreamPartition,
    /// The offset to read next: everything before it is in the views.
    pub next: u64,
    /// When the projection last stood at the end of the place.
    pub confirmed_at: Option<Timestamp>,
    /// Since when the log can't be reached.
    pub unreachable_since: Option<Timestamp>,
    /// The record that could not be applied; nothing behind it is in the views.
    pub halted: Option<Halt>,
}

/// A record that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// Its offset.
    pub offset: u64,
    /// What is wrong with it.
    pub reason: String,
    /// When that was found.
    pub at: Timestamp,
}

impl ReadModel {
    /// Every checkpoint, as the database has it now.
    pub async fn checkpoints(&self) -> Result<Vec<Checkpoint>, Error> {
        let checkpoints = read(&self.database).await?;
        self.progress.set(checkpoints.clone());
        Ok(checkpoints)
    }

    /// Makes the checkpoints of places that have none yet.
    pub async fn begin(&self, places: &[StreamPartition]) -> Result<(), Error> {
        let head = "INSERT INTO checkpoints (place, next)";
        let row = |place: &StreamPartition| vec![place.to_string().into(), 0_u64.into()];
        self.change(multi_row(head, places, 2, "ON CONFLICT (place) DO NOTHING", row)).await
    }

    /// The projection stands at the end of these places.
    pub async fn confirm(&self, places: &[StreamPartition], at: Timestamp) -> Result<(), Error> {
        let mut statement =
            sql("UPDATE checkpoints SET confirmed_at = $1, unreachable_since = NULL WHERE place IN ")
                .bind(at);
        statement.push_list(places.iter().map(StreamPartition::to_string));
        self.change(statement.into()).await
    }

    /// The log can't be reached. What was said before about since when stays.
    pub async fn unreachable(&self, places: &[StreamPartition], since: Timestamp) -> Result<(), Error> {
        let text =
            "UPDATE checkpoints SET unreachable_since = COALESCE(unreachable_since, $1) WHERE place IN ";
        let mut statement = sql(text).bind(since);
        statement.push_list(places.iter().map(StreamPartition::to_string));
        self.change(statement.into()).await
    }

    /// Nothing of this place is applied from the record at `halt.offset` on.
    pub async fn halt(&self, place: StreamPartition, halt: &Halt) -> Result<(), Error> {
        let text = "UPDATE checkpoints SET halted_offset = $2, halted_reason = $3, halted_at = $4 \
            WHERE place = $1 AND next <= $2";
        let statement = sql(text).bind(place.to_string()).bind(halt.offset).bind(&halt.reason).bind(halt.at);
        self.change(statement.into()).await
    }

    /// The projection tries the record again at which this place halted. Says whether it was halted.
    pub async fn resume(&self, place: StreamPartition) -> Result<bool, Error> {
        let halted =
            self.checkpoints().await?.into_iter().any(|known| known.place == place && known.halted.is_some());
        let text = "UPDATE checkpoints SET halted_offset = NULL, halted_reason = NULL, halted_at = NULL WHERE place = $1";
        self.change(sql(text).bind(place.to_string()).into()).await?;
        Ok(halted)
    }

    /// Changes checkpoints and tells everybody.
    async fn change(&self, change: Change) -> Result<(), Error> {
        let database = self.database.clone();
        let changing = async move {
            let mut work = database.begin().await?;
            work.change(change).await?;
            only_postgres::notify_all(&mut work).await?;
            work.commit().await
        };
        Database::whole(changing).await?;
        self.checkpoints().await.map(drop)
    }
}

pub(crate) async fn read(database: &Database) -> Result<Vec<Checkpoint>, Error> {
    let text = "SELECT place, next, confirmed_at, unreachable_since, halted_offset, halted_reason, halted_at \
        FROM checkpoints ORDER BY place";
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
        Ok(Self {
            place: place(&row.text("place")?).ok_or_else(|| broken("place", "is no place"))?,
            next: row.number("next")?,
            confirmed_at: row.maybe_time("confirmed_at")?,
            unreachable_since: row.maybe_time("unreachable_since")?,
            halted,
        })
    }
}

fn place(text: &str) -> Option<StreamPartition> {
    let (stream, partition) = text.rsplit_once('-')?;
    Some(StreamPartition::new(Stream::from_name(stream)?, partition.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_from_its_text() {
        for known in StreamPartition::all(12) {
            assert_eq!(place(&known.to_string()), Some(known));
        }
    }
}
