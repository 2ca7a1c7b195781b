//! The media type under which a webhook sends events.

use serde::{Deserialize, Serialize};

use crate::refusal::{Code, Refusal};

/// The media type of a delivery. The body is the same under either.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum ContentType {
    /// `CloudEvents` in structured mode.
    #[default]
    #[serde(rename = "application/cloudevents+json")]
    CloudEvents,
    /// For frameworks that read no other JSON.
    #[serde(rename = "application/json")]
    Json,
}

impl ContentType {
    /// Every media type.
    pub const ALL: [Self; 2] = [Self::CloudEvents, Self::Json];

    /// The media type as a header has it: bare, because some receivers compare it as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CloudEvents => "application/cloudevents+json",
            Self::Json => "application/json",
        }
    }

    /// Reads a media type.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| {
            let [first, second] = Self::ALL.map(Self::as_str);
            Refusal::new(Code::UnknownValue, format!("The content type is `{first}` or `{second}`."))
        })
    }
}
