//! The name of a webhook.

use crate::refusal::Refusal;
use crate::text;

/// Most characters of a name.
const LONGEST: usize = 100;

/// A valid name: a text as typed. Two names are the same if they differ only in case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookName(String);

impl WebhookName {
    /// Trims and checks what somebody typed.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        text::required(text, LONGEST).map(Self)
    }

    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
