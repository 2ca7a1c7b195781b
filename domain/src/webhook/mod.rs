//! The webhook: an address outside that is sent the events of users.
//!
//! What happens to a webhook is decided here and is in the log. How far its deliveries are is not: the webhook service
//! keeps that as operational state (`docs/adr/0020-webhooks.md`).

mod commands;
mod content_type;
mod event_types;
mod events;
mod name;
mod state;
mod target;

pub use commands::{Command, CreateWebhook, EditWebhook, ReplayWebhook, RetryDelivery, RotateSecret};
pub use content_type::ContentType;
pub use event_types::EventTypes;
pub use events::{
    Created, Deleted, DeliveryRetried, Edited, Event, Paused, Replayed, Resumed, SecretRotated,
};
pub use state::Webhook;

/// Most webhooks of a deployment. Each reads the log by itself.
pub const MOST_WEBHOOKS: usize = 50;

/// Where the secret of a webhook is sealed for: its id. A sealed secret of another webhook doesn't open here.
pub fn secret_place(id: crate::id::WebhookId) -> String {
    format!("webhook-secret/{id}")
}
