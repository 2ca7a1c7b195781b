//! A record as a Kafka message, and back.

use log_model::StreamPartition;
use log_model::record::{Record, Recorded};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};

use crate::record_buffer::RecordBuffer;

/// The headers of a record as Kafka headers.
pub(super) fn headers(record: &Record) -> OwnedHeaders {
    let headers = OwnedHeaders::new_with_capacity(record.headers.len());
    record
        .headers
        .iter()
        .fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value.as_str()) }))
}

/// The record of a message.
pub(super) fn recorded(place: StreamPartition, message: &BorrowedMessage<'_>) -> Recorded {
    let mut record_buffer = RecordBuffer::new(place);
    read_into(&mut record_buffer, message);
    record_buffer.into_recorded()
}

/// Reads a message into the buffer. Bytes of the key that aren't UTF-8 are replaced. Headers that aren't UTF-8 are left
/// out: code that needs one reports it with the offset, and the chain shows the change.
pub(super) fn read_into(record_buffer: &mut RecordBuffer, message: &BorrowedMessage<'_>) {
    record_buffer.begin(offset(message));
    record_buffer.key().push_str(&String::from_utf8_lossy(message.key().unwrap_or_default()));
    record_buffer.set_body(message.payload());
    for header in message.headers().iter().flat_map(|headers| headers.iter()) {
        if let Some(value) = header.value.and_then(|value| std::str::from_utf8(value).ok()) {
            record_buffer.header(header.key, value);
        }
    }
}

/// The offset of a message.
pub(super) fn offset(message: &impl Message) -> u64 {
    u64::try_from(message.offset()).unwrap_or_default()
}
