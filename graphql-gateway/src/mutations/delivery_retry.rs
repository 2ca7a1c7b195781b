//! The mutation that has a delivery of a webhook tried again.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::id::DeliveryId;
use domain::refusal::{Code, Refusal};
use domain::webhook::{self, Command};
use read_model::webhook_deliveries::DeliveryState;

use super::payload::read_back;
use super::retry::RetryFields;
use crate::clock::now;
use crate::error::{ApiError, UserError, into_payload};
use crate::ids::parse_id;
use crate::schema::context::submission;
use crate::schema::delivery::WebhookDelivery;

/// Has a delivery tried again.
#[derive(InputObject)]
pub(crate) struct RetryDeliveryInput {
    /// The delivery: one that waits for its next attempt, or one that was given up.
    delivery_id: ID,
    #[graphql(flatten)]
    retry: RetryFields,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct RetryDeliveryPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The delivery afterwards.
    delivery: Option<Result<WebhookDelivery, ApiError>>,
}

impl From<Vec<UserError>> for RetryDeliveryPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, delivery: None }
    }
}

#[derive(Default)]
pub(super) struct DeliveryRetry;

#[Object]
impl DeliveryRetry {
    /// Has a delivery tried again now, with all attempts ahead of it. One that was given up takes its place among the
    /// events of its user, behind one that is tried meanwhile. For administrators.
    async fn retry_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: RetryDeliveryInput,
    ) -> Option<Result<RetryDeliveryPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("RetryDelivery", Some(&input.delivery_id))?;
            let message = "There is no such delivery.";
            let id: DeliveryId = parse_id(&input.delivery_id, "deliveryId", Code::UnknownDelivery, message)?;
            let views = &submission.gateway.views;
            let unknown = || Refusal::new(Code::UnknownDelivery, message).at("deliveryId");
            let delivery = views.delivery(id).await?.ok_or_else(unknown)?;
            let has_arrived = delivery.state == DeliveryState::Delivered;
            let arrived = || {
                let message = "This has arrived; `replayWebhook` sends it once more.";
                Refusal::new(Code::NotApplicable, message).at("deliveryId")
            };
            // Without a command id it can't be the same command as one before.
            if has_arrived && !input.retry.is_repeatable() {
                return Err(arrived().into());
            }
            let command = Command::RetryDelivery(webhook::RetryDelivery { delivery_id: id });
            let completed = submission.send_to_webhook(delivery.webhook, command, input.retry.into()).await?;
            // It may have arrived because of this very command, of which the caller has not seen the answer.
            if has_arrived && completed.unless_repeated(()).is_some() {
                return Err(arrived().into());
            }
            // Deliveries are operational state. A request that is cut off between the two is sent again with the same
            // command id, and this is done once more.
            views.retry_delivery(delivery.webhook, id, now()).await?;
            Ok(RetryDeliveryPayload {
                user_errors: Vec::new(),
                delivery: read_back(&completed, views.delivery(id)).await,
            })
        })
        .await
    }
}
