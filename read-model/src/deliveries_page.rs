//! Lists and numbers of a webhook's deliveries.

use std::time::Duration;

use domain::id::{DeliveryId, UserId, WebhookId};
use domain::timestamp::Timestamp;
use log_model::StreamPartition;

use crate::counts::MOST_COUNTED;
use crate::error::Error;
use crate::page::{Count, Order, Page, Window};
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns, broken};
use crate::statement::sql;
use crate::webhook_cursors::{WebhookCheckpoint, place};
use crate::webhook_deliveries::DeliveryState;

/// A delivery as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The id.
    pub id: DeliveryId,
    /// The webhook.
    pub webhook: WebhookId,
    /// The id of the event.
    pub event_id: String,
    /// Wire name of the event.
    pub event_type: String,
    /// When the event was decided.
    pub event_time: Timestamp,
    /// The user that it is about.
    pub user: UserId,
    /// What has become of it.
    pub state: DeliveryState,
    /// How often it was tried since it was last begun.
    pub attempts: u32,
    /// When it is tried next, if it waits.
    pub due_at: Timestamp,
    /// When it was tried last.
    pub attempted_at: Option<Timestamp>,
    /// The HTTP status of the last attempt.
    pub status: Option<u16>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// What is outstanding of a webhook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outstanding {
    /// Events that were read and have not arrived, those given up left out.
    pub events: u64,
    /// The time of the oldest of them.
    pub oldest: Option<Timestamp>,
    /// Whether the last attempt of one of them failed.
    pub is_failing: bool,
    /// Events that were given up.
    pub dead: u64,
}

/// How far a webhook is behind the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Behind {
    /// Events that are outstanding, and records that were not read yet.
    pub events: u64,
    /// Age of the oldest of them, in seconds.
    pub seconds: u64,
}

impl Outstanding {
    /// How far the webhook is behind a log with these ends. `confirmed` is when the end was last read, or since when the
    /// webhook is there.
    pub fn behind(
        &self,
        checkpoints: &[WebhookCheckpoint],
        ends: &[(StreamPartition, u64)],
        confirmed: Timestamp,
        now: Timestamp,
    ) -> Behind {
        let unread = checkpoints.iter().map(|checkpoint| {
            let end = ends.iter().find(|(place, _)| *place == checkpoint.place).map_or(0, |(_, end)| *end);
            end.saturating_sub(checkpoint.next)
        });
        let unread: u64 = unread.sum();
        // It is written down every few seconds, so what was read a moment ago is not behind.
        let is_behind = unread > 0 && confirmed + CONFIRMED_WITHIN < now;
        let oldest = self.oldest.into_iter().chain(is_behind.then_some(confirmed)).min();
        let micros = oldest.map_or(0, |oldest| now.micros().saturating_sub(oldest.micros()));
        Behind { events: self.events + unread, seconds: micros.max(0).unsigned_abs() / 1_000_000 }
    }
}

/// The end of the log is confirmed more often than this.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(10);

const ORDER: Order = Order { name: "deliveries", columns: &["event_time", "id"], is_descending: true };

const SELECT: &str = "SELECT id, webhook_id, event_id, event_type, event_time, user_id, state, attempts, due_at, \
    attempted_at, status, error FROM operational.webhook_deliveries";

impl ReadModel {
    /// The delivery with this id.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRow>, Error> {
        self.database.maybe_one(sql(format!("{SELECT} WHERE id = $1")).bind(id)).await
    }

    /// A page of a webhook's deliveries in these states, the newest event first. No state means every state.
    pub async fn deliveries_page(
        &self,
        webhook: WebhookId,
        states: &[DeliveryState],
        window: &Window,
    ) -> Result<Page<DeliveryRow>, Error> {
        let mut statement = sql(format!("{SELECT} WHERE webhook_id = $1")).bind(webhook);
        if !states.is_empty() {
            statement.push(" AND state IN ").push_list(states.iter().map(|state| state.stored()));
        }
        ORDER.limit::<(i64, uuid::Uuid)>(&mut statement, window)?;
        let rows = self.database.all(statement).await?;
        Ok(ORDER.page(window, rows, |row: &DeliveryRow| (row.event_time.micros(), row.id.uuid())))
    }

    /// How many deliveries [`ReadModel::deliveries_page`] has on all pages. Counting stops at a limit.
    pub async fn deliveries_count(
        &self,
        webhook: WebhookId,
        states: &[DeliveryState],
    ) -> Result<Count, Error> {
        let text = "SELECT count(*) AS n FROM (SELECT 1 AS one FROM operational.webhook_deliveries WHERE webhook_id = $1";
        let mut statement = sql(text).bind(webhook);
        if !states.is_empty() {
            statement.push(" AND state IN ").push_list(states.iter().map(|state| state.stored()));
        }
        statement.push(" LIMIT ").push_value(MOST_COUNTED + 1).push(") AS found");
        let n: i64 = self.database.one(statement).await?;
        Ok(Count::up_to(MOST_COUNTED, n.unsigned_abs()))
    }

    /// For each place of the log the offset of the first event that is outstanding, where there is one.
    pub async fn first_outstanding(&self, webhook: WebhookId) -> Result<Vec<(StreamPartition, u64)>, Error> {
        let text = "SELECT place, min(log_offset) AS first_offset FROM operational.webhook_deliveries \
            WHERE webhook_id = $1 AND state < 2 GROUP BY place";
        let found: Vec<FirstOutstanding> = self.database.all(sql(text).bind(webhook)).await?;
        Ok(found.into_iter().map(|FirstOutstanding(place, offset)| (place, offset)).collect())
    }

    /// What is outstanding of a webhook.
    pub async fn outstanding(&self, webhook: WebhookId) -> Result<Outstanding, Error> {
        let text = "SELECT \
            (SELECT count(*) FROM operational.webhook_deliveries WHERE webhook_id = $1 AND state < 2) AS events, \
            (SELECT min(event_time) FROM operational.webhook_deliveries WHERE webhook_id = $1 AND state < 2) AS oldest, \
            (SELECT count(*) FROM operational.webhook_deliveries WHERE webhook_id = $1 AND state = 1 AND attempts > 0 \
             AND error IS NOT NULL) AS failing, \
            (SELECT count(*) FROM operational.webhook_deliveries WHERE webhook_id = $1 AND state = 3) AS dead";
        self.database.one(sql(text).bind(webhook)).await
    }
}

/// A place, and the first offset of it that is outstanding.
struct FirstOutstanding(StreamPartition, u64);

impl FromColumns for FirstOutstanding {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self(place(row, "place")?, row.number("first_offset")?))
    }
}

impl FromColumns for Outstanding {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self {
            events: row.number("events")?,
            oldest: row.maybe_time("oldest")?,
            is_failing: row.int("failing")? > 0,
            dead: row.number("dead")?,
        })
    }
}

impl FromColumns for DeliveryRow {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let stored = row.small("state")?;
        let state = DeliveryState::ALL.into_iter().find(|state| state.stored() == stored);
        Ok(Self {
            id: DeliveryId::from_uuid(row.uuid("id")?),
            webhook: WebhookId::from_uuid(row.uuid("webhook_id")?),
            event_id: row.text("event_id")?,
            event_type: row.text("event_type")?,
            event_time: row.time("event_time")?,
            user: row.user_id("user_id")?,
            state: state.ok_or_else(|| broken("state", "is unknown"))?,
            attempts: row.number("attempts")?,
            due_at: row.time("due_at")?,
            attempted_at: row.maybe_time("attempted_at")?,
            status: row.maybe_number("status")?,
            error: row.maybe_text("error")?,
        })
    }
}
