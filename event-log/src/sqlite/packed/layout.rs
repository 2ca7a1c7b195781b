//! The order of the values in a compact row, their tags, and what follows from what. Never changes.

use log_model::record::{
    ACTOR, ACTORNAME, ACTORROLE, CHAIN, CLIENT, COMMANDDIGEST, COMMANDID, CONTENT_TYPE, CORRELATIONID,
    DATASCHEMA, ID, SEQUENCE, SOURCE, SPECVERSION, SUBJECT, TIME, TRACEPARENT, TYPE,
};

use super::parsed_text::ParsedText;

/// The headers in the order in which records have them. A row has a tag for each.
pub(super) const NAMES: [&str; 18] = [
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
    TRACEPARENT,
    CONTENT_TYPE,
    CHAIN,
];
/// The place of the chain's tag.
pub(super) const CHAIN_TAG: usize = NAMES.len() - 1;
/// The place of the key's tag, after those of the headers.
pub(super) const KEY_TAG: usize = NAMES.len();
/// The place of the body's tag.
pub(super) const BODY_TAG: usize = KEY_TAG + 1;
/// The number of tags.
pub(super) const TAGS: usize = BODY_TAG + 1;

/// The kind before the ids of users, for which there is a tag of its own.
pub(super) const USER: &str = "user_";

/// How a value is written.
pub(super) mod tag {
    /// The record doesn't have it.
    pub(crate) const ABSENT: u8 = 0;
    /// As a text. The body has no length: it ends with the row.
    pub(crate) const TEXT: u8 = 1;
    /// Not at all: it is what [`KnownTexts::usual`](super::KnownTexts::usual) says.
    pub(crate) const USUAL: u8 = 2;
    /// As 16 fixed bytes: a UUID alone.
    pub(crate) const BARE_ID: u8 = 3;
    /// As 16 fixed bytes: the id of a user.
    pub(crate) const USER_ID: u8 = 4;
    /// As 16 fixed bytes, and the texts before and after the UUID.
    pub(crate) const OTHER_ID: u8 = 5;
    /// As 8 fixed bytes, big-endian: microseconds since 1970.
    pub(crate) const TIME: u8 = 6;
    /// As a number among the texts: twenty digits.
    pub(crate) const NUMBER: u8 = 7;
    /// As 32 fixed bytes.
    pub(crate) const DIGEST: u8 = 8;
    /// As 25 fixed bytes.
    pub(crate) const TRACE: u8 = 9;
    /// As a number among the texts: without leading zeros, as 0.1.0 wrote it.
    pub(crate) const SHORT_NUMBER: u8 = 10;
}

/// The values of a record from which others may follow.
pub(super) struct KnownTexts<T> {
    key: T,
    wire_name: Option<T>,
    command_id: Option<T>,
}

impl<T: Copy> KnownTexts<T> {
    /// The key alone is known.
    pub(super) fn of(key: T) -> Self {
        Self { key, wire_name: None, command_id: None }
    }

    /// Notes the value of a header, if others may follow from it.
    pub(super) fn note(&mut self, name: &str, value: T) {
        match name {
            TYPE => self.wire_name = Some(value),
            COMMANDID => self.command_id = Some(value),
            _ => {}
        }
    }

    /// What a header usually is, given the values before it: a text, and a value after it.
    pub(super) fn usual(&self, name: &str) -> Option<(&'static str, Option<T>)> {
        match name {
            SPECVERSION => Some(("1.0", None)),
            SOURCE => Some(("/muster", None)),
            CONTENT_TYPE => Some(("application/json", None)),
            SUBJECT | ACTOR => Some(("", Some(self.key))),
            DATASCHEMA => self.wire_name.map(|name| ("urn:muster:event:", Some(name))),
            CORRELATIONID => self.command_id.map(|id| ("", Some(id))),
            _ => None,
        }
    }
}

/// Takes apart the value of a header.
pub(super) fn parse<'a>(name: &str, text: &'a str) -> ParsedText<'a> {
    let parsed = match name {
        ID | SUBJECT | COMMANDID | CORRELATIONID | ACTOR => ParsedText::id(text),
        TIME => ParsedText::time(text),
        SEQUENCE => ParsedText::number(text),
        COMMANDDIGEST | CHAIN => ParsedText::digest(text),
        TRACEPARENT => ParsedText::trace(text),
        _ => None,
    };
    parsed.unwrap_or(ParsedText::Text(text))
}
