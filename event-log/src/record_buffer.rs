//! A record whose memory is reused for the next one, because a replay reads millions of records and keeps
//! none.

use log_model::StreamPartition;

use log_model::record::{Record, Recorded, known_header};

/// One record at a time; each overwrites the texts of the one before.
pub(crate) struct RecordBuffer {
    recorded: Recorded,
    /// Texts for which the current record has no header.
    spare: Vec<String>,
}

impl RecordBuffer {
    /// A buffer that holds no record yet.
    pub(crate) fn new(place: StreamPartition) -> Self {
        let record = Record { key: String::new(), headers: Vec::with_capacity(18), body: None };
        Self { recorded: Recorded { place, offset: 0, record }, spare: Vec::new() }
    }

    /// Starts the next record, without headers yet. Its key and body are still those of the one before.
    pub(crate) fn begin(&mut self, offset: u64) {
        self.recorded.offset = offset;
        self.clear_headers();
    }

    /// The key of the current record, empty, to be written.
    pub(crate) fn key(&mut self) -> &mut String {
        let key = &mut self.recorded.record.key;
        key.clear();
        key
    }

    /// Sets the body of the current record.
    pub(crate) fn set_body(&mut self, body: Option<&[u8]>) {
        match (body, &mut self.recorded.record.body) {
            (Some(body), Some(before)) => body.clone_into(before),
            (body, before) => *before = body.map(<[u8]>::to_vec),
        }
    }

    /// Adds a header to the current record, if it is one that Muster writes.
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        if let Some(name) = known_header(name) {
            self.header_value(name).push_str(value);
        }
    }

    /// Removes the headers that the current record has so far.
    pub(crate) fn clear_headers(&mut self) {
        self.spare.extend(self.recorded.record.headers.drain(..).map(|(_, value)| value));
    }

    /// Adds a header to the current record and returns its value, empty, to be written.
    pub(crate) fn header_value(&mut self, name: &'static str) -> &mut String {
        let mut value = self.spare.pop().unwrap_or_default();
        value.clear();
        let headers = &mut self.recorded.record.headers;
        headers.push((name, value));
        &mut headers.last_mut().expect("one was added just now").1
    }

    /// The current record.
    pub(crate) fn current(&self) -> &Recorded {
        &self.recorded
    }

    /// The current record, to be kept.
    pub(crate) fn into_recorded(self) -> Recorded {
        self.recorded
    }
}

#[cfg(test)]
mod tests {
    use log_model::Stream;

    use super::*;
    use log_model::record::{ID, TYPE};

    #[test]
    fn nothing_of_a_record_is_left_in_the_next() {
        let mut record_buffer = RecordBuffer::new(StreamPartition::new(Stream::UserEvents, 0));
        let begin = |buffer: &mut RecordBuffer, offset, key: &str, body: Option<&str>| {
            buffer.begin(offset);
            buffer.key().push_str(key);
            buffer.set_body(body.map(str::as_bytes));
        };
        begin(&mut record_buffer, 7, "a longer key", Some("{\"a\":1}"));
        record_buffer.header(TYPE, "muster.user.registered");
        record_buffer.header(ID, "1");
        assert_eq!(record_buffer.current().record.headers.len(), 2);
        begin(&mut record_buffer, 9, "key", Some("{}"));
        record_buffer.header(ID, "2");
        record_buffer.header("other", "dropped");
        let second =
            Record { key: "key".into(), headers: vec![(ID, "2".into())], body: Some(b"{}".to_vec()) };
        assert_eq!(record_buffer.current().record, second);
        begin(&mut record_buffer, 11, "key", None);
        assert_eq!(
            record_buffer.into_recorded().record,
            Record { key: "key".into(), headers: vec![], body: None }
        );
    }
}
