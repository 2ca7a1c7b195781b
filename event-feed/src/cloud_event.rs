//! An event as every reader sees it: CloudEvents 1.0 as JSON, and the same as a frame of an event stream.
//!
//! The fields are those of the record, under the same names. What the log keeps for itself is left out: the digest of the
//! command, and the address and program of the client.

use std::ops::Range;

use bytes::Bytes;
use log_model::record::{
    ACTOR, ACTORNAME, ACTORROLE, CHAIN, COMMANDID, CORRELATIONID, DATASCHEMA, ID, Recorded, SEQUENCE, SOURCE,
    SPECVERSION, SUBJECT, TIME, TRACEPARENT, TYPE, sequence_text,
};
use serde::de::IgnoredAny;

/// An event in the form that readers get. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CloudEvent {
    /// The wire name, such as `muster.user.approved`.
    pub event_type: String,
    /// Id of the user or group.
    pub subject: String,
    /// The partition of the record.
    pub partition: u32,
    /// The offset of the record.
    pub offset: u64,
    /// The event as a whole frame of an event stream.
    frame: Bytes,
    json: Range<usize>,
    position: Range<usize>,
}

/// A record that can't be shown as an event, because it is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place} offset {offset} is no event: {reason}")]
pub struct NotShown {
    place: log_model::StreamPartition,
    offset: u64,
    reason: String,
}

/// Text attributes that every event has.
const REQUIRED: [(&str, &str); 6] = [
    ("specversion", SPECVERSION),
    ("id", ID),
    ("type", TYPE),
    ("source", SOURCE),
    ("time", TIME),
    ("subject", SUBJECT),
];
/// Text attributes that an event may lack.
const OPTIONAL: [(&str, &str); 8] = [
    ("dataschema", DATASCHEMA),
    ("commandid", COMMANDID),
    ("correlationid", CORRELATIONID),
    ("actor", ACTOR),
    ("actorname", ACTORNAME),
    ("actorrole", ACTORROLE),
    ("traceparent", TRACEPARENT),
    ("chain", CHAIN),
];

impl CloudEvent {
    /// The event of a record. `position` is the text of the position of a reader who has seen the record.
    pub fn of(recorded: &Recorded, position: &str) -> Result<Self, NotShown> {
        let reason = |reason: String| NotShown { place: recorded.place, offset: recorded.offset, reason };
        Self::encode(recorded, position).map_err(reason)
    }

    fn encode(recorded: &Recorded, position: &str) -> Result<Self, String> {
        let record = &recorded.record;
        let (partition, offset) = (recorded.place.partition, recorded.offset);
        let body = record.body.as_deref().ok_or("it has no data")?;
        let event_type = required(recorded, TYPE)?.to_owned();
        let subject = required(recorded, SUBJECT)?.to_owned();
        let headers: usize = record.headers.iter().map(|(_, value)| value.len() + 24).sum();
        let mut text = String::with_capacity(headers + body.len() + 2 * position.len() + 200);
        text.push_str("event: ");
        text.push_str(&event_type);
        text.push_str("\ndata: ");
        let begin = text.len();
        text.push('{');
        for (name, header) in REQUIRED {
            push(&mut text, name, required(recorded, header)?);
        }
        push(&mut text, "datacontenttype", "application/json");
        for (name, header) in OPTIONAL {
            if let Some(value) = record.header(header).filter(|value| !value.is_empty()) {
                push(&mut text, name, value);
            }
        }
        let sequence = required(recorded, SEQUENCE)?.parse().map_err(|_| "its sequence is no number")?;
        // Sorts as text, whichever release wrote the record: `docs/adr/0015-sequences-sort-as-text.md`.
        let sequence = sequence_text(sequence);
        let numbers = format!(r#""sequence":"{sequence}","partition":{partition},"offset":{offset},"data":"#);
        text.push_str(&numbers);
        push_data(&mut text, body)?;
        text.push_str(",\"position\":\"");
        let at = text.len();
        text.push_str(position);
        text.push_str("\"}");
        let json = begin..text.len();
        text.push_str("\nid: ");
        text.push_str(position);
        text.push_str("\n\n");
        Ok(Self {
            event_type,
            subject,
            partition,
            offset,
            frame: text.into(),
            json,
            position: at..at + position.len(),
        })
    }

    /// The same event for a reader who stands elsewhere after it.
    #[must_use]
    pub fn at(&self, position: &str) -> Self {
        let frame = &self.frame[..self.position.start];
        let mut text = Vec::with_capacity(frame.len() + 2 * position.len() + 10);
        text.extend(frame);
        text.extend(position.as_bytes());
        text.extend(b"\"}");
        let json = self.json.start..text.len();
        text.extend(b"\nid: ");
        text.extend(position.as_bytes());
        text.extend(b"\n\n");
        let at = self.position.start;
        Self { frame: text.into(), json, position: at..at + position.len(), ..self.clone() }
    }

    /// The event as JSON on one line.
    pub fn json(&self) -> Bytes {
        self.frame.slice(self.json.clone())
    }

    /// The event as a frame of an event stream: `event`, `data`, `id`, and an empty line.
    pub fn frame(&self) -> Bytes {
        self.frame.clone()
    }

    /// The text of the position of a reader who has seen the event.
    pub fn position(&self) -> &str {
        std::str::from_utf8(&self.frame[self.position.clone()]).unwrap_or_default()
    }

    /// How many bytes it takes in memory, roughly.
    pub fn size(&self) -> usize {
        self.frame.len() + self.event_type.len() + self.subject.len() + 160
    }
}

fn required<'a>(recorded: &'a Recorded, header: &'static str) -> Result<&'a str, String> {
    recorded.record.required(header).map_err(|error| error.to_string())
}

fn push(text: &mut String, name: &str, value: &str) {
    text.push('"');
    text.push_str(name);
    text.push_str("\":");
    text.push_str(&serde_json::Value::from(value).to_string());
    text.push(',');
}

/// Adds the data as it is in the log, on one line.
fn push_data(text: &mut String, body: &[u8]) -> Result<(), String> {
    let body = std::str::from_utf8(body).map_err(|_| "its data is not UTF-8")?;
    serde_json::from_str::<IgnoredAny>(body).map_err(|error| format!("its data is no JSON: {error}"))?;
    if body.contains(['\n', '\r']) {
        let value: serde_json::Value =
            serde_json::from_str(body).map_err(|error| format!("its data is no JSON: {error}"))?;
        text.push_str(&value.to_string());
    } else {
        text.push_str(body);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use log_model::record::{CLIENT, COMMANDDIGEST, CONTENT_TYPE};
    use log_model::{Record, Stream, StreamPartition};
    use serde_json::{Value, json};

    use super::*;

    fn recorded(body: Option<&str>) -> Recorded {
        let headers = [
            (SPECVERSION, "1.0"),
            (ID, "0199-1"),
            (TYPE, "muster.user.approved"),
            (SOURCE, "/muster"),
            (TIME, "2026-11-28T01:02:03.000004Z"),
            (SUBJECT, "user_1"),
            (DATASCHEMA, "urn:muster:event:muster.user.approved"),
            (SEQUENCE, "2"),
            (COMMANDID, "c-\"1\""),
            (COMMANDDIGEST, "0a"),
            (CORRELATIONID, "r-1"),
            (ACTOR, "user_2"),
            (ACTORNAME, "ada"),
            (ACTORROLE, "administrator"),
            (CLIENT, "{\"address\":\"10.0.0.1\"}"),
            (CONTENT_TYPE, "application/json"),
            (CHAIN, "ff"),
        ];
        let headers = headers.map(|(name, value)| (name, value.to_owned())).to_vec();
        let record = Record { key: "user_1".into(), headers, body: body.map(Into::into) };
        Recorded { place: StreamPartition::new(Stream::UserEvents, 3), offset: 7, record }
    }

    #[test]
    fn an_event_has_the_fields_of_its_record_and_none_of_the_client() {
        let event = CloudEvent::of(&recorded(Some("{\"group\":{\"name\":\"zoë\"}}")), "P1").unwrap();
        let expected = json!({
            "specversion": "1.0", "id": "0199-1", "type": "muster.user.approved", "source": "/muster",
            "time": "2026-11-28T01:02:03.000004Z", "subject": "user_1", "datacontenttype": "application/json",
            "dataschema": "urn:muster:event:muster.user.approved", "sequence": "00000000000000000002", "commandid": "c-\"1\"",
            "correlationid": "r-1", "actor": "user_2", "actorname": "ada", "actorrole": "administrator",
            "chain": "ff", "partition": 3, "offset": 7, "position": "P1", "data": { "group": { "name": "zoë" } },
        });
        assert_eq!(serde_json::from_slice::<Value>(&event.json()).unwrap(), expected);
    }

    #[test]
    fn a_frame_is_type_data_and_position_in_this_order() {
        let event = CloudEvent::of(&recorded(Some("{\n\"a\": 1\r\n}")), "P1").unwrap();
        for (event, position) in [(event.clone(), "P1"), (event.at("longer"), "longer"), (event.at(""), "")] {
            let json = String::from_utf8(event.json().to_vec()).unwrap();
            let frame = String::from_utf8(event.frame().to_vec()).unwrap();
            assert_eq!(frame, format!("event: muster.user.approved\ndata: {json}\nid: {position}\n\n"));
            assert_eq!(event.position(), position);
            let value: Value = serde_json::from_str(&json).unwrap();
            assert_eq!((&value["position"], &value["data"]), (&json!(position), &json!({ "a": 1 })));
        }
    }

    #[test]
    fn a_damaged_record_is_told_and_not_shown() {
        for (body, part) in [(None, "no data"), (Some("{"), "no JSON"), (Some("{} {}"), "no JSON")] {
            let error = CloudEvent::of(&recorded(body), "P").unwrap_err().to_string();
            assert!(
                error.starts_with("user-events-3 offset 7 is no event: ") && error.contains(part),
                "{error}"
            );
        }
        let mut nameless = recorded(Some("{}"));
        nameless.record.headers.retain(|(name, _)| *name != TYPE);
        assert!(CloudEvent::of(&nameless, "P").is_err());
    }
}
