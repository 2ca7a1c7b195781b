//! Whether a page may open a WebSocket here: browsers let every page try, and say which one it is.

use axum::http::{HeaderMap, Uri, header};

use crate::headers::only;

/// Whether the page of a request is one of this host. Programs that are no browsers name none.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    if !headers.contains_key(header::ORIGIN) {
        return true;
    }
    let text = |name| only(headers, name).and_then(|value| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else { return false };
    let origin: Option<Uri> = origin.parse().ok();
    origin.and_then(|origin| Some(origin.authority()?.as_str().eq_ignore_ascii_case(host))).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_host_open_a_socket() {
        let headers = |pairs: &[(header::HeaderName, &str)]| {
            pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect::<HeaderMap>()
        };
        let host = (header::HOST, "portal.example:8080");
        let from = |origin: &'static str| headers(&[host.clone(), (header::ORIGIN, origin)]);
        assert!(is_own(&headers(std::slice::from_ref(&host))));
        assert!(is_own(&from("https://portal.example:8080")));
        assert!(is_own(&from("https://PORTAL.example:8080")));
        for origin in
            ["https://portal.example", "https://evil.example:8080", "null", "", "portal.example:8080x"]
        {
            assert!(!is_own(&from(origin)), "{origin}");
        }
        assert!(!is_own(&headers(&[(header::ORIGIN, "https://portal.example")])));
    }
}
