//! The AsyncAPI 3 document: every topic, and every kind of record that lies in it.

use event_log::kafka::{KafkaSettings, TopicSpec, wanted_topics};
use log_model::Stream;
use log_model::record::{DATASCHEMA, TYPE};
use serde_json::{Map, Value, json};

use super::headers::{self, id};
use super::keyed;
use super::message::{JSON, Message, reference};

/// The partitions that `muster topics` makes where nobody says how many.
const PARTITIONS: u32 = 8;

const ABOUT: &str = "What Muster writes to Kafka. `docs/log-format.md` explains it: which partition a key has, how to verify \
the hash chain, what control records and offsets mean. Read with `isolation.level=read_committed`, else records of aborted \
transactions show up. Batches are compressed with lz4. Events are CloudEvents 1.0 in Kafka's binary content mode: \
attributes are headers, and the body is the event's data. Credentials, owners, snapshots and the reservations in `claims` \
are no CloudEvents.";

/// The topics by the name behind the prefix: the key of the channel, what is in it, and its messages.
fn channels() -> Vec<(&'static str, &'static str, &'static str, Vec<Message>)> {
    let of = |stream| events(stream).chain([keyed::claim()]).collect();
    let reservations = keyed::reservations().into_iter().chain([keyed::claim()]).collect();
    vec![
        (
            "user-events",
            "userEvents",
            "What happened to users. Chained. Kept permanently.",
            of(Stream::UserEvents),
        ),
        (
            "group-events",
            "groupEvents",
            "What happened to groups, and the deployment's own record. Chained. Kept permanently. One partition.",
            of(Stream::GroupEvents),
        ),
        (
            "access",
            "access",
            "Sign-ins, failures and denials, written by gateways outside of transactions. Not chained. Kept for 400 days.",
            events(Stream::Access).collect(),
        ),
        (
            "credentials",
            "credentials",
            "Digests of passwords and tokens. Restricted. Compacted, with tombstones.",
            keyed::credentials(),
        ),
        (
            "claims",
            "claims",
            "Reservations of e-mail addresses, between owners. Compacted, with tombstones.",
            reservations,
        ),
        ("owners", "owners", "Which process owns which partition. Compacted.", vec![keyed::announcement()]),
        ("snapshots", "snapshots", "What owners know, for their successors.", vec![keyed::snapshot()]),
    ]
}

/// The document.
pub(super) fn document() -> Value {
    let topics = wanted_topics(&KafkaSettings::new("", ""), PARTITIONS);
    let (mut channel_objects, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for (topic, channel, description, of_channel) in channels() {
        let spec = topics.iter().find(|spec| spec.name == topic).expect("the code makes every topic");
        let refer = |message: &Message| (message.name.clone(), reference("messages", &message.name));
        let references: Map<_, _> = of_channel.iter().map(refer).collect();
        let sent: Vec<_> = references
            .keys()
            .map(|name| json!({ "$ref": format!("#/channels/{channel}/messages/{name}") }))
            .collect();
        operations.insert(
            format!("write{}{}", channel[..1].to_uppercase(), &channel[1..]),
            json!({
                "action": "send",
                "channel": { "$ref": format!("#/channels/{channel}") },
                "title": format!("Write {topic}"),
                "summary": format!("Muster writes records of `{topic}`."),
                "messages": sent,
            }),
        );
        channel_objects.insert(
            channel.to_owned(),
            json!({
                "address": format!("{{prefix}}{topic}"),
                "title": topic,
                "description": description,
                "parameters": { "prefix": reference("parameters", "prefix") },
                "servers": [{ "$ref": "#/servers/kafka" }],
                "messages": references,
                "bindings": { "kafka": binding(spec) },
            }),
        );
        messages.extend(of_channel.iter().map(|message| (message.name.clone(), message.document())));
    }
    json!({
        "asyncapi": "3.1.0",
        "id": "urn:muster:log",
        "info": {
            "title": "The log of Muster",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0" },
            "tags": [{ "name": "cloudevents" }, { "name": "kafka" }],
        },
        "defaultContentType": JSON,
        "servers": { "kafka": server() },
        "channels": channel_objects,
        "operations": operations,
        "components": {
            "parameters": { "prefix": {
                "description": "What stands before the name of every topic: the setting `topic_prefix`.",
                "default": "muster.",
            } },
            "messages": messages,
            "schemas": {
                "chainedHeaders": headers::chained(),
                "accessHeaders": headers::access(),
                "claimHeaders": headers::claim(),
                "keyedHeaders": headers::keyed(),
                "instant": headers::instant(),
            },
        },
    })
}

/// The events of a stream.
fn events(stream: Stream) -> impl Iterator<Item = Message> {
    super::events::all().into_iter().filter(move |(of, ..)| *of == stream).map(move |(_, name, schema)| {
        let base = if stream.is_chained() { "chainedHeaders" } else { "accessHeaders" };
        let own = json!({ TYPE: { "const": name }, DATASCHEMA: { "const": schema["$id"] } });
        Message {
            name: name.to_owned(),
            summary: schema["description"].as_str().unwrap_or_default().to_owned(),
            content_type: JSON,
            key: key(name),
            headers: json!({ "allOf": [reference("schemas", base), { "type": "object", "properties": own }] }),
            payload: json!({ "$ref": format!("./events/{name}.json") }),
        }
    })
}

/// The key of an event.
fn key(name: &str) -> Value {
    let (pattern, description) = match name.split('.').nth(1) {
        Some("user") => (format!("^{}$", id("user")), "The id of the user."),
        Some("group") => (format!("^{}$", id("group")), "The id of the group."),
        Some("deployment") => ("^deployment$".to_owned(), "There is one."),
        _ => (
            format!("^({}|{}|[0-9a-f]{{64}})$", id("user"), id("group")),
            "The id of the user or group, or the SHA-256 of the name that was tried.",
        ),
    };
    json!({ "type": "string", "pattern": pattern, "description": description })
}

fn server() -> Value {
    json!({
        "host": "{broker}",
        "protocol": "kafka",
        "description": "The brokers of the setting `log`. The embedded log is SQLite and has no server.",
        "variables": { "broker": { "default": "localhost:9092", "description": "Host and port." } },
    })
}

/// What the topic is made with. `muster topics` sets the number of partitions.
fn binding(spec: &TopicSpec) -> Value {
    let mut settings = Map::new();
    for (name, value) in spec.required.iter().chain(&spec.initial) {
        let value = match (*name, value.parse::<i64>()) {
            ("cleanup.policy", _) => json!([value]),
            (_, Ok(number)) => json!(number),
            _ => json!(value),
        };
        // The binding knows these settings of a topic and no others.
        if ["cleanup.policy", "retention.ms", "retention.bytes", "delete.retention.ms"].contains(name) {
            settings.insert((*name).to_owned(), value);
        }
    }
    json!({ "partitions": spec.partitions, "topicConfiguration": settings, "bindingVersion": "0.5.0" })
}
