//! An event's envelope: everything an event carries besides its data, written to and read from record
//! headers.

use domain::actor::{Actor, Client};
use domain::timestamp::Timestamp;
use log_model::record::{
    ACTOR, ACTORNAME, ACTORROLE, CLIENT, COMMANDDIGEST, COMMANDID, CONTENT_TYPE, CORRELATIONID, DATASCHEMA,
    ID, NotAnEvent, Record, SEQUENCE, SOURCE, SPECVERSION, SUBJECT, TIME, TRACEPARENT, TYPE, dataschema,
    sequence_text,
};
use uuid::Uuid;

/// Everything an event carries besides its data: the attributes of a `CloudEvent`, and Muster's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// `UUIDv7` of the record.
    pub id: Uuid,
    /// When the command was decided.
    pub time: Timestamp,
    /// Id of the user or group, or `deployment`.
    pub subject: String,
    /// Number of the event within its aggregate, from 1, without gaps. 0 if it belongs to none, as access records.
    pub sequence: u64,
    /// Id of the command, as its caller chose it. Empty if there was none.
    pub command_id: String,
    /// SHA-256 of what the command asks, in hex. Empty if there was none.
    pub command_digest: String,
    /// Id of the request that brought the command.
    pub correlation_id: String,
    /// Id of the actor that sent the command.
    pub actor: String,
    /// The actor's name at that time.
    pub actor_name: String,
    /// The actor's strongest role at that time.
    pub actor_role: Option<String>,
    /// Where the request came from.
    pub client: Client,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

/// The part of an envelope that an aggregate remembers, borrowed from the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// `UUIDv7` of the record.
    pub id: Uuid,
    /// When the command was decided.
    pub time: Timestamp,
    /// Id of the user or group, or `deployment`.
    pub subject: &'a str,
    /// Number of the event within its aggregate, from 1, without gaps.
    pub sequence: u64,
    /// Id of the command, as its caller chose it.
    pub command_id: &'a str,
    /// SHA-256 of what the command asks, in hex.
    pub command_digest: &'a str,
    /// Id of the actor that sent the command.
    pub actor: &'a str,
}

impl Envelope {
    /// The event as a record. Its `ce_chain` is added when it is appended.
    ///
    /// `wire_name` is the type of the event, such as `muster.user.registered`, and `body` is its data as
    /// JSON.
    pub fn record(&self, wire_name: &str, body: Vec<u8>) -> Record {
        let mut headers = Vec::with_capacity(18);
        headers.push((SPECVERSION, "1.0".to_owned()));
        headers.push((ID, self.id.to_string()));
        headers.push((TYPE, wire_name.to_owned()));
        headers.push((SOURCE, "/muster".to_owned()));
        headers.push((TIME, self.time.to_string()));
        headers.push((SUBJECT, self.subject.clone()));
        headers.push((DATASCHEMA, dataschema(wire_name)));
        if self.sequence > 0 {
            headers.push((SEQUENCE, sequence_text(self.sequence)));
        }
        for (header, text) in [(COMMANDID, &self.command_id), (COMMANDDIGEST, &self.command_digest)] {
            if !text.is_empty() {
                headers.push((header, text.clone()));
            }
        }
        headers.push((CORRELATIONID, self.correlation_id.clone()));
        headers.push((ACTOR, self.actor.clone()));
        headers.push((ACTORNAME, self.actor_name.clone()));
        if let Some(role) = &self.actor_role {
            headers.push((ACTORROLE, role.clone()));
        }
        let client = serde_json::to_string(&self.client).expect("a client is plain text fields");
        headers.push((CLIENT, client));
        if let Some(traceparent) = &self.traceparent {
            headers.push((TRACEPARENT, traceparent.clone()));
        }
        headers.push((CONTENT_TYPE, "application/json".to_owned()));
        Record { key: self.subject.clone(), headers, body: Some(body) }
    }

    /// Reads the envelope of a record. What a record of no command and no aggregate lacks is empty or 0, whether its
    /// header is absent or says so.
    ///
    /// # Errors
    ///
    /// A header is missing or malformed, so the record is not an event of Muster.
    pub fn read(record: &Record) -> Result<Self, NotAnEvent> {
        let text = |header| record.required(header).map(str::to_owned);
        Ok(Self {
            id: record.required(ID)?.parse().map_err(|_| NotAnEvent::malformed(ID))?,
            time: Timestamp::parse(record.required(TIME)?).map_err(|_| NotAnEvent::malformed(TIME))?,
            subject: text(SUBJECT)?,
            sequence: match record.header(SEQUENCE) {
                Some(sequence) => sequence.parse().map_err(|_| NotAnEvent::malformed(SEQUENCE))?,
                None => 0,
            },
            command_id: record.header(COMMANDID).unwrap_or_default().to_owned(),
            command_digest: record.header(COMMANDDIGEST).unwrap_or_default().to_owned(),
            correlation_id: text(CORRELATIONID)?,
            actor: text(ACTOR)?,
            actor_name: text(ACTORNAME)?,
            actor_role: record.header(ACTORROLE).map(str::to_owned),
            client: serde_json::from_str(record.required(CLIENT)?)
                .map_err(|_| NotAnEvent::malformed(CLIENT))?,
            traceparent: record.header(TRACEPARENT).map(str::to_owned),
        })
    }

    /// The part that an aggregate remembers.
    pub fn stamp(&self) -> Stamp<'_> {
        Stamp {
            id: self.id,
            time: self.time,
            subject: &self.subject,
            sequence: self.sequence,
            command_id: &self.command_id,
            command_digest: &self.command_digest,
            actor: &self.actor,
        }
    }

    /// Sets the actor, with the name and role of this moment.
    #[must_use]
    pub fn asked_by(mut self, actor: &Actor) -> Self {
        self.actor = actor.id_text();
        actor.name().clone_into(&mut self.actor_name);
        self.actor_role = actor.role().map(|role| role.name().to_owned());
        self
    }
}

impl<'a> Stamp<'a> {
    /// The headers that are read for it, and the wire name.
    pub const HEADERS: &'static [&'static str] =
        &[ID, TYPE, TIME, SUBJECT, SEQUENCE, COMMANDID, COMMANDDIGEST, ACTOR];

    /// Reads what an aggregate remembers. Other headers are not looked at, because a replay reads millions of
    /// records.
    ///
    /// # Errors
    ///
    /// A header is missing or malformed, so the record is not an event of Muster.
    pub fn read(record: &'a Record) -> Result<Self, NotAnEvent> {
        Ok(Self {
            id: record.required(ID)?.parse().map_err(|_| NotAnEvent::malformed(ID))?,
            time: Timestamp::parse(record.required(TIME)?).map_err(|_| NotAnEvent::malformed(TIME))?,
            subject: record.required(SUBJECT)?,
            sequence: record.required(SEQUENCE)?.parse().map_err(|_| NotAnEvent::malformed(SEQUENCE))?,
            command_id: record.header(COMMANDID).unwrap_or_default(),
            command_digest: record.header(COMMANDDIGEST).unwrap_or_default(),
            actor: record.required(ACTOR)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            id: Uuid::nil(),
            time: Timestamp::from_micros(1_790_000_000_349_540),
            subject: "user_1".to_owned(),
            sequence: 0,
            command_id: String::new(),
            command_digest: String::new(),
            correlation_id: "request".to_owned(),
            actor: "user_1".to_owned(),
            actor_name: "ada".to_owned(),
            actor_role: None,
            client: Client::default(),
            traceparent: None,
        }
    }

    #[test]
    fn f27_a_record_of_no_command_has_no_headers_of_one() {
        let mut record = envelope().record("muster.access.signed_in", Vec::new());
        for header in [SEQUENCE, COMMANDID, COMMANDDIGEST] {
            assert_eq!(record.header(header), None, "{header}");
        }
        assert_eq!(Envelope::read(&record), Ok(envelope()));
        let earlier = [(SEQUENCE, "0"), (COMMANDID, ""), (COMMANDDIGEST, "")];
        record.headers.extend(earlier.map(|(header, text)| (header, text.to_owned())));
        assert_eq!(Envelope::read(&record), Ok(envelope()), "as earlier releases wrote it");
    }

    #[test]
    fn f25_the_time_has_six_digits() {
        let record = envelope().record("muster.user.approved", Vec::new());
        assert_eq!(record.header(TIME), Some("2026-09-21T14:13:20.349540Z"));
    }

    #[test]
    fn f26_sequences_sort_as_text_and_old_ones_are_read() {
        let numbers = [1, 9, 10, 99, 100, u64::MAX];
        let records = numbers.map(|sequence| Envelope { sequence, ..envelope() }.record("t", Vec::new()));
        let texts: Vec<_> = records.iter().map(|record| record.header(SEQUENCE).unwrap()).collect();
        assert!(texts.is_sorted(), "{texts:?}");
        assert_eq!(texts[1], "00000000000000000009");
        for (mut record, number) in records.into_iter().zip(numbers) {
            assert_eq!(Stamp::read(&record).unwrap().sequence, number);
            record.headers.retain(|(name, _)| *name != SEQUENCE);
            record.push_header(SEQUENCE, number.to_string());
            assert_eq!(Stamp::read(&record).unwrap().sequence, number, "as 0.1.0 wrote it");
            assert_eq!(Envelope::read(&record).unwrap().sequence, number, "as 0.1.0 wrote it");
        }
    }

    #[test]
    fn an_event_of_a_command_keeps_its_headers() {
        let (sequence, command_id) = (7, "c".to_owned());
        let event = Envelope { sequence, command_id, command_digest: "0a".to_owned(), ..envelope() };
        let record = event.record("muster.user.approved", Vec::new());
        assert_eq!(Envelope::read(&record).as_ref(), Ok(&event));
        assert_eq!(Stamp::read(&record), Ok(event.stamp()));
    }
}
