//! Records: what the log holds, and the names of their headers.
//!
//! Events are CloudEvents 1.0, Kafka binary content mode: attributes are headers `ce_…` of UTF-8 text, the body is the event's
//! data alone. Both adapters keep the same records.

use uuid::Uuid;

use crate::position::StreamPartition;

/// The attributes that the chain covers, in the order in which it covers them. Never changes.
pub const ATTRIBUTES: [&str; 15] = [
    SPECVERSION,
    ID,
    TYPE,
    SOURCE,
    TIME,
    SUBJECT,
    DATASCHEMA,
    SEQUENCE,
    COMMANDID,
    COMMANDDIGEST,
    CORRELATIONID,
    ACTOR,
    ACTORNAME,
    ACTORROLE,
    CLIENT,
];

/// `1.0`.
pub const SPECVERSION: &str = "ce_specversion";
/// `UUIDv7` of the record.
pub const ID: &str = "ce_id";
/// Wire name of the event.
pub const TYPE: &str = "ce_type";
/// Where the event was made.
pub const SOURCE: &str = "ce_source";
/// RFC 3339.
pub const TIME: &str = "ce_time";
/// Id of the user or group, or `deployment`.
pub const SUBJECT: &str = "ce_subject";
/// URN of the schema of the body.
pub const DATASCHEMA: &str = "ce_dataschema";
/// Number of the event in its aggregate, from 1, without gaps.
pub const SEQUENCE: &str = "ce_sequence";
/// Id of the command, as the client gave it.
pub const COMMANDID: &str = "ce_commandid";
/// Hex SHA-256 of what was asked.
pub const COMMANDDIGEST: &str = "ce_commanddigest";
/// Id of the request.
pub const CORRELATIONID: &str = "ce_correlationid";
/// Who asked.
pub const ACTOR: &str = "ce_actor";
/// Their name at that time.
pub const ACTORNAME: &str = "ce_actorname";
/// Their strongest role at that time.
pub const ACTORROLE: &str = "ce_actorrole";
/// Address and user agent as JSON.
pub const CLIENT: &str = "ce_client";
/// Value of the hash chain after this record.
pub const CHAIN: &str = "ce_chain";
/// W3C trace context.
pub const TRACEPARENT: &str = "traceparent";
/// Media type of the body.
pub const CONTENT_TYPE: &str = "content-type";

/// Key and type of the record with which a writer claims a partition.
pub const CLAIM_KEY: &str = "claim";
/// Type of the record with which a writer claims a partition.
pub const CLAIM_TYPE: &str = "muster.log.claimed";

/// A record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What compaction and order go by.
    pub key: String,
    /// Headers by name. Names are those of this module; others are dropped when a record is read.
    pub headers: Vec<(&'static str, String)>,
    /// The data as JSON; `None` is a tombstone.
    pub body: Option<Vec<u8>>,
}

/// A record in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Where it lies.
    pub place: StreamPartition,
    /// Its offset there. Grows from record to record; gaps are normal.
    pub offset: u64,
    /// What it says.
    pub record: Record,
}

impl Recorded {
    /// The offset after this record: where a reader that has taken it in goes on.
    pub fn next_offset(&self) -> u64 {
        self.offset + 1
    }
}

/// A record that is not an event of Muster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("header {header} {problem}")]
pub struct NotAnEvent {
    header: &'static str,
    problem: &'static str,
}

impl Record {
    /// The record with which a writer claims a partition. It has no subject, sequence or chain: its writer has not read yet.
    pub fn claim(id: Uuid, time: &str, owner: &str) -> Self {
        let body = serde_json::json!({ "owner": owner });
        Self {
            key: CLAIM_KEY.to_owned(),
            headers: vec![
                (SPECVERSION, "1.0".to_owned()),
                (ID, id.to_string()),
                (TYPE, CLAIM_TYPE.to_owned()),
                (SOURCE, "/muster".to_owned()),
                (TIME, time.to_owned()),
                (CONTENT_TYPE, "application/json".to_owned()),
            ],
            body: Some(body.to_string().into_bytes()),
        }
    }

    /// A credential, the holder of a reservation or a void reservation as it is written: the newest of its key counts. No body makes a tombstone.
    pub fn keyed(key: String, body: Option<Vec<u8>>) -> Self {
        let headers = vec![(CONTENT_TYPE, "application/json".to_owned())];
        Self { key, headers, body }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// Sets a header that is not there yet.
    pub fn push_header(&mut self, name: &'static str, value: String) {
        self.headers.push((name, value));
    }

    /// Whether it is a claim record, which every reader passes over.
    pub fn is_claim(&self) -> bool {
        self.key == CLAIM_KEY && self.header(TYPE) == Some(CLAIM_TYPE)
    }

    /// The wire name of the event.
    pub fn wire_name(&self) -> Result<&str, NotAnEvent> {
        self.required(TYPE)
    }

    /// The value of a header that every event has.
    pub fn required(&self, header: &'static str) -> Result<&str, NotAnEvent> {
        self.header(header).ok_or(NotAnEvent { header, problem: "is missing" })
    }
}

impl NotAnEvent {
    /// A header whose value has not the form that it must have.
    pub fn malformed(header: &'static str) -> Self {
        Self { header, problem: "can't be read" }
    }
}

/// The constant for a header name that Muster writes. A match and no search: replays ask for every header there is.
pub fn known_header(name: &str) -> Option<&'static str> {
    Some(match name {
        SPECVERSION => SPECVERSION,
        ID => ID,
        TYPE => TYPE,
        SOURCE => SOURCE,
        TIME => TIME,
        SUBJECT => SUBJECT,
        DATASCHEMA => DATASCHEMA,
        SEQUENCE => SEQUENCE,
        COMMANDID => COMMANDID,
        COMMANDDIGEST => COMMANDDIGEST,
        CORRELATIONID => CORRELATIONID,
        ACTOR => ACTOR,
        ACTORNAME => ACTORNAME,
        ACTORROLE => ACTORROLE,
        CLIENT => CLIENT,
        CHAIN => CHAIN,
        TRACEPARENT => TRACEPARENT,
        CONTENT_TYPE => CONTENT_TYPE,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_that_is_written_is_known() {
        for name in ATTRIBUTES.into_iter().chain([CHAIN, TRACEPARENT, CONTENT_TYPE]) {
            assert_eq!(known_header(name), Some(name));
        }
        assert_eq!(known_header("ce_other"), None);
    }
}
