//! A record as a Kafka message, and back.

use domain::position::Place;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};

use crate::record::{Record, Recorded, known_header};

/// The headers of a record as Kafka keeps them.
pub(super) fn headers(record: &Record) -> OwnedHeaders {
    let headers = OwnedHeaders::new_with_capacity(record.headers.len());
    record
        .headers
        .iter()
        .fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value.as_str()) }))
}

/// The record of a message. What is not text is left out: whoever needs it says so, with the offset, and the chain
/// shows that it was changed.
pub(super) fn recorded(place: Place, message: &BorrowedMessage<'_>) -> Recorded {
    let key = String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned();
    let mut headers = Vec::new();
    if let Some(found) = message.headers() {
        headers.reserve(found.count());
        for header in found.iter() {
            let value = header.value.and_then(|value| std::str::from_utf8(value).ok());
            if let (Some(name), Some(value)) = (known_header(header.key), value) {
                headers.push((name, value.to_owned()));
            }
        }
    }
    let body = message.payload().map(<[u8]>::to_vec);
    Recorded { place, offset: offset(message), record: Record { key, headers, body } }
}

/// Where a message lies.
pub(super) fn offset(message: &impl Message) -> u64 {
    u64::try_from(message.offset()).unwrap_or_default()
}
