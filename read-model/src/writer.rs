//! The writer of the views: checkpoints, halts and batches of row changes.

use domain::timestamp::Timestamp;
use log_model::StreamPartition;

use crate::checkpoint::Halt;
use crate::database::Database;
use crate::error::Error;
use crate::notifications;
use crate::reader::ReadModel;
use crate::schema::OlderViews;
use crate::statement::{WriteStatement, multi_row, sql};
use crate::views_at::ViewsAt;

/// Writes the views. A process that fills them opens one; it can't be cloned, and a [`ReadModel`] can't be turned into
/// one. Several processes may each have one: checkpoints decide whose batch counts.
///
/// ```
/// use std::time::Duration;
///
/// use log_model::{Position, Stream, StreamPartition};
/// use read_model::apply::{Batch, Move};
/// use read_model::{ViewWriter, ViewsAt};
/// use tokio::time::Instant;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let directory = tempfile::tempdir()?;
/// let writer = ViewWriter::open(&ViewsAt::Sqlite { directory: directory.path().to_owned() }).await?;
/// let views = writer.views().clone();
///
/// let place = StreamPartition::new(Stream::UserEvents, 0);
/// writer.begin(&[place]).await?;
/// let batch = Batch { moves: vec![Move { place, from: 0, to: 3, anchor: None }], ..Batch::default() };
/// writer.apply(&batch.into()).await?;
///
/// // A reader waits until the views cover what its caller has seen, and reads then.
/// let seen = Position::at(place, 2);
/// views.progress().wait(&seen, Instant::now() + Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
pub struct ViewWriter {
    pub(crate) views: ReadModel,
}

impl ViewWriter {
    /// Opens the views to fill them. Makes what is missing, also when several processes do so at once, and replaces views of
    /// an older format.
    pub async fn open(at: &ViewsAt) -> Result<Self, Error> {
        Ok(Self { views: ReadModel::open_with(at, OlderViews::Replace).await? })
    }

    /// The views that it writes. Readers that are clones of this one learn of every write at once.
    pub fn views(&self) -> &ReadModel {
        &self.views
    }

    /// Makes the checkpoints of stream partitions that have none yet.
    pub async fn begin(&self, places: &[StreamPartition]) -> Result<(), Error> {
        let head = "INSERT INTO checkpoints (place, next)";
        let row = |place: &StreamPartition| [place.to_string().into(), 0_u64.into()];
        self.change(multi_row(head, places, "ON CONFLICT (place) DO NOTHING", row)).await
    }

    /// The views stood at the end of these stream partitions at this instant.
    pub async fn confirm(&self, places: &[StreamPartition], at: Timestamp) -> Result<(), Error> {
        let mut statement =
            sql("UPDATE checkpoints SET confirmed_at = $1, unreachable_since = NULL WHERE place IN ")
                .bind(at);
        statement.push_list(places.iter().map(StreamPartition::to_string));
        self.change(statement.into()).await
    }

    /// The log can't be reached. An instant recorded earlier stays.
    pub async fn unreachable(&self, places: &[StreamPartition], since: Timestamp) -> Result<(), Error> {
        let text =
            "UPDATE checkpoints SET unreachable_since = COALESCE(unreachable_since, $1) WHERE place IN ";
        let mut statement = sql(text).bind(since);
        statement.push_list(places.iter().map(StreamPartition::to_string));
        self.change(statement.into()).await
    }

    /// Records that nothing of this stream partition is applied from the record at `halt.offset` on.
    pub async fn halt(&self, place: StreamPartition, halt: &Halt) -> Result<(), Error> {
        let text = "UPDATE checkpoints SET halted_offset = $2, halted_reason = $3, halted_at = $4 \
            WHERE place = $1 AND next <= $2";
        let statement = sql(text).bind(place.to_string()).bind(halt.offset).bind(&halt.reason).bind(halt.at);
        self.change(statement.into()).await
    }

    /// Takes a halt back, so that the projection tries the record again. Returns whether there was one.
    pub async fn resume(&self, place: StreamPartition) -> Result<bool, Error> {
        let checkpoints = self.views.checkpoints().await?;
        let halted = checkpoints.into_iter().any(|known| known.place == place && known.halted.is_some());
        let text = "UPDATE checkpoints SET halted_offset = NULL, halted_reason = NULL, halted_at = NULL WHERE place = $1";
        self.change(sql(text).bind(place.to_string()).into()).await?;
        Ok(halted)
    }

    /// Changes checkpoints and tells every process.
    async fn change(&self, change: WriteStatement) -> Result<(), Error> {
        let database = self.views.database.clone();
        let changing = async move {
            let mut work = database.begin().await?;
            work.change(change).await?;
            notifications::tell_to_read(&mut work).await?;
            work.commit().await
        };
        Database::whole(changing).await?;
        self.views.checkpoints().await.map(drop)
    }
}
