//! A text of a record as the bytes it stands for: an id, an instant, a digest, or just a text.
//!
//! A text is taken apart only if putting it together again gives the same text, to the byte.

use std::fmt::Write;

use domain::timestamp::Timestamp;
use uuid::Uuid;

/// Characters of a UUID in its canonical form.
const UUID_TEXT: usize = 36;
/// Digits of a sequence number.
const SEQUENCE_TEXT: usize = 20;
/// Characters of a digest in hex.
const DIGEST_TEXT: usize = 64;
/// Characters of a trace context: version 00, trace id, span id, flags.
const TRACE_TEXT: usize = 55;

/// A text, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParsedText<'a> {
    /// Any text.
    Text(&'a str),
    /// A UUID, and what stands before and after it.
    Id(&'a str, Uuid, &'a str),
    /// An instant in the form of [`Timestamp`].
    Time(Timestamp),
    /// A number of twenty digits.
    Number(u64),
    /// A number without leading zeros.
    ShortNumber(u64),
    /// 32 bytes in lower-case hex.
    Digest([u8; 32]),
    /// A trace context of version 00: trace id, span id and flags.
    Trace([u8; 25]),
}

impl<'a> ParsedText<'a> {
    /// An id in a text, if there is one at the start or after the first underscore.
    pub(super) fn id(text: &'a str) -> Option<Self> {
        let after_kind = text.find('_').map(|at| at + 1);
        [after_kind, Some(0)].into_iter().flatten().find_map(|at| {
            let (before, rest) = text.split_at(at);
            let id = rest.get(..UUID_TEXT).filter(|id| is_canonical(id))?;
            Some(Self::Id(before, Uuid::try_parse(id).ok()?, &rest[UUID_TEXT..]))
        })
    }

    pub(super) fn time(text: &str) -> Option<Self> {
        let time = Timestamp::parse(text).ok()?;
        (time.text().as_str() == text).then_some(Self::Time(time))
    }

    pub(super) fn number(text: &str) -> Option<Self> {
        let number = text.parse().ok()?;
        let first = text.bytes().next()?;
        if text.len() == SEQUENCE_TEXT && first.is_ascii_digit() {
            Some(Self::Number(number))
        } else {
            (text == "0" || (b'1'..=b'9').contains(&first)).then_some(Self::ShortNumber(number))
        }
    }

    pub(super) fn digest(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        (text.len() == DIGEST_TEXT && unhex(text, &mut digest)).then_some(Self::Digest(digest))
    }

    pub(super) fn trace(text: &str) -> Option<Self> {
        if text.len() != TRACE_TEXT || !text.is_ascii() {
            return None;
        }
        let (version, ids) = text.split_at(3);
        let (trace, span, flags) = (&ids[..32], &ids[33..49], &ids[50..]);
        let mut bytes = [0; 25];
        let read = version == "00-"
            && ids.as_bytes()[32] == b'-'
            && ids.as_bytes()[49] == b'-'
            && unhex(trace, &mut bytes[..16])
            && unhex(span, &mut bytes[16..24])
            && unhex(flags, &mut bytes[24..]);
        read.then_some(Self::Trace(bytes))
    }

    /// Appends the text.
    pub(super) fn write(&self, text: &mut String) {
        match self {
            Self::Text(value) => text.push_str(value),
            Self::Id(before, id, after) => {
                text.push_str(before);
                text.push_str(id.hyphenated().encode_lower(&mut [0; UUID_TEXT]));
                text.push_str(after);
            }
            Self::Time(time) => text.push_str(time.text().as_str()),
            Self::Number(number) => write!(text, "{number:020}").expect("a string takes any text"),
            Self::ShortNumber(number) => write!(text, "{number}").expect("a string takes any text"),
            Self::Digest(digest) => push_hex(text, digest),
            Self::Trace(bytes) => {
                text.push_str("00-");
                push_hex(text, &bytes[..16]);
                text.push('-');
                push_hex(text, &bytes[16..24]);
                text.push('-');
                push_hex(text, &bytes[24..]);
            }
        }
    }
}

fn is_canonical(id: &str) -> bool {
    id.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    })
}

/// Reads lower-case hex. False if the text is anything else.
fn unhex(text: &str, bytes: &mut [u8]) -> bool {
    !text.bytes().any(|byte| byte.is_ascii_uppercase()) && hex::decode_to_slice(text, bytes).is_ok()
}

/// Appends up to 32 bytes in hex.
fn push_hex(text: &mut String, bytes: &[u8]) {
    let mut digits = [0; DIGEST_TEXT];
    let digits = &mut digits[..2 * bytes.len()];
    hex::encode_to_slice(bytes, digits).expect("two digits a byte");
    text.push_str(str::from_utf8(digits).expect("hex digits are ASCII"));
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0199a5b0-4a1c-7f3e-8b6d-2c9e01f4a7d3";
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_taken_apart_is_put_together_the_same() {
        let digest = "0a".repeat(32);
        let user = format!("user_{ID}/password");
        let values = [
            ParsedText::id(ID),
            ParsedText::id(&user),
            ParsedText::time("2026-09-21T14:13:20.349540Z"),
            ParsedText::number("0"),
            ParsedText::number("18446744073709551615"),
            ParsedText::number("1844674407370955161"),
            ParsedText::number("00000000000000000009"),
            ParsedText::digest(&digest),
            ParsedText::trace(TRACE),
        ];
        let texts = values.map(|value| {
            let mut text = String::new();
            value.expect("it is of the usual form").write(&mut text);
            text
        });
        let expected = [
            ID,
            &user,
            "2026-09-21T14:13:20.349540Z",
            "0",
            "18446744073709551615",
            "1844674407370955161",
            "00000000000000000009",
            &digest,
            TRACE,
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn what_would_come_back_otherwise_stays_a_text() {
        assert_eq!(ParsedText::id(&ID.to_uppercase()), None);
        assert_eq!(ParsedText::id(&ID.replace('-', "")), None);
        assert_eq!(ParsedText::id(&format!("äöü{ID}")), None);
        for time in ["2026-09-21T14:13:20Z", "2026-09-21T14:13:20.5Z", "2026-09-21T16:13:20.349540+02:00"] {
            assert_eq!(ParsedText::time(time), None, "{time}");
        }
        for number in ["", "01", "+1", "-1", " 1", "1 ", "18446744073709551616"] {
            assert_eq!(ParsedText::number(number), None, "{number}");
        }
        for digest in ["0A".repeat(32), "0a".repeat(31), "0g".repeat(32), "é".repeat(32)] {
            assert_eq!(ParsedText::digest(&digest), None, "{digest}");
        }
        let odd = [TRACE.to_uppercase(), TRACE.replacen("00-", "01-", 1), TRACE.replace("-01", "_01")];
        for trace in odd {
            assert_eq!(ParsedText::trace(&trace), None, "{trace}");
        }
    }
}
