//! A record as a row of SQLite, and back.

use std::fmt;

use log_model::record::{Record, Recorded, known_header};
use log_model::{Stream, StreamPartition};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::packed::{self, Compressor, Decompressor, WantedHeaders};
use crate::record_buffer::RecordBuffer;

/// The columns of a record, in the order of the schema.
///
/// A row has one of two forms. In the compact one, the body is all of the record ([`packed`]), and key and headers
/// are empty. In the earlier one the headers are a JSON object. It remains for rows of earlier releases, and for
/// records whose headers aren't in the usual order.
///
/// Texts are read as bytes. A damaged text then makes one damaged record and doesn't end the reading.
pub(super) type Row = (i64, Vec<u8>, Vec<u8>, Option<Vec<u8>>);

/// The values of a record's row: key, headers and body.
pub(super) type RowValues = (String, String, Option<Vec<u8>>);

/// The table of a stream.
pub(super) const fn table(stream: Stream) -> &'static str {
    match stream {
        Stream::UserEvents => "user_events",
        Stream::GroupEvents => "group_events",
        Stream::Credentials => "credentials",
        Stream::Access => "access",
        Stream::Reservations => "claims",
    }
}

/// The row of a record.
pub(super) fn row_values(record: &Record, compressor: &mut Compressor) -> RowValues {
    match packed::pack(record, compressor) {
        Some(packed) => (String::new(), String::new(), Some(packed)),
        None => (record.key.clone(), headers_text(record), record.body.clone()),
    }
}

/// The headers of a record as one JSON object, in the record's order.
fn headers_text(record: &Record) -> String {
    serde_json::to_string(&Headers(&record.headers)).expect("headers are plain texts")
}

/// The record of a row.
pub(super) fn recorded(stream: Stream, row: &Row, decompressor: &mut Decompressor) -> Recorded {
    let mut record_buffer = RecordBuffer::new(StreamPartition::new(stream, 0));
    read_into(&mut record_buffer, row, decompressor, &WantedHeaders::of(None));
    record_buffer.into_recorded()
}

/// Reads a row into the buffer. Of a damaged row only what can be read is kept: code that needs more reports it
/// with the offset, and the chain shows the change.
pub(super) fn read_into(
    record_buffer: &mut RecordBuffer,
    (offset, key, headers, body): &Row,
    decompressor: &mut Decompressor,
    wanted: &WantedHeaders,
) {
    let offset = offset_of(*offset);
    if let (true, Some(packed)) = (headers.is_empty(), body) {
        if packed::read(record_buffer, offset, packed, decompressor, wanted).is_none() {
            record_buffer.begin(offset);
            record_buffer.key();
            record_buffer.set_body(None);
        }
        return;
    }
    record_buffer.begin(offset);
    record_buffer.key().push_str(&String::from_utf8_lossy(key));
    record_buffer.set_body(body.as_deref());
    let mut reader = serde_json::Deserializer::from_slice(headers);
    let read = ReadHeaders(&mut *record_buffer).deserialize(&mut reader).and_then(|()| reader.end());
    if read.is_err() {
        record_buffer.clear_headers();
    }
}

/// An offset as SQLite stores it.
pub(super) fn stored(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

/// An offset that SQLite returned; none is negative.
pub(super) fn offset_of(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}

struct Headers<'a>(&'a [(&'static str, String)]);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

struct ReadHeaders<'a>(&'a mut RecordBuffer);

impl<'de> DeserializeSeed<'de> for ReadHeaders<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ReadHeaders<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<&str>()? {
            match known_header(name) {
                Some(known) => map.next_value_seed(HeaderValue(self.0.header_value(known)))?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Reads a text into a string that is reused.
struct HeaderValue<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for HeaderValue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for HeaderValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use log_model::record::{CONTENT_TYPE, TYPE};

    fn read(row: &Row) -> Record {
        recorded(Stream::UserEvents, row, &mut Decompressor::default()).record
    }

    #[test]
    fn both_forms_read_back_with_the_headers_in_their_order() {
        let usual = vec![(TYPE, "a \"b\"".to_owned()), (CONTENT_TYPE, "application/json".to_owned())];
        let unusual = usual.iter().rev().cloned().collect();
        for (headers, is_compact) in [(usual, true), (unusual, false)] {
            let record = Record { key: "k".to_owned(), headers, body: Some(b"{}".to_vec()) };
            let (key, headers, body) = row_values(&record, &mut Compressor::default());
            assert_eq!(headers.is_empty(), is_compact);
            assert_eq!(read(&(7, key.into(), headers.into(), body)), record);
        }
    }

    #[test]
    fn a_header_that_is_not_ours_is_passed_over() {
        let row = (0, "k".into(), r#"{"other":1,"ce_type":"t"}"#.into(), None);
        assert_eq!(read(&row).headers, vec![(TYPE, "t".to_owned())]);
    }

    #[test]
    fn headers_that_cannot_be_read_leave_a_record_that_is_no_event() {
        let damaged: [(&str, Option<Vec<u8>>); 5] =
            [("{", None), ("", None), ("", Some(vec![])), ("", Some(vec![9, 0])), ("", Some(vec![2, 0, 7]))];
        for (headers, body) in damaged {
            assert!(read(&(0, "k".into(), headers.into(), body)).wire_name().is_err());
        }
    }
}
