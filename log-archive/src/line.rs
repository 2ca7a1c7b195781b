//! The lines of an export: one for the log, one for each record, one for each checkpoint.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use log_model::record::{Record, Recorded, known_header};
use log_model::{LogId, Stream, StreamPartition};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The form of the lines. A later form has another number.
const VERSION: u32 = 1;

/// What a line of an export says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The first one: which log it is.
    Log(LogId),
    /// A record.
    Record(Recorded),
    /// A signed checkpoint of the records before it.
    Checkpoint(String),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form<'a> {
    #[serde(borrow)]
    Record(RecordForm<'a>),
    Log {
        log: String,
        version: u32,
    },
    Checkpoint {
        checkpoint: String,
    },
}

#[derive(Serialize, Deserialize)]
struct RecordForm<'a> {
    /// The body, byte for byte, where it is JSON on one line.
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    /// Any other body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
    headers: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    #[serde(borrow)]
    key: Cow<'a, str>,
    offset: u64,
    partition: u32,
    #[serde(borrow)]
    stream: Cow<'a, str>,
}

/// Why a line can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is not of the form.
    #[error("{0}")]
    Form(String),
    /// A newer release has written it.
    #[error("it has version {0}, and this release reads version {VERSION}")]
    Version(u32),
}

impl Line {
    /// The line, with its line break.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        let form = match self {
            Self::Log(log) => Form::Log { log: log.to_string(), version: VERSION },
            Self::Checkpoint(note) => Form::Checkpoint { checkpoint: note.clone() },
            Self::Record(recorded) => return write_record(recorded, to),
        };
        write_json(&form, to);
    }

    pub(crate) fn read(line: &str) -> Result<Self, LineError> {
        // Nearly every line is a record, and an untagged enum would read it twice.
        if !line.starts_with("{\"data") {
            return Ok(match read_json(line)? {
                Form::Log { log, version: VERSION } => {
                    Self::Log(log.parse().map_err(|_| LineError::Form("`log` is no id".to_owned()))?)
                }
                Form::Log { version, .. } => return Err(LineError::Version(version)),
                Form::Checkpoint { checkpoint } => Self::Checkpoint(checkpoint),
                Form::Record(record) => Self::Record(record.read()?),
            });
        }
        Ok(Self::Record(read_json::<RecordForm<'_>>(line)?.read()?))
    }
}

impl RecordForm<'_> {
    fn read(self) -> Result<Recorded, LineError> {
        let stream = Stream::from_name(&self.stream)
            .ok_or_else(|| LineError::Form(format!("`{}` is no stream", self.stream)))?;
        let body = match (self.data, self.data_base64) {
            (Some(data), None) => Some(data.get().as_bytes().to_vec()),
            (None, Some(text)) => {
                let decoded = STANDARD.decode(text);
                Some(decoded.map_err(|_| LineError::Form("`data_base64` is no base64".to_owned()))?)
            }
            (None, None) => None,
            (Some(_), Some(_)) => return Err(LineError::Form("it has two bodies".to_owned())),
        };
        let known = self
            .headers
            .into_iter()
            .filter_map(|(name, value)| known_header(&name).map(|name| (name, value.into_owned())));
        let record = Record { key: self.key.into_owned(), headers: known.collect(), body };
        Ok(Recorded { place: StreamPartition::new(stream, self.partition), offset: self.offset, record })
    }
}

fn write_record(recorded: &Recorded, to: &mut Vec<u8>) {
    let Recorded { place, offset, record } = recorded;
    let body = record.body.as_deref();
    let data = body.and_then(raw);
    let headers =
        record.headers.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(value.as_str())));
    let form = RecordForm {
        stream: place.stream.name().into(),
        partition: place.partition,
        offset: *offset,
        key: record.key.as_str().into(),
        headers: headers.collect(),
        data,
        data_base64: body.filter(|_| data.is_none()).map(|body| STANDARD.encode(body)),
    };
    write_json(&form, to);
}

/// A body as it is, if it is JSON on one line with nothing around it.
fn raw(body: &[u8]) -> Option<&RawValue> {
    let raw: &RawValue = serde_json::from_slice(body).ok()?;
    let is_whole = raw.get().len() == body.len() && !raw.get().contains(['\n', '\r']);
    // `null` would read back as no body.
    (is_whole && raw.get() != "null").then_some(raw)
}

fn write_json(form: &impl Serialize, to: &mut Vec<u8>) {
    serde_json::to_writer(&mut *to, form).expect("lines have text keys alone, and memory takes them");
    to.push(b'\n');
}

fn read_json<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T, LineError> {
    serde_json::from_str(line).map_err(|error| LineError::Form(error.to_string()))
}

#[cfg(test)]
mod tests {
    use log_model::record::{CHAIN, TYPE};

    use super::*;

    fn written(line: &Line) -> String {
        let mut text = Vec::new();
        line.write(&mut text);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.find('\n'), Some(text.len() - 1), "{text}");
        text
    }

    #[test]
    fn every_body_reads_back_byte_for_byte() {
        let bodies: [Option<&[u8]>; 9] = [
            None,
            Some(b""),
            Some(b"null"),
            Some(br#"{"b":1.50,"a":"\u00e9","a":2e3}"#),
            Some(b" {}"),
            Some(b"{\n}"),
            Some(b"\"text\""),
            Some(b"hello"),
            Some(&[0xff, 0x00]),
        ];
        for body in bodies {
            let headers = vec![(TYPE, "muster.user.approved".to_owned()), (CHAIN, "0a".to_owned())];
            let record = Record { key: "user_\"1".to_owned(), headers, body: body.map(<[u8]>::to_vec) };
            let mut line = Line::Record(Recorded {
                place: StreamPartition::new(Stream::UserEvents, 3),
                offset: 7,
                record,
            });
            let text = written(&line);
            if let Line::Record(recorded) = &mut line {
                recorded.record.headers.sort_unstable();
            }
            assert_eq!(Line::read(&text), Ok(line), "{text}");
        }
    }

    #[test]
    fn the_other_lines_read_back_and_what_is_wrong_is_named() {
        let log: LogId = "0199aaaa-0000-7000-8000-000000000001".parse().unwrap();
        for line in [Line::Log(log), Line::Checkpoint("a\n\n\u{2014} b c\n".to_owned())] {
            assert_eq!(Line::read(&written(&line)), Ok(line));
        }
        let newer = format!(r#"{{"log":"{log}","version":2}}"#);
        assert_eq!(Line::read(&newer), Err(LineError::Version(2)));
        for wrong in ["", "{}", "[]", r#"{"stream":"other","partition":0,"offset":0,"key":"","headers":{}}"#]
        {
            assert!(matches!(Line::read(wrong), Err(LineError::Form(_))), "{wrong}");
        }
    }
}
