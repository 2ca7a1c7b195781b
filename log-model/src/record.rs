//! Records, the content of the log, and the names of their headers.
//!
//! Events are CloudEvents 1.0 in Kafka's binary content mode: attributes are `ce_…` headers of UTF-8 text,
//! and the body is the event's data alone. Both adapters keep the same records.

use uuid::Uuid;

use crate::stream::StreamPartition;

/// The attributes that the hash chain covers, in this order. Never changes.
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

/// Version of the `CloudEvents` specification, always `1.0`.
pub const SPECVERSION: &str = "ce_specversion";
/// `UUIDv7` of the record.
pub const ID: &str = "ce_id";
/// Wire name of the event, such as `muster.user.registered`.
pub const TYPE: &str = "ce_type";
/// Where the event was made, always `/muster`.
pub const SOURCE: &str = "ce_source";
/// When the command was decided, as RFC 3339.
pub const TIME: &str = "ce_time";
/// Id of the user or group, or `deployment`.
pub const SUBJECT: &str = "ce_subject";
/// URN of the schema of the body.
pub const DATASCHEMA: &str = "ce_dataschema";
/// Number of the event within its aggregate, from 1, without gaps, as [`sequence_text`] writes it. Records of 0.1.0 have it
/// without zeros in front.
pub const SEQUENCE: &str = "ce_sequence";
/// Id of the command, as its caller chose it.
pub const COMMANDID: &str = "ce_commandid";
/// SHA-256 of what the command asks, in hex.
pub const COMMANDDIGEST: &str = "ce_commanddigest";
/// Id of the request that brought the command.
pub const CORRELATIONID: &str = "ce_correlationid";
/// Id of the actor that sent the command.
pub const ACTOR: &str = "ce_actor";
/// The actor's name at that time.
pub const ACTORNAME: &str = "ce_actorname";
/// The actor's strongest role at that time.
pub const ACTORROLE: &str = "ce_actorrole";
/// Address and user agent of the caller, as JSON.
pub const CLIENT: &str = "ce_client";
/// Value of the hash chain after this record.
pub const CHAIN: &str = "ce_chain";
/// W3C trace context.
pub const TRACEPARENT: &str = "traceparent";
/// Media type of the body.
pub const CONTENT_TYPE: &str = "content-type";

/// Key of a claim record.
pub const CLAIM_KEY: &str = "claim";
/// Type of a claim record.
pub const CLAIM_TYPE: &str = "muster.log.claimed";

/// The URN of the schema of an event's data, which is also the `$id` of that schema.
pub fn dataschema(wire_name: &str) -> String {
    format!("urn:muster:event:{wire_name}")
}

/// The text of a sequence number: twenty digits, so that texts sort as the numbers do, whatever the number. The
/// `sequence` extension of `CloudEvents` asks for that: `docs/adr/0015-sequences-sort-as-text.md`.
pub fn sequence_text(sequence: u64) -> String {
    format!("{sequence:020}")
}

/// A record to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Records of one key stay in order; compaction keeps the newest.
    pub key: String,
    /// Headers by name. Only the names of this module are read back; other headers are dropped.
    pub headers: Vec<(&'static str, String)>,
    /// The data as JSON; `None` is a tombstone.
    pub body: Option<Vec<u8>>,
}

/// A record in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The stream partition that holds it.
    pub place: StreamPartition,
    /// Its offset there. Offsets grow from record to record; gaps are normal.
    pub offset: u64,
    /// The record itself.
    pub record: Record,
}

impl Recorded {
    /// The offset after this record: where a reader that has taken it in goes on.
    pub fn next_offset(&self) -> u64 {
        self.offset + 1
    }
}

/// A record that is not an event of Muster, with the header that shows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("header {header} {problem}")]
pub struct NotAnEvent {
    header: &'static str,
    problem: &'static str,
}

impl Record {
    /// The claim record with which a writer takes over a partition. `time` is RFC 3339, `owner` is for people
    /// who read the log.
    ///
    /// It has no subject, sequence or chain value, because its writer has not read the partition yet:
    /// `docs/adr/0006-hash-chain-and-claim-records.md`.
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

    /// A record of a compacted stream: a credential, a reservation holder or a void reservation. Without a
    /// body it is a tombstone.
    pub fn keyed(key: String, body: Option<Vec<u8>>) -> Self {
        let headers = vec![(CONTENT_TYPE, "application/json".to_owned())];
        Self { key, headers, body }
    }

    /// The value of a header, if the record has it.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// Adds a header that the record doesn't have yet.
    pub fn push_header(&mut self, name: &'static str, value: String) {
        self.headers.push((name, value));
    }

    /// Whether it is a claim record, which every reader skips.
    pub fn is_claim(&self) -> bool {
        self.key == CLAIM_KEY && self.header(TYPE) == Some(CLAIM_TYPE)
    }

    /// The wire name of the event.
    ///
    /// # Errors
    ///
    /// The record has none, so it is not an event of Muster.
    pub fn wire_name(&self) -> Result<&str, NotAnEvent> {
        self.required(TYPE)
    }

    /// The value of a header that every event has.
    ///
    /// # Errors
    ///
    /// The header is missing, so the record is not an event of Muster.
    pub fn required(&self, header: &'static str) -> Result<&str, NotAnEvent> {
        self.header(header).ok_or(NotAnEvent { header, problem: "is missing" })
    }
}

impl NotAnEvent {
    /// The error for a header whose value is malformed.
    pub fn malformed(header: &'static str) -> Self {
        Self { header, problem: "can't be read" }
    }
}

/// The constant of a header name that Muster writes; `None` for any other. A `match` instead of a search,
/// because a replay looks up every header of every record.
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
