//! Secrets: generating, hashing and checking them. Clear texts are shown once and stored nowhere.
//!
//! The reasons are in `docs/adr/0005-secrets-stay-at-the-gateway.md`.

mod generated;
mod password_hash;
mod policy;
mod webhook;

pub use generated::{digest, is_token_secret, matches, session_token, temporary_password, token_secret};
pub use password_hash::{Cost, Hasher, HashingQueueFull, InvalidCost};
pub use policy::{LONGEST_PASSWORD, SHORTEST_PASSWORD, normalised};
pub(crate) use webhook::WebhookSecret;
