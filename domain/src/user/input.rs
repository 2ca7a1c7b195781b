//! Checks that several subjects share: a number in a range, the name of a mailbox or rule.

use crate::refusal::{Code, Refusal};
use crate::text;

/// Checks a number from `least` to `most`.
pub(crate) fn between(number: i32, least: u32, most: u32) -> Result<u32, Refusal> {
    u32::try_from(number).ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| {
        Refusal::new(Code::OutOfRange, format!("This must be a number from {least} to {most}."))
    })
}

/// Checks the name of a mailbox or rule: 1 to 64 characters of `A-Z a-z 0-9 _ -`.
pub(crate) fn label(text: &str) -> Result<String, Refusal> {
    if text.is_empty() {
        return Err(Refusal::new(Code::Required, "A name must be given."));
    }
    if text.chars().count() > 64 {
        return Err(text::too_long(64));
    }
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        return Err(Refusal::new(Code::InvalidFormat, "A name consists of A-Z a-z 0-9 _ and - only."));
    }
    Ok(text.to_owned())
}
