//! Mutations of webhooks. The secret of a webhook is shown in one answer alone.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use domain::decision_context::Prepared;
use domain::id::WebhookId;
use domain::refusal::Refusal;
use domain::webhook::{self, Command};
use service_kit::causes::Causes;

use super::patch::patch;
use super::payload_names::{EditWebhook, PauseWebhook, ReplayWebhook, ResumeWebhook};
use super::retry::{RetryFields, WebhookRetryFields};
use super::webhook_payloads::{
    CreateWebhookPayload, DeleteWebhookPayload, RotateWebhookSecretPayload, WebhookPayload,
};
use crate::error::{ApiError, MutationError, into_payload};
use crate::ids::webhook_id;
use crate::schema::context::submission;
use crate::schema::scalar::{DateTime, Position};
use crate::secrets::WebhookSecret;
use crate::submission::{CommandOptions, Submission};
use crate::webhook_positions;

/// Sends the events of users to an address from now on.
#[derive(InputObject)]
pub(crate) struct CreateWebhookInput {
    /// The name. It never changes: up to 100 characters; case makes no difference.
    name: String,
    /// Where to send to. Private networks, and http:, only where the operator allows them.
    url: String,
    /// Which events: wire names, and beginnings such as `muster.user.*`; all when empty or absent.
    types: Option<Vec<String>>,
    /// Only events of users who are in this group just before or just after them.
    group_id: Option<ID>,
    /// `application/cloudevents+json` (the default) or `application/json`, for receivers that read no other JSON.
    content_type: Option<String>,
    /// Where to begin: after this position, or with the first event for `start`; from now on when absent.
    after: Option<Position>,
    #[graphql(flatten)]
    retry: RetryFields,
}

/// Changes where and what a webhook sends. Absent means keep, null means the default.
#[derive(InputObject)]
pub(crate) struct EditWebhookInput {
    /// The webhook.
    webhook_id: ID,
    /// Where to send to.
    url: MaybeUndefined<String>,
    /// Which events: wire names, and beginnings such as `muster.user.*`; all when empty.
    types: MaybeUndefined<Vec<String>>,
    /// Only events of users of this group.
    group_id: MaybeUndefined<ID>,
    /// `application/cloudevents+json` or `application/json`.
    content_type: MaybeUndefined<String>,
    #[graphql(flatten)]
    retry: WebhookRetryFields,
}

/// Lets a webhook send nothing until it is resumed.
#[derive(InputObject)]
pub(crate) struct PauseWebhookInput {
    /// The webhook.
    webhook_id: ID,
    #[graphql(flatten)]
    retry: WebhookRetryFields,
}

/// Lets a webhook send again.
#[derive(InputObject)]
pub(crate) struct ResumeWebhookInput {
    /// The webhook.
    webhook_id: ID,
    #[graphql(flatten)]
    retry: WebhookRetryFields,
}

/// Gives a webhook a new secret.
#[derive(InputObject)]
pub(crate) struct RotateWebhookSecretInput {
    /// The webhook.
    webhook_id: ID,
    /// For how many more seconds the old secret signs as well; a day by default, 30 days at most.
    overlap_seconds: Option<i32>,
    #[graphql(flatten)]
    retry: WebhookRetryFields,
}

/// Has a webhook send once more what it sent before. Give exactly one of `after` and `from`.
#[derive(InputObject)]
pub(crate) struct ReplayWebhookInput {
    /// The webhook.
    webhook_id: ID,
    /// After this position, or with the first event for `start`.
    after: Option<Position>,
    /// With the first event that is not older than this, in each partition.
    from: Option<DateTime>,
    #[graphql(flatten)]
    retry: WebhookRetryFields,
}

/// Takes a webhook away.
#[derive(InputObject)]
pub(crate) struct DeleteWebhookInput {
    /// The webhook.
    webhook_id: ID,
    #[graphql(flatten)]
    retry: WebhookRetryFields,
}

#[derive(Default)]
pub(super) struct WebhookMutations;

#[Object]
impl WebhookMutations {
    /// Sends the events of users to an address from now on, signed with a secret that is shown this once. For administrators.
    async fn create_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: CreateWebhookInput,
    ) -> Option<Result<CreateWebhookPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("CreateWebhook", None)?;
            let after = input.after.map(|after| after.as_str().to_owned());
            let id = WebhookId::named(input.name.trim());
            let (secret, sealed) = make_secret(&submission, id).await?;
            let begin = webhook_positions::begin_after(submission.gateway, after.as_deref()).await?;
            let command = Command::CreateWebhook(webhook::CreateWebhook {
                name: input.name,
                url: input.url,
                types: input.types.unwrap_or_default(),
                group_id: input.group_id.map(|group| crate::ids::group_id(&group)).transpose()?,
                content_type: input.content_type,
                after,
            });
            let options = CommandOptions::from(input.retry)
                .prepared(Prepared::WebhookSecret { sealed, after: Some(begin) });
            let completed = submission.send_to_webhook(id, command, options).await?;
            Ok(CreateWebhookPayload::after(&submission, &completed, id, &secret.text()).await)
        })
        .await
    }

    /// Changes where and what a webhook sends. A new address is tried at once. For administrators.
    async fn edit_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: EditWebhookInput,
    ) -> Option<Result<WebhookPayload<EditWebhook>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("EditWebhook", Some(&input.webhook_id))?;
            let id = webhook_id(&input.webhook_id)?;
            let group_id = match input.group_id {
                MaybeUndefined::Value(group) => MaybeUndefined::Value(crate::ids::group_id(&group)?),
                MaybeUndefined::Null => MaybeUndefined::Null,
                MaybeUndefined::Undefined => MaybeUndefined::Undefined,
            };
            let command = Command::EditWebhook(webhook::EditWebhook {
                url: patch(input.url),
                types: patch(input.types),
                group_id: patch(group_id),
                content_type: patch(input.content_type),
            });
            let completed = submission.send_to_webhook(id, command, input.retry.into()).await?;
            Ok(WebhookPayload::after(&submission, &completed, id).await)
        })
        .await
    }

    /// Lets a webhook send nothing until it is resumed. Events wait meanwhile. For administrators.
    async fn pause_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: PauseWebhookInput,
    ) -> Option<Result<WebhookPayload<PauseWebhook>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("PauseWebhook", Some(&input.webhook_id))?;
            let id = webhook_id(&input.webhook_id)?;
            let completed = submission.send_to_webhook(id, Command::PauseWebhook, input.retry.into()).await?;
            Ok(WebhookPayload::after(&submission, &completed, id).await)
        })
        .await
    }

    /// Lets a webhook send again, also one whose receiver was gone, and tries at once what waits. For administrators.
    async fn resume_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ResumeWebhookInput,
    ) -> Option<Result<WebhookPayload<ResumeWebhook>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("ResumeWebhook", Some(&input.webhook_id))?;
            let id = webhook_id(&input.webhook_id)?;
            let completed =
                submission.send_to_webhook(id, Command::ResumeWebhook, input.retry.into()).await?;
            Ok(WebhookPayload::after(&submission, &completed, id).await)
        })
        .await
    }

    /// Gives a webhook a new secret, shown this once. The old one signs beside it for a while. For administrators.
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: RotateWebhookSecretInput,
    ) -> Option<Result<RotateWebhookSecretPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("RotateWebhookSecret", Some(&input.webhook_id))?;
            let id = webhook_id(&input.webhook_id)?;
            let (secret, sealed) = make_secret(&submission, id).await?;
            // No time is negative, so a negative one is out of every range.
            let overlap_seconds = input.overlap_seconds.map(|it| u64::try_from(it).unwrap_or(u64::MAX));
            let command = Command::RotateWebhookSecret(webhook::RotateSecret { overlap_seconds });
            let options =
                CommandOptions::from(input.retry).prepared(Prepared::WebhookSecret { sealed, after: None });
            let completed = submission.send_to_webhook(id, command, options).await?;
            Ok(RotateWebhookSecretPayload::after(&submission, &completed, id, &secret.text()).await)
        })
        .await
    }

    /// Has a webhook send once more what it sent before, from a position or an instant on. For administrators.
    async fn replay_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ReplayWebhookInput,
    ) -> Option<Result<WebhookPayload<ReplayWebhook>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("ReplayWebhook", Some(&input.webhook_id))?;
            let id = webhook_id(&input.webhook_id)?;
            let mut options = CommandOptions::from(input.retry);
            let after = input.after.map(|after| after.as_str().to_owned());
            if let Some(after) = &after {
                let after = webhook_positions::begin_after(submission.gateway, Some(after)).await?;
                options = options.prepared(Prepared::ReplayAfter { after });
            }
            let from = input.from.map(Into::into);
            let command = Command::ReplayWebhook(webhook::ReplayWebhook { after, from });
            let completed = submission.send_to_webhook(id, command, options).await?;
            Ok(WebhookPayload::after(&submission, &completed, id).await)
        })
        .await
    }

    /// Takes a webhook away, with what it has not delivered. Its name is free then. For administrators.
    async fn delete_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: DeleteWebhookInput,
    ) -> Option<Result<DeleteWebhookPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("DeleteWebhook", Some(&input.webhook_id))?;
            let id = webhook_id(&input.webhook_id)?;
            submission.send_to_webhook(id, Command::DeleteWebhook, input.retry.into()).await?;
            Ok(DeleteWebhookPayload::gone(id))
        })
        .await
    }
}

/// A new secret, and the same sealed for the webhook.
async fn make_secret(
    submission: &Submission<'_>,
    id: WebhookId,
) -> Result<(WebhookSecret, String), MutationError> {
    let Some(keys) = submission.gateway.webhooks.keys.get().cloned() else {
        let message =
            "This gateway was started without --secret-key, which the secrets of webhooks are sealed under.";
        return Err(Refusal::new(domain::refusal::Code::NotApplicable, message).into());
    };
    // The file of the keys is read again for it.
    let sealed = tokio::task::spawn_blocking(move || {
        let secret = WebhookSecret::new();
        secret.seal(id, &keys).map(|sealed| (secret, sealed)).map_err(|error| Causes(&error).to_string())
    });
    let error = match sealed.await {
        Ok(Ok(sealed)) => return Ok(sealed),
        Ok(Err(error)) => error,
        Err(panicked) => panicked.to_string(),
    };
    tracing::error!(error, "A webhook's secret can't be sealed.");
    Err(ApiError::UNAVAILABLE.into())
}
