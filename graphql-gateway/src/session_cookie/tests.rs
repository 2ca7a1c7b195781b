//! What cookies and origins are read as.

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

fn token(cookie: SessionCookie, pairs: &[(&'static str, &'static str)]) -> Option<String> {
    match cookie.read(&headers(pairs)) {
        CookieSession::Token(token) => Some(token.expose_secret().to_owned()),
        CookieSession::None | CookieSession::Ambiguous => None,
    }
}

#[test]
fn only_the_cookie_of_this_way_of_running_is_a_session() {
    let public = SessionCookie::new(false);
    assert_eq!(token(public, &[("cookie", "a=b; __Host-muster=t-1")]).as_deref(), Some("t-1"));
    assert_eq!(token(public, &[("cookie", "a=b"), ("cookie", "__Host-muster=t-1")]).as_deref(), Some("t-1"));
    assert_eq!(token(public, &[("cookie", "muster_dev=t-1")]), None);
    assert_eq!(token(SessionCookie::new(true), &[("cookie", "muster_dev=t-1")]).as_deref(), Some("t-1"));
    let twice = headers(&[("cookie", "__Host-muster=a; __Host-muster=b")]);
    assert!(matches!(public.read(&twice), CookieSession::Ambiguous));
}

#[test]
fn the_header_has_what_browsers_ask_of_the_prefix() {
    let session = SecretString::from("t-1");
    let set = SessionCookie::new(false).set(&session, Duration::from_hours(24));
    let expected = "__Host-muster=t-1; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=86400";
    assert_eq!(set.to_str().unwrap(), expected);
    assert!(set.is_sensitive());
    let dev = SessionCookie::new(true).clear();
    assert_eq!(dev.to_str().unwrap(), "muster_dev=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
}

#[test]
fn a_request_of_another_page_is_foreign() {
    for (own, pairs) in [
        (true, vec![("sec-fetch-site", "same-origin")]),
        (true, vec![("sec-fetch-site", "none")]),
        (true, vec![("origin", "https://muster.example"), ("host", "muster.example")]),
        (true, vec![("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]),
        (
            false,
            vec![
                ("sec-fetch-site", "same-site"),
                ("origin", "https://muster.example"),
                ("host", "muster.example"),
            ],
        ),
        (false, vec![("sec-fetch-site", "cross-site")]),
        (false, vec![("origin", "https://other.example"), ("host", "muster.example")]),
        (false, vec![("origin", "https://muster.example:8443"), ("host", "muster.example")]),
        (false, vec![("origin", "null"), ("host", "null")]),
        (false, vec![("host", "muster.example")]),
        (false, vec![]),
    ] {
        assert_eq!(is_from_own_page(&headers(&pairs)), own, "{pairs:?}");
    }
}
