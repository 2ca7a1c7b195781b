//! Timestamps in UTC to the microsecond: RFC 3339 text on the wire, microseconds since 1970 in databases.
//!
//! The text has always six digits of a second, so that texts sort as the instants do. JSON keeps the short form, without
//! zeros at the end: digests of commands cover it, and a retry must have the same digest in every release. Both are read.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime};

/// An instant in UTC, to the microsecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is not an RFC 3339 instant, or one outside of years 0001 to 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 instant")]
pub struct ParseTimestampError;

impl Timestamp {
    /// The earliest instant that has a text.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// The latest instant that has a text.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// From microseconds since 1970, clamped to the years 0001 to 9999.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Parses RFC 3339 text with any offset.
    pub fn parse(text: &str) -> Result<Self, ParseTimestampError> {
        if let Some(timestamp) = TimestampText::read(text) {
            return Ok(timestamp);
        }
        let instant = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| ParseTimestampError)?;
        i64::try_from(instant.unix_timestamp_nanos() / 1_000)
            .ok()
            .filter(|micros| (Self::MIN.0..=Self::MAX.0).contains(micros))
            .map(Self)
            .ok_or(ParseTimestampError)
    }
}

/// The text of a [`Timestamp`], such as `2026-09-21T14:13:20.349540Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimestampText([u8; 27]);

impl TimestampText {
    const MICROS_A_DAY: i64 = 86_400_000_000;
    const JULIAN_DAY_OF_1970: i64 = 2_440_588;
    /// What each number counts: where its digits begin, how many there are, and by how much of the next greater one it is
    /// exceeded. From hours to microseconds.
    const TIME_FIELDS: [(usize, usize, i64); 4] = [(11, 2, 24), (14, 2, 60), (17, 2, 60), (20, 6, 1_000_000)];

    /// The text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("it is made of ASCII")
    }

    fn of(timestamp: Timestamp) -> Self {
        let days = timestamp.0.div_euclid(Self::MICROS_A_DAY) + Self::JULIAN_DAY_OF_1970;
        let date = i32::try_from(days).ok().and_then(|days| Date::from_julian_day(days).ok());
        let date = date.expect("every timestamp lies between years 0001 and 9999");
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        write_digits(&mut text[..4], date.year().into());
        write_digits(&mut text[5..7], u8::from(date.month()).into());
        write_digits(&mut text[8..10], date.day().into());
        let mut left = timestamp.0.rem_euclid(Self::MICROS_A_DAY);
        for (at, digits, limit) in Self::TIME_FIELDS.into_iter().rev() {
            write_digits(&mut text[at..at + digits], left % limit);
            left /= limit;
        }
        Self(text)
    }

    /// The timestamp of a text of exactly this form.
    fn read(text: &str) -> Option<Timestamp> {
        const MARKS: [(usize, u8); 7] =
            [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (26, b'Z')];
        let text: &[u8; 27] = text.as_bytes().try_into().ok()?;
        if MARKS.into_iter().any(|(at, mark)| text[at] != mark) {
            return None;
        }
        let year = i32::try_from(read_digits(&text[..4])?).ok()?;
        let month =
            u8::try_from(read_digits(&text[5..7])?).ok().and_then(|month| Month::try_from(month).ok())?;
        let day = u8::try_from(read_digits(&text[8..10])?).ok()?;
        let date = Date::from_calendar_date(year, month, day).ok()?;
        let mut time = 0;
        for (at, digits, limit) in Self::TIME_FIELDS {
            time = time * limit + read_digits(&text[at..at + digits]).filter(|number| *number < limit)?;
        }
        let days = i64::from(date.to_julian_day()) - Self::JULIAN_DAY_OF_1970;
        let micros = days * Self::MICROS_A_DAY + time;
        (Timestamp::MIN.0..=Timestamp::MAX.0).contains(&micros).then_some(Timestamp(micros))
    }
}

fn write_digits(digits: &mut [u8], mut number: i64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("it is a digit");
        number /= 10;
    }
}

fn read_digits(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

impl From<OffsetDateTime> for Timestamp {
    fn from(instant: OffsetDateTime) -> Self {
        Self::from_micros(i64::try_from(instant.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self::from_micros(self.0.saturating_add(micros(duration)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self::from_micros(self.0.saturating_sub(micros(duration)))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl Timestamp {
    /// The text, without memory of its own: a replay makes and reads millions.
    pub fn text(self) -> TimestampText {
        TimestampText::of(self)
    }

    fn instant(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .expect("every timestamp lies between years 0001 and 9999")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.instant().format(&Rfc3339);
        serializer.serialize_str(&text.expect("every timestamp lies between years 0001 and 9999"))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // A pattern, because validators check a `format` only if they know it, and strict ones refuse one that they don't.
        schemars::json_schema!({
            "type": "string",
            "description": "An instant in UTC: RFC 3339 with up to six digits of a second.",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?Z$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_an_offset_is_read_as_utc() {
        let at = Timestamp::parse("2026-03-01T12:00:00.5+02:00").unwrap();
        assert_eq!(at.to_string(), "2026-03-01T10:00:00.500000Z");
    }

    #[test]
    fn f25_text_has_six_digits_and_sorts_as_the_instants_do() {
        let texts: Vec<_> = [0, 1, 10, 349_540, 999_999, 1_000_000]
            .map(|micros| Timestamp::from_micros(1_790_000_000_000_000 + micros).to_string())
            .into();
        assert!(texts.is_sorted() && texts.iter().all(|text| text.len() == 27), "{texts:?}");
        assert_eq!(texts[3], "2026-09-21T14:13:20.349540Z");
        for (text, short) in
            texts.iter().zip(["20Z", "20.000001Z", "20.00001Z", "20.34954Z", "20.999999Z", "21Z"])
        {
            let old = format!("2026-09-21T14:13:{short}");
            assert_eq!(Timestamp::parse(&old), Timestamp::parse(text), "old records are read");
            let json = serde_json::to_string(&Timestamp::parse(text).unwrap()).unwrap();
            assert_eq!(json, format!("\"{old}\""), "digests of commands stay as they were");
        }
    }

    #[test]
    fn the_usual_form_is_read_as_every_other() {
        for micros in [-62_135_596_800_000_000, -1, 0, 951_782_400_000_001, 1_790_000_000_349_540] {
            let timestamp = Timestamp::from_micros(micros);
            let text = timestamp.to_string();
            assert_eq!(TimestampText::read(&text), Some(timestamp), "{text}");
            assert_eq!(Timestamp::parse(&text.replace('Z', "+00:00")), Ok(timestamp), "{text}");
        }
        let odd =
            ["2026-02-29T00:00:00.000000Z", "2026-01-01T24:00:00.000000Z", "2026-01-01T00:60:00.000000Z"];
        for text in odd.into_iter().chain(["2026-13-01T00:00:00.000000Z", "2026-01-01T00:00:0x.000000Z"]) {
            assert_eq!(Timestamp::parse(text), Err(ParseTimestampError), "{text}");
        }
    }

    #[test]
    fn the_ends_of_the_range_have_a_text() {
        for end in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(Timestamp::parse(&end.to_string()), Ok(end));
        }
    }
}
