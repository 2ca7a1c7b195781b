//! A record of the log as one line of JSON.

use std::borrow::Cow;

use event_log::Recorded;
use log_model::StreamPartition;

/// A record as one line of JSON. `data` holds the body byte for byte, because `ce_chain` covers its bytes.
pub(super) fn line(recorded: &Recorded) -> String {
    let headers: serde_json::Map<_, _> = recorded
        .record
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into()))
        .collect();
    let headers = serde_json::Value::Object(headers);
    let key = serde_json::Value::from(&*recorded.record.key);
    let StreamPartition { stream, partition } = recorded.place;
    format!(
        r#"{{"data":{},"headers":{headers},"key":{key},"offset":{},"partition":{partition},"stream":"{stream}"}}"#,
        data(recorded.record.body.as_deref()),
        recorded.offset,
    )
}

/// A body as JSON on one line. What is no JSON, or has line breaks, becomes a string.
fn data(body: Option<&[u8]>) -> Cow<'_, str> {
    let Some(body) = body else { return Cow::Borrowed("null") };
    let text = String::from_utf8_lossy(body);
    let is_json = serde_json::from_slice::<serde_json::Value>(body).is_ok();
    if is_json && !text.contains(['\n', '\r']) {
        return text;
    }
    Cow::Owned(serde_json::Value::from(text.into_owned()).to_string())
}

#[cfg(test)]
mod tests {
    use log_model::record::{CHAIN, TYPE};
    use log_model::{Record, Stream};

    use super::*;

    fn printed(body: Option<&str>) -> String {
        let headers = vec![(TYPE, "muster.user.approved".to_owned()), (CHAIN, "0a".to_owned())];
        let record =
            Record { key: "user_1".to_owned(), headers, body: body.map(|text| text.as_bytes().to_vec()) };
        line(&Recorded { place: StreamPartition::new(Stream::UserEvents, 3), offset: 7, record })
    }

    #[test]
    fn f28_data_is_the_body_byte_for_byte() {
        let body = r#"{"username":"zoë", "groupId":"group_1","at":1.50,"at":2e3}"#;
        let head =
            r#""headers":{"ce_chain":"0a","ce_type":"muster.user.approved"},"key":"user_1","offset":7"#;
        assert_eq!(
            printed(Some(body)),
            format!(r#"{{"data":{body},{head},"partition":3,"stream":"user-events"}}"#)
        );
    }

    #[test]
    fn every_body_is_printed_on_one_line_of_json() {
        let data = |body| {
            let line = printed(body);
            assert!(!line.contains('\n'), "{line}");
            serde_json::from_str::<serde_json::Value>(&line).unwrap()["data"].clone()
        };
        assert_eq!(data(None), serde_json::Value::Null);
        for body in ["hello", "", "{\"a\":", "{\n\"a\":1}", "{} {}"] {
            assert_eq!(data(Some(body)), body);
        }
    }
}
