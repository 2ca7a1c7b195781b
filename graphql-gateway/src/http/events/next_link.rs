//! The link from one batch to the next: the same request, begun where the batch ends.

use axum::http::HeaderValue;
use event_feed::FeedKind;

/// The value of the `Link` header (RFC 8288).
pub(super) fn next_link(
    kind: FeedKind,
    position: &str,
    repeated: &[(String, String)],
) -> Option<HeaderValue> {
    let mut url = format!("/events/{}?after={position}", kind.name());
    for (name, value) in repeated {
        url.push('&');
        url.push_str(name);
        url.push('=');
        escape(&mut url, value);
    }
    HeaderValue::from_str(&format!("<{url}>; rel=\"next\"")).ok()
}

/// Adds a value so that it stands for itself in a query (RFC 3986, section 3.4).
fn escape(url: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'*' | b',' => {
                url.push(char::from(byte));
            }
            _ => {
                let escaped = format!("%{byte:02X}");
                url.push_str(&escaped);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_repeats_the_parameters_and_escapes_them() {
        let repeated =
            [("types".to_owned(), "muster.user.*,a b".to_owned()), ("limit".to_owned(), "7".to_owned())];
        let link = next_link(FeedKind::Users, "AbC_-1", &repeated).unwrap();
        assert_eq!(link, "</events/users?after=AbC_-1&types=muster.user.*,a%20b&limit=7>; rel=\"next\"");
    }
}
