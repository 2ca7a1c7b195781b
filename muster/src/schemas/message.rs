//! A kind of record as a message of the AsyncAPI document.

use serde_json::{Value, json};

/// The media type of every body that is text.
pub(super) const JSON: &str = "application/json";

/// A kind of record.
pub(super) struct Message {
    /// Its name in the document: of an event the wire name.
    pub(super) name: String,
    /// What it says, in a sentence.
    pub(super) summary: String,
    /// The media type of the body.
    pub(super) content_type: &'static str,
    /// The schema of the key.
    pub(super) key: Value,
    /// The schema of the headers.
    pub(super) headers: Value,
    /// The schema of the body.
    pub(super) payload: Value,
}

impl Message {
    /// The message as the document has it.
    pub(super) fn document(&self) -> Value {
        json!({
            "name": self.name,
            "title": self.name,
            "summary": self.summary,
            "contentType": self.content_type,
            "headers": self.headers,
            "payload": self.payload,
            "bindings": { "kafka": { "key": self.key, "bindingVersion": "0.5.0" } },
        })
    }
}

/// A reference to a component of the document.
pub(super) fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}
