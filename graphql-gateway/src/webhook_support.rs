//! What webhooks need of a gateway: positions in the log, and the keys under which secrets are sealed.

use std::sync::{Arc, OnceLock};

use event_feed::Feeds;
use sealing::Keyring;

/// What webhooks need of a gateway.
pub(crate) struct WebhookSupport {
    /// Those that readers share.
    pub(crate) feeds: Feeds,
    /// Unset where the process was given no keys.
    pub(crate) keys: OnceLock<Arc<Keyring>>,
}

impl WebhookSupport {
    /// Without keys.
    pub(crate) fn new(feeds: Feeds) -> Self {
        Self { feeds, keys: OnceLock::new() }
    }
}
