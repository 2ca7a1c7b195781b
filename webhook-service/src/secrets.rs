//! The secrets that sign a webhook's deliveries now.

use std::sync::Arc;

use domain::timestamp::Timestamp;
use domain::webhook::secret_place;
use read_model::ReadModel;
use read_model::webhooks::{WebhookRow, WebhookSecretRow};
use sealing::Keyring;
use secrecy::SecretSlice;
use service_kit::causes::Causes;

use crate::clock::now;

/// Secrets, opened. The newest comes first.
#[derive(Clone)]
pub(crate) struct Secrets {
    current: SecretSlice<u8>,
    old: Option<(SecretSlice<u8>, Timestamp)>,
}

/// Why a webhook's deliveries can't be signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSecret {
    /// The views don't show it yet.
    #[error("its secret is not there yet")]
    NotYet,
    /// The key is missing, or the value was changed.
    #[error("its secret can't be opened: {0}; give back the key, or rotate the webhook's secret")]
    Sealed(sealing::UnsealError),
    /// The views can't be asked.
    #[error("{0}")]
    Views(String),
}

impl Secrets {
    /// Reads and opens the secrets of a webhook.
    pub(crate) async fn of(
        webhook: &WebhookRow,
        views: &ReadModel,
        keys: &Arc<Keyring>,
    ) -> Result<Self, NoSecret> {
        let sealed = views.webhook_secrets(webhook.id).await;
        let sealed = sealed.map_err(|error| NoSecret::Views(Causes(&error).to_string()))?;
        let (webhook, keys) = (webhook.clone(), keys.clone());
        let open = move || Self::open(&webhook, &sealed, &keys);
        // The file of the keys may be read again for it.
        tokio::task::spawn_blocking(open).await.map_err(|error| NoSecret::Views(error.to_string()))?
    }

    fn open(webhook: &WebhookRow, sealed: &[WebhookSecretRow], keys: &Keyring) -> Result<Self, NoSecret> {
        let open = |number: u64| {
            let row = sealed.iter().find(|row| row.number == number);
            let row = row.ok_or(NoSecret::NotYet)?;
            keys.open(&secret_place(webhook.id), &row.sealed).map_err(NoSecret::Sealed)
        };
        let current = open(webhook.secret)?;
        let old = match (webhook.old_secret, webhook.old_secret_until) {
            // A secret that is about to end must not stop what the new one signs.
            (Some(number), Some(until)) if until > now() => open(number).ok().map(|secret| (secret, until)),
            _ => None,
        };
        Ok(Self { current, old })
    }

    /// One secret, for a test.
    #[cfg(test)]
    pub(crate) fn only(current: SecretSlice<u8>) -> Self {
        Self { current, old: None }
    }

    /// Those that sign at this moment.
    pub(crate) fn valid(&self) -> Vec<SecretSlice<u8>> {
        let old = self.old.iter().filter(|(_, until)| *until > now()).map(|(secret, _)| secret.clone());
        std::iter::once(self.current.clone()).chain(old).collect()
    }
}
