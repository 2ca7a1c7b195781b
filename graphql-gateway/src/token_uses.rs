//! Remembers when and from where an auth token was last used, without delaying the request.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use domain::actor::Client;
use domain::credential::Scope;
use domain::id::TokenId;
use read_model::ReadModel;
use read_model::tokens::TokenUse;
use service_kit::causes::Causes;

use crate::clock::now;

/// Shortest time between two writes of the same token's last use.
const WRITE_INTERVAL: Duration = Duration::from_mins(1);
/// Most tokens in memory. Beyond it all are forgotten, and each is written once more.
const TOKENS: usize = 50_000;

/// Writes the last uses of tokens to the views, at most once a minute per token.
pub(crate) struct TokenUses {
    views: ReadModel,
    written: Written,
}

impl TokenUses {
    pub(crate) fn new(views: ReadModel) -> Self {
        Self { views, written: Written::default() }
    }

    /// Records a use in the background.
    pub(crate) fn record(&self, id: TokenId, client: &Client, service: Option<Scope>) {
        if !self.written.is_due(id, Instant::now()) {
            return;
        }
        let views = self.views.clone();
        let last_use = TokenUse { at: now(), address: client.address.clone(), service };
        tokio::spawn(async move {
            if let Err(error) = views.token_used(id, &last_use).await {
                tracing::warn!(
                    error = %Causes(&error),
                    "The last use of a token was not written."
                );
            }
        });
    }
}

/// When this gateway last wrote the use of each token.
#[derive(Debug, Default)]
struct Written {
    at: Mutex<HashMap<TokenId, Instant>>,
}

impl Written {
    /// Whether the use is to be written; if so, it counts as written.
    fn is_due(&self, id: TokenId, now: Instant) -> bool {
        let mut written = self.at.lock().expect("nothing panics while it holds the lock");
        if written.get(&id).is_some_and(|last| now.duration_since(*last) < WRITE_INTERVAL) {
            return false;
        }
        if written.len() >= TOKENS {
            written.clear();
        }
        written.insert(id, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_last_use_of_a_token_is_written_once_a_minute_at_most() {
        let uses = Written::default();
        let (one, other) = (TokenId::from_uuid(Uuid::nil()), TokenId::from_uuid(Uuid::max()));
        let start = Instant::now();
        assert!(uses.is_due(one, start));
        assert!(!uses.is_due(one, start + Duration::from_secs(59)));
        assert!(uses.is_due(other, start + Duration::from_secs(59)));
        assert!(uses.is_due(one, start + Duration::from_mins(1)));
    }
}
