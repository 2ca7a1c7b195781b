//! Muster's own scalars, an instant and a position in the log, and how its counters become `Int`.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use domain::timestamp::Timestamp;
use log_model::position;

/// An instant: RFC 3339 text, in UTC when it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateTime(Timestamp);

/// An instant: RFC 3339 text, in UTC and with six digits of a second when it is answered.
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339.html#section-5.6")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Timestamp::parse(text)
                .map(Self)
                .map_err(|_| InputValueError::custom("Not an RFC 3339 instant.")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(text) if Timestamp::parse(text).is_ok())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<Timestamp> for DateTime {
    fn from(instant: Timestamp) -> Self {
        Self(instant)
    }
}

impl From<DateTime> for Timestamp {
    fn from(instant: DateTime) -> Self {
        instant.0
    }
}

/// Any JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JsonData(pub(crate) serde_json::Value);

/// Any JSON value.
#[Scalar(name = "JSON", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259.html")]
impl ScalarType for JsonData {
    fn parse(value: Value) -> InputValueResult<Self> {
        value.into_json().map(Self).map_err(|_| InputValueError::custom("Not a JSON value."))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

/// Most characters of a position, with room for the largest log.
const LONGEST_POSITION: usize = 16_384;

/// A point in the log; opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position(String);

/// A point in the log: URL-safe base64 text, whose content is opaque.
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc4648.html#section-5")]
impl ScalarType for Position {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) if is_opaque(text) => Ok(Self(text.clone())),
            Value::String(_) => Err(InputValueError::custom("Not a position.")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(text) if is_opaque(text))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// Whether a text can be a position, of whatever kind.
fn is_opaque(text: &str) -> bool {
    (1..=LONGEST_POSITION).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Position {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<position::Position> for Position {
    fn from(position: position::Position) -> Self {
        Self(position.to_string())
    }
}

/// The text of a position in a feed.
impl From<&str> for Position {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A counter as an `Int`. Counters of one user or group stay far below the limit.
pub(crate) fn int(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
