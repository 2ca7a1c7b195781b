//! Texts that people type: their length, their normal form and forbidden characters.

use unicode_normalization::UnicodeNormalization;

use crate::refusal::{Code, Refusal};

/// Most characters of a first or last name.
pub const NAME_LENGTH: usize = 100;
/// Most characters of a reason or a description.
pub const DESCRIPTION_LENGTH: usize = 500;

/// Trims, normalises (NFC, UAX #15) and checks a required text of at most `most` characters.
pub fn required(text: &str, most: usize) -> Result<String, Refusal> {
    optional(Some(text), most)?.ok_or_else(|| Refusal::new(Code::Required, "This must be given."))
}

/// Trims, normalises (NFC, UAX #15) and checks an optional text. White space alone counts as none.
pub fn optional(text: Option<&str>, most: usize) -> Result<Option<String>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    // Before normalising, so that a huge text costs nothing.
    if text.chars().count() > most.saturating_mul(4) {
        return Err(too_long(most));
    }
    let text = composed(text.trim());
    if text.chars().any(is_forbidden) {
        return Err(Refusal::new(Code::InvalidFormat, "Control characters are not allowed."));
    }
    if text.chars().count() > most {
        return Err(too_long(most));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The text in NFC (UAX #15). ASCII text is in NFC already.
pub(crate) fn composed(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { text.nfc().collect() }
}

/// The refusal of a text that is longer than `most` characters.
pub fn too_long(most: usize) -> Refusal {
    Refusal::new(Code::TooLong, format!("At most {most} characters are allowed."))
}

/// Control characters, and format characters that make a text display in another order than it is stored.
fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_composed() {
        assert_eq!(required("  Zoe\u{308} ", NAME_LENGTH), Ok("Zoë".to_owned()));
    }

    #[test]
    fn white_space_alone_is_nothing() {
        assert_eq!(optional(Some(" \t "), NAME_LENGTH), Ok(None));
        assert_eq!(required("", NAME_LENGTH).unwrap_err().code, Code::Required);
    }

    #[test]
    fn control_characters_and_bidirectional_overrides_are_refused() {
        for text in ["a\nb", "a\u{1b}[31m", "a\u{202e}b", "a\u{0}b"] {
            assert_eq!(required(text, NAME_LENGTH).unwrap_err().code, Code::InvalidFormat, "{text:?}");
        }
    }

    #[test]
    fn the_limit_counts_characters_and_not_bytes() {
        assert!(required(&"ß".repeat(100), NAME_LENGTH).is_ok());
        assert_eq!(required(&"ß".repeat(101), NAME_LENGTH).unwrap_err().code, Code::TooLong);
        assert_eq!(required(&"ß".repeat(100_000), NAME_LENGTH).unwrap_err().code, Code::TooLong);
    }
}
