//! E-mail addresses as people type them: the part before the @ stays as typed, the domain is normalised (UTS #46).

use email_address::{EmailAddress, Options};
use unicase::UniCase;

use crate::refusal::{Code, Refusal};
use crate::text::{composed, too_long};

/// Most characters of an address (RFC 5321, section 4.5.3.1).
pub const LONGEST: usize = 254;

/// Parses a required address.
pub fn required(text: &str) -> Result<String, Refusal> {
    optional(Some(text))?.ok_or_else(|| Refusal::new(Code::Required, "An e-mail address must be given."))
}

/// Parses an optional address. White space alone counts as none.
pub fn optional(text: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > LONGEST {
        return Err(too_long(LONGEST));
    }
    let invalid = || Refusal::new(Code::InvalidFormat, "This is not a valid e-mail address.");
    let (local, domain) = text.rsplit_once('@').ok_or_else(invalid)?;
    let domain = idna::domain_to_ascii_strict(domain).map_err(|_| invalid())?;
    let address = format!("{local}@{domain}");
    let options = Options::default().without_display_text().without_domain_literal();
    if text.chars().any(char::is_control) || EmailAddress::parse_with_options(&address, options).is_err() {
        return Err(invalid());
    }
    if address.len() > LONGEST {
        return Err(too_long(LONGEST));
    }
    Ok(Some(address))
}

/// The form in which addresses are compared: NFC (UAX #15) with full case folding, so that case makes no difference.
pub fn folded(address: &str) -> String {
    if address.is_ascii() {
        return address.to_ascii_lowercase();
    }
    composed(&UniCase::unicode(composed(address)).to_folded_case())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_lower_cased_and_the_rest_kept() {
        assert_eq!(required("Alice.B@Example.COM").as_deref(), Ok("Alice.B@example.com"));
        assert_eq!(required("a@BÜCHER.example").as_deref(), Ok("a@xn--bcher-kva.example"));
    }

    #[test]
    fn addresses_that_differ_in_capital_letters_are_one() {
        assert_eq!(folded("Alice.B@example.com"), folded("alice.b@EXAMPLE.com"));
        assert_eq!(folded("stra\u{df}e@b.example"), folded("STRASSE@b.example"));
        assert_eq!(folded("zoe\u{308}@b.example"), folded("ZO\u{cb}@b.example"));
        assert_eq!(
            folded("\u{212a}im@b.example"),
            folded("Kim@b.example"),
            "the sign of the unit is a letter"
        );
        assert_ne!(folded("alice@example.com"), folded("alice@example.org"));
    }

    #[test]
    fn bad_addresses_are_refused() {
        for text in [
            "a",
            "@b.example",
            "a@",
            "a b@c.example",
            "a@b@c.example",
            "A <a@b.example>",
            "a@b.example\n.x",
            "a@-b.example",
        ] {
            assert_eq!(required(text).unwrap_err().code, Code::InvalidFormat, "{text}");
        }
        assert_eq!(required(&format!("{}@b.example", "a".repeat(250))).unwrap_err().code, Code::TooLong);
        assert_eq!(required(" ").unwrap_err().code, Code::Required);
    }
}
