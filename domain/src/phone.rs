//! Phone numbers, kept as typed.

use crate::refusal::{Code, Refusal};
use crate::text::too_long;

/// Most characters of a number.
pub const LONGEST: usize = 32;

/// Checks an optional number. An empty text counts as none.
pub fn optional(text: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > LONGEST {
        return Err(too_long(LONGEST));
    }
    let is_allowed = |c: char| c.is_ascii_digit() || matches!(c, '+' | '(' | ')' | '-' | ' ');
    if !text.chars().all(is_allowed) || text.starts_with(' ') || text.ends_with(' ') {
        return Err(Refusal::new(
            Code::InvalidFormat,
            "A phone number consists of + 0-9 ( ) - and spaces, and neither starts nor ends with a space.",
        ));
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_as_typed() {
        assert_eq!(optional(Some("+49 (30) 12-34")), Ok(Some("+49 (30) 12-34".to_owned())));
        assert_eq!(optional(Some("")), Ok(None));
    }

    #[test]
    fn bad_numbers_are_refused() {
        for text in [" 12", "12 ", "12a", "１２", "12\n"] {
            assert_eq!(optional(Some(text)).unwrap_err().code, Code::InvalidFormat, "{text}");
        }
        assert_eq!(optional(Some(&"1".repeat(33))).unwrap_err().code, Code::TooLong);
    }
}
