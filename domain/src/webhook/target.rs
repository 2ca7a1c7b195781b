//! The address that a webhook sends to: what a valid one is, and its normal form.

use url::Url;

use crate::refusal::{Code, Refusal};
use crate::text::too_long;

/// Most characters of an address.
const LONGEST: usize = 2_048;

/// Checks an address and brings it into the form in which it is shown and used. Whether Muster may connect to the host is
/// judged when it does, because names resolve anew each time.
pub(crate) fn parse(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Refusal::new(Code::Required, "This must be given."));
    }
    if text.chars().count() > LONGEST {
        return Err(too_long(LONGEST));
    }
    let invalid = |message: &str| Err(Refusal::new(Code::InvalidFormat, message));
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return invalid("An address has no blanks and no control characters.");
    }
    let Ok(mut url) = Url::parse(text) else {
        return invalid("This is not a valid address, such as https://example.com/hook.");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return invalid("The address begins with https:// (or http://).");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return invalid(
            "The address must not hold a user name or a password: deliveries are signed instead.",
        );
    }
    if url.fragment().is_some() {
        return invalid("The address must not have a fragment (#…), because it is not sent.");
    }
    if url.port() == Some(0) {
        return invalid("Nobody listens on port 0.");
    }
    // One host in two spellings would be two targets.
    if let Some(host) = url.domain().and_then(|host| host.strip_suffix('.')).map(str::to_owned)
        && url.set_host(Some(&host)).is_err()
    {
        return invalid("The host of the address is not valid.");
    }
    // A URL may hold more in a host than an HTTP request can be sent to.
    if url
        .domain()
        .is_some_and(|host| !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)))
    {
        return invalid("The host of the address has characters that no name of a host has.");
    }
    let normal = String::from(url);
    if normal.len() > LONGEST { Err(too_long(LONGEST)) } else { Ok(normal) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_its_normal_form() {
        for (typed, kept) in [
            ("https://Example.COM", "https://example.com/"),
            (" https://example.com./a?b=c ", "https://example.com/a?b=c"),
            ("https://example.com:443/x", "https://example.com/x"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("http://0x7f.1:8080/", "http://127.0.0.1:8080/"),
            ("http://[::FFFF:10.0.0.1]/", "http://[::ffff:a00:1]/"),
        ] {
            assert_eq!(parse(typed).as_deref(), Ok(kept), "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_receiver_is_refused() {
        for wrong in [
            "example.com",
            "ftp://example.com/",
            "https://",
            "https://user@example.com/",
            "https://user:secret@example.com/",
            "https://example.com/#part",
            "https://exa mple.com/",
            "https://example.com/a b",
            "https://example.com:65536/",
            "https://example.com:0/",
            "https://256.0.0.1/",
            "https://[fe80::1%25eth0]/",
            "https://exa\"mple.com/",
            "https://{example}.com/",
            "https://exa`mple.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            assert_eq!(parse(wrong).map_err(|refusal| refusal.code), Err(Code::InvalidFormat), "{wrong}");
        }
        assert_eq!(parse(" ").unwrap_err().code, Code::Required);
        assert_eq!(
            parse(&format!("https://example.com/{}", "x".repeat(2_048))).unwrap_err().code,
            Code::TooLong
        );
    }
}
