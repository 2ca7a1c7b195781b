//! How far each webhook is, and which process delivers it: operational state of the webhook service.
//!
//! Every change of a webhook's rows begins with [`hold`]: it fails unless the process still holds the webhook, and keeps
//! others from changing the same webhook until the transaction ends.

use domain::id::WebhookId;
use domain::timestamp::Timestamp;
use log_model::{Stream, StreamPartition};

use crate::database::{Database, Work};
use crate::error::Error;
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns, broken};
use crate::statement::sql;
use crate::webhook_remains::drop_outstanding;
use crate::webhooks::WebhookRow;

/// A process that delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookWorker {
    /// Its name, another one after each start.
    pub id: String,
    /// Grows while it lives.
    pub beat: u64,
}

/// How far a webhook is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookCursor {
    /// Which webhook.
    pub webhook: WebhookId,
    /// The webhook's version that was last worked with. Views that show an older one are being filled anew.
    pub seen_version: u64,
    /// The event that created the webhook. A greater one in the views is another webhook of the same name.
    pub created_version: u64,
    /// The event of the webhook that it began with. A greater one in the views means that it begins anew.
    pub begin_version: u64,
    /// The last event after which the receiver was tried again at once.
    pub enabled_version: u64,
    /// The process that delivers it.
    pub holder: Option<String>,
    /// The webhook's version when its receiver said that it is gone.
    pub disabled_version: Option<u64>,
    /// When a delivery arrived last.
    pub last_success_at: Option<Timestamp>,
    /// Why the last failed attempt failed, until one succeeds.
    pub last_error: Option<String>,
    /// When everything that the log had was last read.
    pub confirmed_at: Option<Timestamp>,
}

/// How far a webhook has read one place of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookCheckpoint {
    /// Which place.
    pub place: StreamPartition,
    /// The offset to read next.
    pub next: u64,
    /// Events older than this are passed over, until the first that is not.
    pub not_before: Option<Timestamp>,
    /// Where that ends in any case: what was not read before the webhook began anew is never too old.
    pub old_until: Option<u64>,
    /// Why nothing behind `next` can be read.
    pub halted: Option<String>,
}

impl WebhookCheckpoint {
    /// Up to where the place was read. A replay that still looks for its first event stands before that.
    pub fn read_until(&self) -> u64 {
        self.not_before.and(self.old_until).map_or(self.next, |until| until.max(self.next))
    }
}

const CHECKPOINT: &str = "SELECT place, next, not_before, old_until, halted FROM operational.webhook_checkpoints \
    WHERE webhook_id = $1";
const CURSOR: &str = "SELECT webhook_id, seen_version, created_version, begin_version, enabled_version, holder, \
    disabled_version, last_success_at, last_error, confirmed_at FROM operational.webhook_cursors";

impl ReadModel {
    /// Says that a process lives.
    pub async fn webhook_worker_lives(&self, worker: &WebhookWorker) -> Result<(), Error> {
        let text = "INSERT INTO operational.webhook_workers (id, beat) VALUES ($1, $2) \
            ON CONFLICT (id) DO UPDATE SET beat = excluded.beat";
        self.database.execute(sql(text).bind(&worker.id).bind(worker.beat)).await.map(drop)
    }

    /// Every process that has said so.
    pub async fn webhook_workers(&self) -> Result<Vec<WebhookWorker>, Error> {
        self.database.all(sql("SELECT id, beat FROM operational.webhook_workers ORDER BY id")).await
    }

    /// Forgets a process, and sets free what it holds.
    pub async fn forget_webhook_worker(&self, id: &str) -> Result<(), Error> {
        let (database, id) = (self.database.clone(), id.to_owned());
        let forgetting = async move {
            let mut work = database.begin().await?;
            let freed = "UPDATE operational.webhook_cursors SET holder = NULL WHERE holder = $1";
            work.execute(sql(freed).bind(&id)).await?;
            work.execute(sql("DELETE FROM operational.webhook_workers WHERE id = $1").bind(&id)).await?;
            work.commit().await
        };
        Database::whole(forgetting).await
    }

    /// How far every webhook is, those that were deleted meanwhile included.
    pub async fn webhook_cursors(&self) -> Result<Vec<WebhookCursor>, Error> {
        self.database.all(sql(CURSOR)).await
    }

    /// How far a webhook is. `None` before its first process has begun.
    pub async fn webhook_cursor(&self, id: WebhookId) -> Result<Option<WebhookCursor>, Error> {
        self.database.maybe_one(sql(format!("{CURSOR} WHERE webhook_id = $1")).bind(id)).await
    }

    /// Takes a webhook that nobody holds. Returns whether this process holds it now.
    pub async fn take_webhook(&self, id: WebhookId, worker: &str) -> Result<bool, Error> {
        let made = "INSERT INTO operational.webhook_cursors (webhook_id) VALUES ($1) \
            ON CONFLICT (webhook_id) DO NOTHING";
        self.database.execute(sql(made).bind(id)).await?;
        let text =
            "UPDATE operational.webhook_cursors SET holder = $2 WHERE webhook_id = $1 AND holder IS NULL";
        Ok(self.database.execute(sql(text).bind(id).bind(worker)).await? == 1)
    }

    /// Gives a webhook up for another process.
    pub async fn give_webhook_up(&self, id: WebhookId, worker: &str) -> Result<(), Error> {
        let text =
            "UPDATE operational.webhook_cursors SET holder = NULL WHERE webhook_id = $1 AND holder = $2";
        self.database.execute(sql(text).bind(id).bind(worker)).await.map(drop)
    }

    /// How far a webhook has read each place.
    pub async fn webhook_checkpoints(&self, id: WebhookId) -> Result<Vec<WebhookCheckpoint>, Error> {
        self.database.all(sql(CHECKPOINT).bind(id)).await
    }

    /// Makes the rows of a webhook what the views say of it, before it is worked with. Returns whether the process holds it.
    ///
    /// Where a webhook begins (anew), what is outstanding behind that point is read again in its order, so it is dropped
    /// here. Where it was resumed, what waits for its next attempt is due now. What kept it from beginning is over.
    pub async fn begin_webhook(
        &self,
        webhook: &WebhookRow,
        worker: &str,
        places: &[StreamPartition],
        now: Timestamp,
    ) -> Result<bool, Error> {
        // What an earlier webhook of the same name owes.
        while !self.forget_part(webhook.id, Some(worker), webhook.created_version).await? {}
        let (database, worker, places) = (self.database.clone(), worker.to_owned(), places.to_vec());
        let webhook = webhook.clone();
        let beginning = async move {
            let mut work = database.begin_in_background().await?;
            if !hold(&mut work, webhook.id, &worker).await? {
                return Ok(false);
            }
            let text = format!("{CURSOR} WHERE webhook_id = $1");
            let Some(cursor): Option<WebhookCursor> = work.maybe_one(sql(text).bind(webhook.id)).await?
            else {
                return Ok(false);
            };
            if webhook.created_version > cursor.created_version {
                let text = "DELETE FROM operational.webhook_checkpoints WHERE webhook_id = $1";
                work.execute(sql(text).bind(webhook.id)).await?;
                let text =
                    "UPDATE operational.webhook_cursors SET last_success_at = NULL WHERE webhook_id = $1";
                work.execute(sql(text).bind(webhook.id)).await?;
            }
            if webhook.begin_version > cursor.begin_version {
                begin_places(&mut work, &webhook, &places).await?;
            }
            if webhook.enabled_version > cursor.enabled_version {
                let text = "UPDATE operational.webhook_deliveries SET due_at = $2 \
                    WHERE webhook_id = $1 AND state = 1 AND due_at > $2";
                work.execute(sql(text).bind(webhook.id).bind(now)).await?;
            }
            let text = "UPDATE operational.webhook_checkpoints SET halted = NULL WHERE webhook_id = $1 AND halted IS NOT NULL";
            work.execute(sql(text).bind(webhook.id)).await?;
            let text = "UPDATE operational.webhook_cursors SET seen_version = $2, created_version = $3, begin_version = $4, \
                enabled_version = $5, last_error = (SELECT error FROM operational.webhook_deliveries WHERE webhook_id = $1 AND state = 1 \
                AND attempts > 0 ORDER BY attempted_at DESC LIMIT 1) WHERE webhook_id = $1";
            let statement = sql(text).bind(webhook.id).bind(webhook.version).bind(webhook.created_version);
            work.execute(statement.bind(webhook.begin_version).bind(webhook.enabled_version)).await?;
            work.commit().await?;
            Ok(true)
        };
        Database::whole(beginning).await
    }

    /// Notes that everything that the log had at this instant was read.
    pub async fn webhook_confirmed(&self, id: WebhookId, worker: &str, at: Timestamp) -> Result<(), Error> {
        let text =
            "UPDATE operational.webhook_cursors SET confirmed_at = $3 WHERE webhook_id = $1 AND holder = $2";
        self.database.execute(sql(text).bind(id).bind(worker).bind(at)).await.map(drop)
    }

    /// Notes why nothing behind a checkpoint can be read, or that it can.
    pub async fn webhook_halted(
        &self,
        id: WebhookId,
        place: StreamPartition,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let text =
            "UPDATE operational.webhook_checkpoints SET halted = $3 WHERE webhook_id = $1 AND place = $2";
        self.database.execute(sql(text).bind(id).bind(place.to_string()).bind(reason)).await.map(drop)
    }

    /// Notes why a webhook can't be worked with.
    pub async fn webhook_failed(&self, id: WebhookId, worker: &str, reason: &str) -> Result<(), Error> {
        let text =
            "UPDATE operational.webhook_cursors SET last_error = $3 WHERE webhook_id = $1 AND holder = $2";
        self.database.execute(sql(text).bind(id).bind(worker).bind(reason)).await.map(drop)
    }

    /// Notes that the receiver of a webhook of this version said that it is gone.
    pub async fn disable_webhook(&self, id: WebhookId, worker: &str, version: u64) -> Result<(), Error> {
        let text = "UPDATE operational.webhook_cursors SET disabled_version = $3 WHERE webhook_id = $1 AND holder = $2";
        self.database.execute(sql(text).bind(id).bind(worker).bind(version)).await.map(drop)
    }
}

/// Sets the checkpoints to where the webhook begins, but never past what was not read yet: that would be lost.
async fn begin_places(
    work: &mut Work,
    webhook: &WebhookRow,
    places: &[StreamPartition],
) -> Result<(), Error> {
    let text = "UPDATE operational.webhook_cursors SET confirmed_at = NULL WHERE webhook_id = $1";
    work.execute(sql(text).bind(webhook.id)).await?;
    for place in places {
        let begin = webhook.begin_after.covered(*place).map_or(0, |covered| covered + 1);
        let place = place.to_string();
        let known = sql(format!("{CHECKPOINT} AND place = $2")).bind(webhook.id).bind(&place);
        let known: Option<WebhookCheckpoint> = work.maybe_one(known).await?;
        let read_until = known.map(|known| known.read_until());
        let next = read_until.map_or(begin, |read_until| begin.min(read_until));
        let moved = "INSERT INTO operational.webhook_checkpoints (webhook_id, place, next, not_before, old_until) \
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (webhook_id, place) \
            DO UPDATE SET next = excluded.next, not_before = excluded.not_before, old_until = excluded.old_until";
        let moved = sql(moved).bind(webhook.id).bind(&place).bind(next).bind(webhook.begin_from);
        work.execute(moved.bind(read_until)).await?;
        let since = webhook.begin_from.unwrap_or(Timestamp::MIN);
        drop_outstanding(work, webhook.id, &place, (next, since)).await?;
    }
    Ok(())
}

/// Whether the process holds the webhook. If so, no other transaction changes the webhook until this one ends.
pub(crate) async fn hold(work: &mut Work, id: WebhookId, worker: &str) -> Result<bool, Error> {
    let text = "UPDATE operational.webhook_cursors SET holder = $2 WHERE webhook_id = $1 AND holder = $2";
    Ok(work.execute(sql(text).bind(id).bind(worker)).await? == 1)
}

impl FromColumns for WebhookWorker {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self { id: row.text("id")?, beat: row.number("beat")? })
    }
}

impl FromColumns for WebhookCursor {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self {
            webhook: WebhookId::from_uuid(row.uuid("webhook_id")?),
            seen_version: row.number("seen_version")?,
            created_version: row.number("created_version")?,
            begin_version: row.number("begin_version")?,
            enabled_version: row.number("enabled_version")?,
            holder: row.maybe_text("holder")?,
            disabled_version: row.maybe_number("disabled_version")?,
            last_success_at: row.maybe_time("last_success_at")?,
            last_error: row.maybe_text("last_error")?,
            confirmed_at: row.maybe_time("confirmed_at")?,
        })
    }
}

impl FromColumns for WebhookCheckpoint {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self {
            place: place(row, "place")?,
            next: row.number("next")?,
            not_before: row.maybe_time("not_before")?,
            old_until: row.maybe_number("old_until")?,
            halted: row.maybe_text("halted")?,
        })
    }
}

/// The stream partition of a column.
pub(crate) fn place(row: &impl Columns, column: &str) -> Result<StreamPartition, sqlx::Error> {
    let text = row.text(column)?;
    let parsed = text.rsplit_once('-').and_then(|(stream, partition)| {
        Some(StreamPartition::new(Stream::from_name(stream)?, partition.parse().ok()?))
    });
    parsed.ok_or_else(|| broken(column, "is no place of the log"))
}
