//! The headers of records, as schemas for the AsyncAPI document.
//!
//! AsyncAPI has its own dialect of JSON Schema, which is a superset of draft 7.

use log_model::record::{
    ACTOR, ACTORNAME, ACTORROLE, ATTRIBUTES, CHAIN, CLAIM_TYPE, CLIENT, COMMANDDIGEST, COMMANDID,
    CONTENT_TYPE, CORRELATIONID, DATASCHEMA, ID, SEQUENCE, SOURCE, SPECVERSION, SUBJECT, TIME, TRACEPARENT,
    TYPE,
};
use serde_json::{Map, Value, json};

const UUID: &str = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const INSTANT: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$";

/// The pattern of an id with this prefix, without the ends of the text.
pub(super) fn id(kind: &str) -> String {
    format!("{kind}_{UUID}")
}

/// An instant in a body.
pub(super) fn instant() -> Value {
    text(INSTANT, "An instant in UTC: RFC 3339 with up to six digits of a second.")
}

/// The headers of the events of a chained stream.
pub(super) fn chained() -> Value {
    let mut headers = event();
    headers.insert(
        SEQUENCE.to_owned(),
        text("^([0-9]{20}|[1-9][0-9]*)$", "Number of the event within its user, group or deployment, from 1, without gaps. Twenty digits, so that it sorts as text; 0.1.0 wrote it without zeros in front."),
    );
    headers.insert(
        CHAIN.to_owned(),
        text("^[0-9a-f]{64}$", "Value of the hash chain of the partition after this record."),
    );
    let required: Vec<_> = required(&[]).chain([CHAIN, CONTENT_TYPE]).collect();
    object(&headers, &required)
}

/// The headers of access records, which belong to no command and are not chained.
pub(super) fn access() -> Value {
    let mut headers = event();
    let absent = "Absent: the record belongs to no command. 0.1.0 wrote";
    headers.insert(SEQUENCE.to_owned(), json!({ "const": "0", "description": format!("{absent} 0.") }));
    for header in [COMMANDID, COMMANDDIGEST] {
        headers
            .insert(header.to_owned(), json!({ "const": "", "description": format!("{absent} no text.") }));
    }
    let required: Vec<_> = required(&[SEQUENCE, COMMANDID, COMMANDDIGEST]).chain([CONTENT_TYPE]).collect();
    object(&headers, &required)
}

/// What every event must have: the attributes, without these and the role, which is absent if the actor is no user.
fn required(without: &[&str]) -> impl Iterator<Item = &'static str> {
    ATTRIBUTES.into_iter().filter(move |name| *name != ACTORROLE && !without.contains(name))
}

/// The headers of a claim record.
pub(super) fn claim() -> Value {
    let all = event();
    let names = [SPECVERSION, ID, SOURCE, TIME, CONTENT_TYPE];
    let mut headers: Map<_, _> = names.iter().map(|name| ((*name).to_owned(), all[*name].clone())).collect();
    headers.insert(TYPE.to_owned(), json!({ "const": CLAIM_TYPE }));
    object(&headers, &[SPECVERSION, ID, TYPE, SOURCE, TIME, CONTENT_TYPE])
}

/// The one header of a record that is no event.
pub(super) fn keyed() -> Value {
    object(&Map::from_iter([content_type()]), &[CONTENT_TYPE])
}

/// An object of headers. There are no others.
pub(super) fn object(headers: &Map<String, Value>, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": headers, "required": required, "additionalProperties": false })
}

fn event() -> Map<String, Value> {
    let headers = [
        (
            SPECVERSION,
            json!({ "const": "1.0", "description": "Version of the specification of CloudEvents." }),
        ),
        (ID, text(&format!("^{UUID}$"), "UUIDv7 of the record.")),
        (TYPE, text(r"^muster\.[a-z_.]+$", "Wire name of the event.")),
        (SOURCE, json!({ "const": "/muster", "description": "Where the event was made." })),
        (
            TIME,
            text(
                INSTANT,
                "When the command was decided, in UTC. Six digits of a second; 0.1.0 left zeros at the end away.",
            ),
        ),
        (SUBJECT, json!({ "type": "string", "description": "Equal to the key." })),
        (DATASCHEMA, text(r"^urn:muster:event:muster\.[a-z_.]+$", "The `$id` of the schema of the body.")),
        (COMMANDID, json!({ "type": "string", "description": "Id of the command, as its caller chose it." })),
        (COMMANDDIGEST, text("^[0-9a-f]{64}$", "SHA-256 of what the command asks, in hex.")),
        (
            CORRELATIONID,
            json!({ "type": "string", "description": "Id of the request that brought the command." }),
        ),
        (
            ACTOR,
            json!({ "type": "string", "description": "Id of the user that sent the command, or `anonymous` or `system`." }),
        ),
        (ACTORNAME, json!({ "type": "string", "description": "The actor's name at that time." })),
        (
            ACTORROLE,
            json!({ "type": "string", "description": "The actor's strongest role at that time. Absent if the actor is no user." }),
        ),
        (
            CLIENT,
            json!({ "type": "string", "description": "Address and user agent of the caller, as JSON." }),
        ),
        (
            TRACEPARENT,
            json!({ "type": "string", "description": "W3C trace context, if the request had one." }),
        ),
    ];
    let headers = headers.map(|(name, schema)| (name.to_owned(), schema));
    headers.into_iter().chain([content_type()]).collect()
}

fn content_type() -> (String, Value) {
    let description = "Media type of the body; tombstones have it too.";
    (CONTENT_TYPE.to_owned(), json!({ "const": "application/json", "description": description }))
}

fn text(pattern: &str, description: &str) -> Value {
    json!({ "type": "string", "pattern": pattern, "description": description })
}
