//! The records that are no events, as messages for the AsyncAPI document: claim records, credentials and their
//! tombstones, reservations, announcements, snapshots.

use log_model::record::{CLAIM_KEY, CLAIM_TYPE};
use serde_json::{Map, Value, json};

use super::headers::{self, id};
use super::message::{JSON, Message, reference};

/// The claim record, which lies in three topics.
pub(super) fn claim() -> Message {
    let owner = json!({ "type": "string", "description": "The process, for people who read the log." });
    Message {
        name: CLAIM_TYPE.to_owned(),
        summary: "An owner has taken the partition over. Every reader passes over it. A CloudEvent without subject, schema, sequence and chain value.".to_owned(),
        key: json!({ "const": CLAIM_KEY }),
        content_type: JSON,
        headers: reference("schemas", "claimHeaders"),
        payload: fields(&[("owner", owner)], &["owner"]),
    }
}

/// The records of `credentials`.
pub(super) fn credentials() -> Vec<Message> {
    let password = format!("^{}/password$", id("user"));
    let token = format!("^{}/{}$", id("user"), id("token"));
    let webhook = format!("^{}/secret/[0-9]+$", id("webhook"));
    let any = format!("^({}/(password|{})|{}/secret/[0-9]+)$", id("user"), id("token"), id("webhook"));
    let digest = json!({ "type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 of the secret, in hex." });
    let expires = reference("schemas", "instant");
    let version = json!({ "type": "integer", "minimum": 0, "description": "Number of the user's event that it came with." });
    let kind = |kind: &str| json!({ "const": kind });
    let texts = |description: &str| json!({ "type": "array", "items": { "type": "string" }, "description": description });
    let sealed = json!({ "type": "string", "description": "The sealed secret." });
    let phc = json!({ "type": "string", "description": "argon2id as a PHC string." });
    vec![
        keyed(
            "credential.permanent",
            "The password that a user chose. Read `credentials` only to verify secrets.",
            &password,
            fields(
                &[("kind", kind("permanent")), ("phc", phc), ("version", version.clone())],
                &["kind", "phc", "version"],
            ),
        ),
        keyed(
            "credential.temporary",
            "A temporary password, which must be changed before anything else.",
            &password,
            fields(
                &[
                    ("kind", kind("temporary")),
                    ("digest", digest.clone()),
                    ("expiresAt", expires.clone()),
                    ("version", version.clone()),
                ],
                &["kind", "digest", "expiresAt", "version"],
            ),
        ),
        keyed(
            "credential.token",
            "An auth token.",
            &token,
            fields(
                &[
                    ("kind", kind("token")),
                    ("digest", digest),
                    ("expiresAt", expires),
                    ("scopes", texts("Where it is valid.")),
                    ("allowedNetworks", texts("The networks from which it is valid. Absent: all.")),
                    ("version", version.clone()),
                ],
                &["kind", "digest", "scopes", "version"],
            ),
        ),
        keyed(
            "credential.webhook",
            "The secret that signs what a webhook sends, sealed under the deployment's key.",
            &webhook,
            fields(
                &[("kind", kind("webhook")), ("sealed", sealed), ("version", version)],
                &["kind", "sealed", "version"],
            ),
        ),
        tombstone(
            "credential.gone",
            "Tombstone: the credential is gone. Compaction keeps it for 400 days.",
            &any,
        ),
    ]
}

/// The records of `claims`.
pub(super) fn reservations() -> Vec<Message> {
    let address = format!("^{}$", id("address"));
    let reservation = format!("^{}$", id("claim"));
    let user = json!({ "type": "string", "pattern": format!("^{}$", id("user")), "description": "The user who was granted the address last." });
    let claim = json!({ "anyOf": [{ "type": "string", "pattern": reservation }, { "type": "null" }], "description": "Their reservation." });
    vec![
        keyed(
            "reservation.holder",
            "Who was granted a reservation of an e-mail address last. Only owners read it; the user's own events say who holds an address.",
            &address,
            fields(&[("holder", user), ("claim", claim)], &["holder", "claim"]),
        ),
        keyed("reservation.void", "A reservation can't be used any more.", &reservation, fields(&[], &[])),
        tombstone(
            "reservation.forgotten",
            "Tombstone: a void reservation is too old to be used anyway.",
            &reservation,
        ),
    ]
}

/// The record of `owners`.
pub(super) fn announcement() -> Message {
    let number = |description: &str| json!({ "type": "integer", "minimum": 0, "description": description });
    keyed(
        "owner.announced",
        "A process owns a partition. The greater epoch wins.",
        "^user-events-[0-9]+$",
        fields(
            &[
                ("partition", number("The partition of `user-events`.")),
                ("url", json!({ "type": "string", "description": "Where it takes commands." })),
                ("epoch", number("Offset of its claim record in `user-events`.")),
            ],
            &["partition", "url", "epoch"],
        ),
    )
}

/// The record of `snapshots`: bytes that only the release that wrote them has to read.
pub(super) fn snapshot() -> Message {
    let chunk = json!({ "type": "string", "description": "Which chunk of which snapshot it is, as JSON." });
    let headers = Map::from_iter([("muster-snapshot".to_owned(), chunk)]);
    Message {
        name: "snapshot.chunk".to_owned(),
        summary: "A part of what an owner knows, for its successor. Binary, private to owners, and may change with any release.".to_owned(),
        key: json!({ "type": "null" }),
        content_type: "application/octet-stream",
        headers: headers::object(&headers, &["muster-snapshot"]),
        payload: json!({ "type": "string", "description": "Bytes." }),
    }
}

fn keyed(name: &str, summary: &str, key: &str, payload: Value) -> Message {
    let key = json!({ "type": "string", "pattern": key });
    let headers = reference("schemas", "keyedHeaders");
    Message { name: name.to_owned(), summary: summary.to_owned(), content_type: JSON, key, headers, payload }
}

fn tombstone(name: &str, summary: &str, key: &str) -> Message {
    keyed(name, summary, key, json!({ "type": "null" }))
}

fn fields(properties: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<_, _> =
        properties.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}
