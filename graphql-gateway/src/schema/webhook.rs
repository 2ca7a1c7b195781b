//! The GraphQL type of webhooks: what the views say of them, and how far their deliveries are.

use async_graphql::{ComplexObject, Context, Enum, ID, SimpleObject};
use domain::timestamp::Timestamp;
use event_feed::FeedKind;
use read_model::deliveries_page::{Behind, Outstanding};
use read_model::webhook_cursors::WebhookCursor;
use read_model::webhook_deliveries::DeliveryState;
use read_model::webhooks::WebhookRow;
use service_kit::causes::Causes;

use super::connection::{Connection, Listed, window};
use super::context::gateway;
use super::counted::WholeList;
use super::delivery::{DeliveryOutcome, WebhookDelivery};
use super::group::Group;
use super::scalar::{DateTime, Position, int};
use crate::clock::now;
use crate::error::ApiError;
use crate::webhook_positions;

/// Whether a webhook delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum WebhookState {
    /// It delivers.
    Active,
    /// Somebody has paused it; events wait until it is resumed.
    Paused,
    /// Its last attempt failed, an event is tried again, or a record can't be read; the events of other users go on.
    Failing,
    /// Its receiver has answered that it is gone (410); events wait until it is resumed or its address is changed.
    Disabled,
}

/// An address outside that is sent the events of users, signed as Standard Webhooks says.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Webhook {
    #[graphql(skip)]
    row: WebhookRow,
    /// Made from the name; never changes.
    #[graphql(owned)]
    pub(crate) id: ID,
    /// The name. It never changes; case makes no difference.
    name: String,
    /// Where it sends to.
    url: String,
    /// Which events it sends: wire names, and beginnings such as `muster.user.*`; all when empty.
    types: Vec<String>,
    /// Media type of what it sends.
    content_type: String,
    /// When it was created.
    created_at: DateTime,
    /// Until when it signs with the secret from before the last rotation as well; null when it does not.
    old_secret_until: Option<DateTime>,
    /// Grows with every change; `expectedVersion` of a mutation is compared with it.
    version: i32,
}

impl From<WebhookRow> for Webhook {
    fn from(row: WebhookRow) -> Self {
        Self {
            id: ID(row.id.to_string()),
            name: row.name.clone(),
            url: row.url.clone(),
            types: row.types.as_slice().to_vec(),
            content_type: row.content_type.as_str().to_owned(),
            created_at: row.created_at.into(),
            old_secret_until: row.old_secret_until.filter(|until| *until > now()).map(Into::into),
            version: int(row.version),
            row,
        }
    }
}

#[ComplexObject]
impl Webhook {
    /// The group whose users' events it sends: users who are in it just before or just after the event. Null for all users.
    async fn group(&self, ctx: &Context<'_>) -> Result<Option<Group>, ApiError> {
        let Some(group) = &self.row.group else { return Ok(None) };
        Ok(gateway(ctx).views.group(group.id).await?.map(Group::from))
    }

    /// Whether it delivers.
    async fn state(&self, ctx: &Context<'_>) -> Result<WebhookState, ApiError> {
        let cursor = self.cursor(ctx).await?;
        let disabled = cursor.as_ref().and_then(|cursor| cursor.disabled_version);
        let is_halted = async || {
            let checkpoints = gateway(ctx).views.webhook_checkpoints(self.row.id).await?;
            Ok::<_, ApiError>(checkpoints.iter().any(|checkpoint| checkpoint.halted.is_some()))
        };
        let has_failed = cursor.is_some_and(|cursor| cursor.last_error.is_some());
        Ok(if self.row.paused {
            WebhookState::Paused
        } else if disabled.is_some_and(|disabled| self.row.enabled_version <= disabled) {
            WebhookState::Disabled
        } else if has_failed || self.outstanding(ctx).await?.is_failing || is_halted().await? {
            WebhookState::Failing
        } else {
            WebhookState::Active
        })
    }

    /// Up to where every event has been delivered or given up. A webhook that is created after this position misses none.
    async fn position(&self, ctx: &Context<'_>) -> Result<Position, ApiError> {
        let position = webhook_positions::of(gateway(ctx), &self.row).await?;
        Ok(Position::from(&*position.to_string()))
    }

    /// How many events it has not delivered: those that wait, and records that it has not read. Events that were given up
    /// are not among them.
    async fn behind_events(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        Ok(int(self.behind(ctx).await?.events))
    }

    /// How old the oldest of them is, in seconds.
    async fn behind_seconds(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        Ok(int(self.behind(ctx).await?.seconds))
    }

    /// How many events were given up after the last attempt, and wait for somebody to have them tried again.
    async fn dead_letters(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        Ok(int(self.outstanding(ctx).await?.dead))
    }

    /// When an event was last delivered.
    async fn last_success_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>, ApiError> {
        Ok(self.cursor(ctx).await?.and_then(|cursor| cursor.last_success_at).map(Into::into))
    }

    /// Why the last attempt failed, the HTTP status first if there was an answer, or why it can't begin; null once one has
    /// succeeded.
    async fn last_error(&self, ctx: &Context<'_>) -> Result<Option<String>, ApiError> {
        let checkpoints = gateway(ctx).views.webhook_checkpoints(self.row.id).await?;
        let halted = checkpoints.into_iter().find_map(|checkpoint| {
            checkpoint.halted.map(|reason| format!("{} can't be read further: {reason}", checkpoint.place))
        });
        Ok(halted.or(self.cursor(ctx).await?.and_then(|cursor| cursor.last_error)))
    }

    /// What it has sent and has to send, the newest event first. What arrived is listed for some days.
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those with this outcome.")] outcome: Option<DeliveryOutcome>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Result<Connection<WebhookDelivery>, ApiError> {
        let window = window(first, after, last, before)?;
        let states: &'static [DeliveryState] = outcome.map_or(&[], DeliveryOutcome::states);
        let page = gateway(ctx).views.deliveries_page(self.row.id, states, &window).await?;
        Ok(Connection::new(page, WholeList::Deliveries(self.row.id, states), WebhookDelivery::from))
    }
}

impl Webhook {
    async fn cursor(&self, ctx: &Context<'_>) -> Result<Option<WebhookCursor>, ApiError> {
        let cursor = gateway(ctx).views.webhook_cursor(self.row.id).await?;
        // What is known of an earlier webhook of the same name says nothing of this one.
        Ok(cursor.filter(|cursor| cursor.created_version == self.row.created_version))
    }

    async fn outstanding(&self, ctx: &Context<'_>) -> Result<Outstanding, ApiError> {
        Ok(gateway(ctx).views.outstanding(self.row.id).await?)
    }

    async fn behind(&self, ctx: &Context<'_>) -> Result<Behind, ApiError> {
        let gateway = gateway(ctx);
        let ends = gateway.webhooks.feeds.end(FeedKind::Users).await.map_err(|error| {
            tracing::warn!(error = %Causes(&error), "The ends of the log can't be asked.");
            ApiError::UNAVAILABLE
        })?;
        let ends: Vec<_> = FeedKind::Users.places(gateway.partitions).zip(ends).collect();
        let checkpoints = webhook_positions::checkpoints(gateway, &self.row).await?;
        let cursor = self.cursor(ctx).await?;
        let confirmed: Option<Timestamp> = cursor.and_then(|cursor| cursor.confirmed_at);
        let outstanding = self.outstanding(ctx).await?;
        Ok(outstanding.behind(&checkpoints, &ends, confirmed.unwrap_or(self.row.created_at), now()))
    }
}

impl Listed for Webhook {
    const CONNECTION: &'static str = "WebhookConnection";
    const EDGE: &'static str = "WebhookEdge";
}
