//! The payloads of mutations of webhooks.

use std::borrow::Cow;
use std::marker::PhantomData;

use async_graphql::{ID, SimpleObject, TypeName};
use domain::id::WebhookId;
use secrecy::SecretString;

use super::payload::read_back;
use super::payload_names::{CreateWebhook, PayloadName, RotateWebhookSecret};
use crate::error::{ApiError, UserError};
use crate::schema::webhook::Webhook;
use crate::submission::{Completed, Submission};

/// What became of the mutation: refusals, or the webhook with a secret that is shown this once.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(crate) struct WebhookSecretPayload<M: PayloadName> {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The webhook, without its secret.
    webhook: Option<Result<Webhook, ApiError>>,
    /// The secret with which deliveries are verified, shown this once; null when the same command was sent before.
    secret: Option<String>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// What became of the mutation: refusals, or the webhook afterwards.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(crate) struct WebhookPayload<M: PayloadName> {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The webhook afterwards.
    webhook: Option<Result<Webhook, ApiError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct DeleteWebhookPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The webhook that is gone.
    deleted_webhook_id: Option<ID>,
}

/// The payload of `createWebhook`.
pub(crate) type CreateWebhookPayload = WebhookSecretPayload<CreateWebhook>;
/// The payload of `rotateWebhookSecret`.
pub(crate) type RotateWebhookSecretPayload = WebhookSecretPayload<RotateWebhookSecret>;

impl<M: PayloadName> WebhookSecretPayload<M> {
    /// The payload of a completed command.
    pub(super) async fn after(
        submission: &Submission<'_>,
        completed: &Completed,
        id: WebhookId,
        secret: &SecretString,
    ) -> Self {
        let webhook = read_back(completed, submission.gateway.views.webhook(id)).await;
        Self { user_errors: Vec::new(), webhook, secret: completed.secret(secret), mutation: PhantomData }
    }
}

impl<M: PayloadName> WebhookPayload<M> {
    /// The payload of a completed command.
    pub(super) async fn after(submission: &Submission<'_>, completed: &Completed, id: WebhookId) -> Self {
        let webhook = read_back(completed, submission.gateway.views.webhook(id)).await;
        Self { user_errors: Vec::new(), webhook, mutation: PhantomData }
    }
}

impl DeleteWebhookPayload {
    /// The payload of a completed command.
    pub(super) fn gone(id: WebhookId) -> Self {
        Self { user_errors: Vec::new(), deleted_webhook_id: Some(ID(id.to_string())) }
    }
}

impl<M: PayloadName> From<Vec<UserError>> for WebhookSecretPayload<M> {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, webhook: None, secret: None, mutation: PhantomData }
    }
}

impl<M: PayloadName> From<Vec<UserError>> for WebhookPayload<M> {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, webhook: None, mutation: PhantomData }
    }
}

impl From<Vec<UserError>> for DeleteWebhookPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, deleted_webhook_id: None }
    }
}

impl<M: PayloadName> TypeName for WebhookSecretPayload<M> {
    fn type_name() -> Cow<'static, str> {
        M::PAYLOAD.into()
    }
}

impl<M: PayloadName> TypeName for WebhookPayload<M> {
    fn type_name() -> Cow<'static, str> {
        M::PAYLOAD.into()
    }
}
