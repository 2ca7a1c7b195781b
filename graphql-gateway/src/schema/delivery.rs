//! The GraphQL type of what a webhook sends.

use async_graphql::{ComplexObject, Context, Enum, ID, SimpleObject};
use domain::id::UserId;
use read_model::deliveries_page::DeliveryRow;
use read_model::webhook_deliveries::DeliveryState;

use super::connection::Listed;
use super::context::gateway;
use super::scalar::DateTime;
use super::user::User;
use crate::error::ApiError;

/// What has become of an event on its way to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum DeliveryOutcome {
    /// It waits: for its next attempt, or behind an earlier event of the same user.
    Pending,
    /// It arrived.
    Delivered,
    /// It was given up after the last attempt. `retryDelivery` has it tried again.
    Dead,
}

impl DeliveryOutcome {
    pub(super) const fn states(self) -> &'static [DeliveryState] {
        match self {
            Self::Pending => &[DeliveryState::Queued, DeliveryState::Waiting],
            Self::Delivered => &[DeliveryState::Delivered],
            Self::Dead => &[DeliveryState::Dead],
        }
    }
}

/// An event on its way to a webhook.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct WebhookDelivery {
    #[graphql(skip)]
    user: UserId,
    /// Names it alone; never changes.
    #[graphql(owned)]
    pub(crate) id: ID,
    /// The webhook.
    webhook_id: ID,
    /// The id of the event, which the receiver gets as `webhook-id`.
    event_id: ID,
    /// Wire name of the event.
    event_type: String,
    /// When the event happened.
    event_time: DateTime,
    /// What has become of it.
    outcome: DeliveryOutcome,
    /// How often it was tried since it was last begun.
    attempts: i32,
    /// When it was tried last.
    last_attempt_at: Option<DateTime>,
    /// When it is tried next; null if it is not, or only after an earlier event of the same user.
    next_attempt_at: Option<DateTime>,
    /// The HTTP status of the last attempt; null if there was no answer.
    status: Option<i32>,
    /// Why the last attempt failed.
    error: Option<String>,
}

impl From<DeliveryRow> for WebhookDelivery {
    fn from(row: DeliveryRow) -> Self {
        let outcome = match row.state {
            DeliveryState::Queued | DeliveryState::Waiting => DeliveryOutcome::Pending,
            DeliveryState::Delivered => DeliveryOutcome::Delivered,
            DeliveryState::Dead => DeliveryOutcome::Dead,
        };
        Self {
            user: row.user,
            id: ID(row.id.to_string()),
            webhook_id: ID(row.webhook.to_string()),
            event_id: ID(row.event_id),
            event_type: row.event_type,
            event_time: row.event_time.into(),
            outcome,
            attempts: i32::try_from(row.attempts).unwrap_or(i32::MAX),
            last_attempt_at: row.attempted_at.map(Into::into),
            next_attempt_at: (row.state == DeliveryState::Waiting).then(|| row.due_at.into()),
            status: row.status.map(i32::from),
            error: row.error,
        }
    }
}

#[ComplexObject]
impl WebhookDelivery {
    /// The user that the event is about.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>, ApiError> {
        Ok(gateway(ctx).views.user(self.user).await?.map(User::from))
    }
}

impl Listed for WebhookDelivery {
    const CONNECTION: &'static str = "WebhookDeliveryConnection";
    const EDGE: &'static str = "WebhookDeliveryEdge";
}
