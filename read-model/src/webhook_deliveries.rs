//! Events on their way to webhooks: operational state of the webhook service.
//!
//! Of each user one outstanding delivery waits for its time, and those behind it are queued. So events of one user go in
//! order, and a user whose event fails holds up nobody else.

use domain::id::{DeliveryId, UserId, WebhookId};
use domain::timestamp::Timestamp;
use log_model::StreamPartition;

use crate::database::{Database, Work};
use crate::error::Error;
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns};
use crate::statement::{Sql, multi_row, sql};
use crate::webhook_cursors::hold;

/// What has become of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Behind an earlier event of the same user.
    Queued,
    /// To be sent when its time comes.
    Waiting,
    /// It arrived.
    Delivered,
    /// Given up after the last attempt, until somebody has it tried again.
    Dead,
}

impl DeliveryState {
    pub(crate) const ALL: [Self; 4] = [Self::Queued, Self::Waiting, Self::Delivered, Self::Dead];

    pub(crate) const fn stored(self) -> i16 {
        match self {
            Self::Queued => 0,
            Self::Waiting => 1,
            Self::Delivered => 2,
            Self::Dead => 3,
        }
    }
}

/// An event to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// The id of the delivery.
    pub id: DeliveryId,
    /// The id of the event, as its header has it.
    pub event_id: String,
    /// Wire name of the event.
    pub event_type: String,
    /// When the event was decided.
    pub event_time: Timestamp,
    /// The user that it is about.
    pub user: UserId,
    /// Where it is in the log.
    pub place: StreamPartition,
    /// Its offset there.
    pub offset: u64,
    /// What is sent, as JSON.
    pub body: String,
}

/// A delivery whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDelivery {
    /// The id of the delivery.
    pub id: DeliveryId,
    /// The id of the event.
    pub event_id: String,
    /// The user that it is about.
    pub user: UserId,
    /// How often it was tried.
    pub attempts: u32,
    /// What is sent, as JSON.
    pub body: String,
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which delivery.
    pub id: DeliveryId,
    /// Its user.
    pub user: UserId,
    /// When it ended.
    pub at: Timestamp,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Why it failed. `None` if it did not.
    pub error: Option<String>,
    /// When it is tried again after a failure. `None` gives it up.
    pub due_at: Option<Timestamp>,
}

/// Checkpoints to move with the deliveries that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookMove {
    /// Which place.
    pub place: StreamPartition,
    /// Where it has to stand.
    pub from: u64,
    /// Where it stands afterwards.
    pub to: u64,
    /// Whether an event was met that is not too old, so that age matters no more.
    pub has_begun: bool,
}

impl ReadModel {
    /// Adds deliveries and moves checkpoints, all or nothing. Returns whether it did: not if another process holds the
    /// webhook, or has moved a checkpoint, or the webhook was changed: who changed it sees it hold for what comes after.
    pub async fn enqueue_deliveries(
        &self,
        (webhook, version): (WebhookId, u64),
        worker: &str,
        deliveries: Vec<NewDelivery>,
        moves: Vec<WebhookMove>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let (database, worker) = (self.database.clone(), worker.to_owned());
        let enqueuing = async move {
            let mut work = database.begin_in_background().await?;
            if !hold(&mut work, webhook, &worker).await? {
                return Ok(false);
            }
            let shown = sql("SELECT version AS n FROM webhooks WHERE id = $1").bind(webhook);
            let shown: Option<i64> = work.maybe_one(shown).await?;
            if shown.is_some_and(|shown| u64::try_from(shown) != Ok(version)) {
                return Ok(false);
            }
            for moved in &moves {
                let text = "UPDATE operational.webhook_checkpoints SET next = $4, \
                    not_before = CASE WHEN $5 THEN NULL ELSE not_before END \
                    WHERE webhook_id = $1 AND place = $2 AND next = $3";
                let statement = sql(text).bind(webhook).bind(moved.place.to_string());
                let statement = statement.bind(moved.from).bind(moved.to).bind(moved.has_begun);
                if work.execute(statement).await? != 1 {
                    return Ok(false);
                }
            }
            let head = "INSERT INTO operational.webhook_deliveries (id, webhook_id, event_id, event_type, event_time, \
                user_id, place, log_offset, body, state, attempts, due_at)";
            // What is outstanding is left alone; what has ended is sent once more.
            let tail = "ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, \
                due_at = excluded.due_at, body = excluded.body, error = NULL, status = NULL \
                WHERE webhook_deliveries.state >= 2";
            let rows = multi_row(head, &deliveries, tail, |delivery| {
                [
                    delivery.id.into(),
                    webhook.into(),
                    (&delivery.event_id).into(),
                    (&delivery.event_type).into(),
                    delivery.event_time.into(),
                    delivery.user.into(),
                    delivery.place.to_string().into(),
                    delivery.offset.into(),
                    (&delivery.body).into(),
                    DeliveryState::Queued.stored().into(),
                    0_u64.into(),
                    now.into(),
                ]
            });
            work.change(rows).await?;
            let mut users: Vec<_> = deliveries.iter().map(|delivery| delivery.user).collect();
            users.sort_unstable();
            users.dedup();
            promote(&mut work, webhook, &users, now).await?;
            work.commit().await?;
            Ok(true)
        };
        Database::whole(enqueuing).await
    }

    /// Deliveries whose time has come, the longest due first, but those of the given users. The first attempt is due at
    /// once, also if the clock was set back.
    pub async fn due_deliveries(
        &self,
        webhook: WebhookId,
        now: Timestamp,
        but: &[UserId],
        most: u32,
    ) -> Result<Vec<DueDelivery>, Error> {
        const SORTED: &str = " ORDER BY due_at, log_offset LIMIT ";
        let mut statement = sql("SELECT id, event_id, user_id, attempts, body FROM (");
        // Each has an index that leads along the order; together they would have none.
        for (joined, condition) in
            [("SELECT * FROM (", "due_at <= "), (" UNION ALL SELECT * FROM (", "attempts = 0 AND due_at > ")]
        {
            statement.push(joined).push("SELECT id, event_id, user_id, attempts, body, due_at, log_offset");
            statement.push(" FROM operational.webhook_deliveries WHERE state = 1 AND webhook_id = ");
            statement.push_value(webhook).push(" AND ").push(condition).push_value(now);
            if !but.is_empty() {
                statement.push(" AND user_id NOT IN ").push_list(but.iter().copied());
            }
            statement.push(SORTED).push_value(i64::from(most)).push(") AS part");
        }
        statement.push(") AS due").push(SORTED).push_value(i64::from(most));
        self.database.all(statement).await
    }

    /// Records the ends of attempts, and lets the next event of each user wait where one has ended. Returns whether the
    /// process still holds the webhook; if not, nothing is recorded.
    pub async fn settle_deliveries(
        &self,
        webhook: WebhookId,
        worker: &str,
        attempts: Vec<Attempt>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let (database, worker) = (self.database.clone(), worker.to_owned());
        let settling = async move {
            let mut work = database.begin_in_background().await?;
            if !hold(&mut work, webhook, &worker).await? {
                return Ok(false);
            }
            for attempt in &attempts {
                work.execute(settle(attempt)).await?;
            }
            let (failed, arrived): (Vec<&Attempt>, Vec<_>) =
                attempts.iter().partition(|attempt| attempt.error.is_some());
            let last = arrived.iter().map(|attempt| attempt.at).max();
            if let Some(at) = last {
                let text = "UPDATE operational.webhook_cursors SET last_success_at = $2, last_error = NULL WHERE webhook_id = $1";
                work.execute(sql(text).bind(webhook).bind(at)).await?;
            }
            // The newest word counts: a success clears an older error, not a newer one.
            let newest = failed.iter().max_by_key(|attempt| attempt.at);
            if let Some(attempt) = newest.filter(|attempt| last.is_none_or(|at| at <= attempt.at)) {
                let text = "UPDATE operational.webhook_cursors SET last_error = $2 WHERE webhook_id = $1";
                work.execute(sql(text).bind(webhook).bind(&attempt.error)).await?;
            }
            let ended = attempts.iter().filter(|it| it.error.is_none() || it.due_at.is_none());
            let mut users: Vec<_> = ended.map(|attempt| attempt.user).collect();
            users.sort_unstable();
            users.dedup();
            promote(&mut work, webhook, &users, now).await?;
            work.commit().await?;
            Ok(true)
        };
        Database::whole(settling).await
    }

    /// Has a delivery tried again now: one that waits for its next attempt, or one that was given up. The latter takes its
    /// place among its user's events. Returns whether there is such a delivery.
    pub async fn retry_delivery(
        &self,
        webhook: WebhookId,
        id: DeliveryId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let database = self.database.clone();
        let retrying = async move {
            let mut work = database.begin().await?;
            // The same lock as in `hold`, for any holder.
            let locked = "UPDATE operational.webhook_cursors SET holder = holder WHERE webhook_id = $1";
            work.execute(sql(locked).bind(webhook)).await?;
            let text = "UPDATE operational.webhook_deliveries SET due_at = $3, attempts = 0, \
                state = CASE WHEN state = 3 THEN 0 ELSE state END \
                WHERE id = $2 AND webhook_id = $1 AND state <> 2";
            let changed = work.execute(sql(text).bind(webhook).bind(id).bind(now)).await?;
            let user: Option<UserOf> = work
                .maybe_one(sql("SELECT user_id FROM operational.webhook_deliveries WHERE id = $1").bind(id))
                .await?;
            promote(&mut work, webhook, &user.map(|user| user.0).into_iter().collect::<Vec<_>>(), now)
                .await?;
            work.commit().await?;
            Ok(changed == 1)
        };
        Database::whole(retrying).await
    }
}

/// What an attempt leaves of its delivery. The body of one that arrived is not needed any more.
fn settle(attempt: &Attempt) -> Sql {
    let (state, keeps_body) = match (&attempt.error, attempt.due_at) {
        (None, _) => (DeliveryState::Delivered, false),
        (Some(_), Some(_)) => (DeliveryState::Waiting, true),
        (Some(_), None) => (DeliveryState::Dead, true),
    };
    let text = "UPDATE operational.webhook_deliveries SET state = $2, attempts = attempts + 1, attempted_at = $3, \
        status = $4, error = $5, due_at = COALESCE($6, due_at), body = CASE WHEN $7 THEN body ELSE NULL END WHERE id = $1 AND state = 1";
    sql(text)
        .bind(attempt.id)
        .bind(state.stored())
        .bind(attempt.at)
        .bind(attempt.status.map(u64::from))
        .bind(&attempt.error)
        .bind(attempt.due_at)
        .bind(keeps_body)
}

/// Lets the first queued event of each of these users wait, unless one waits already.
///
/// `state < 2` beside an exact state has SQLite use the index of outstanding deliveries.
async fn promote(work: &mut Work, webhook: WebhookId, users: &[UserId], now: Timestamp) -> Result<(), Error> {
    for users in users.chunks(1_000) {
        let mut statement = sql("UPDATE operational.webhook_deliveries SET state = 1, due_at = $1 WHERE id IN (SELECT \
             (SELECT queued.id FROM operational.webhook_deliveries AS queued WHERE queued.webhook_id = own.column1 \
             AND queued.user_id = own.column2 AND queued.state < 2 AND queued.state = 0 ORDER BY queued.log_offset LIMIT 1) \
             FROM (VALUES ")
        .bind(now);
        for (at, user) in users.iter().enumerate() {
            statement.push(if at == 0 { "(" } else { ", (" });
            statement.push_value(webhook).push(", ").push_value(*user).push(")");
        }
        statement.push(
            ") AS own WHERE NOT EXISTS (SELECT 1 FROM operational.webhook_deliveries AS other \
             WHERE other.webhook_id = own.column1 AND other.user_id = own.column2 AND other.state < 2 AND other.state = 1))",
        );
        statement.is_kept = users.len() <= 4;
        work.execute(statement).await?;
    }
    Ok(())
}

/// The user of a delivery.
struct UserOf(UserId);

impl FromColumns for UserOf {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        row.user_id("user_id").map(Self)
    }
}

impl FromColumns for DueDelivery {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: DeliveryId::from_uuid(row.uuid("id")?),
            event_id: row.text("event_id")?,
            user: row.user_id("user_id")?,
            attempts: row.number("attempts")?,
            body: row.text("body")?,
        })
    }
}
