//! The secret of a webhook: made, shown once as text, and sealed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::id::WebhookId;
use domain::webhook::secret_place;
use sealing::{Keyring, KeyringError};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

/// What the text of a secret begins with (Standard Webhooks 1.0).
const PREFIX: &str = "whsec_";
/// Bytes of a secret: a multiple of three, so that its base64 has no padding that a copy could lose.
const LENGTH: usize = 33;

/// A webhook's secret.
pub(crate) struct WebhookSecret(SecretSlice<u8>);

impl WebhookSecret {
    /// A new secret of the operating system's randomness.
    pub(crate) fn new() -> Self {
        let mut bytes = vec![0; LENGTH];
        getrandom::fill(&mut bytes).expect("the operating system has randomness");
        Self(bytes.into())
    }

    /// The text that receivers are given.
    pub(crate) fn text(&self) -> SecretString {
        format!("{PREFIX}{}", STANDARD.encode(self.0.expose_secret())).into()
    }

    /// The secret, sealed for one webhook.
    pub(crate) fn seal(&self, webhook: WebhookId, keys: &Keyring) -> Result<String, KeyringError> {
        keys.seal(&secret_place(webhook), self.0.expose_secret())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_whsec_and_base64_without_padding() {
        let text = WebhookSecret::new().text();
        let body = text.expose_secret().strip_prefix("whsec_").unwrap();
        assert!(body.len() == 44 && !body.contains('='), "{} characters", body.len());
        assert_eq!(STANDARD.decode(body).unwrap().len(), 33);
        assert_ne!(WebhookSecret::new().text().expose_secret(), text.expose_secret());
    }
}
