//! Which headers are believed.

use super::*;
use axum::http::HeaderName;
use secrecy::ExposeSecret;

fn headers(entries: &[(&'static str, &str)]) -> HeaderMap {
    let entry = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    entries.iter().map(entry).collect()
}

fn address(peer: &str, forwarded: &[&[u8]], trusted: &[&str]) -> Option<String> {
    let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
    let mut map = HeaderMap::new();
    for value in forwarded {
        map.append("x-forwarded-for", HeaderValue::from_bytes(value).unwrap());
    }
    client(Some(peer.parse().unwrap()), &map, &trusted).address
}

#[test]
fn a_peer_that_is_no_trusted_proxy_speaks_for_itself_alone() {
    let is = |forwarded: &[&[u8]], trusted: &[&str]| address("192.0.2.9", forwarded, trusted);
    assert_eq!(is(&[b"10.1.1.1"], &[]).as_deref(), Some("192.0.2.9"));
    assert_eq!(is(&[b"10.1.1.1"], &["198.51.100.0/24"]).as_deref(), Some("192.0.2.9"));
    assert_eq!(is(&[b"nonsense \xff"], &[]).as_deref(), Some("192.0.2.9"));
    assert_eq!(address("::ffff:192.0.2.9", &[], &[]).as_deref(), Some("192.0.2.9"));
}

#[test]
fn behind_trusted_proxies_the_first_other_address_counts() {
    let is = |forwarded: &[&[u8]]| address("10.0.0.1", forwarded, &["10.0.0.0/8"]);
    for forwarded in [
        &[b"6.6.6.6, 192.0.2.7, 10.0.0.2".as_slice()] as &[&[u8]],
        &[b"192.0.2.7", b"10.0.0.2"],
        &[b"nonsense, 192.0.2.7"],
        &[b"192.0.2.7:4711, 10.0.0.2:80"],
        &[b"[::ffff:192.0.2.7]"],
    ] {
        assert_eq!(is(forwarded).as_deref(), Some("192.0.2.7"), "{forwarded:?}");
    }
    assert_eq!(is(&[b"[2001:db8::1]:443"]).as_deref(), Some("2001:db8::1"));
    assert_eq!(is(&[]).as_deref(), Some("10.0.0.1"));
}

#[test]
fn whoever_is_forwarded_unreadably_has_no_address_and_never_that_of_the_proxy() {
    for forwarded in
        [b"192.0.2.7, nonsense".as_slice(), b"", b"\xfc", b"6.6.6.6, \xff, 10.0.0.2", b"unknown", b"[::1"]
    {
        assert_eq!(address("10.0.0.1", &[forwarded], &["10.0.0.0/8"]), None, "{forwarded:?}");
    }
}

#[test]
fn a_request_id_of_visible_characters_is_kept() {
    assert_eq!(correlation_id(&headers(&[("x-request-id", "abc-1")])), "abc-1");
    for id in ["", "a b", "ü", &"x".repeat(129)] {
        assert_ne!(correlation_id(&headers(&[("x-request-id", id)])), id);
    }
    assert!(Uuid::try_parse(&correlation_id(&HeaderMap::new())).is_ok());
}

#[test]
fn a_trace_context_of_another_form_is_dropped() {
    let context = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(traceparent(&headers(&[("traceparent", context)])).as_deref(), Some(context));
    for text in ["", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", &format!("{context}-x")] {
        assert_eq!(traceparent(&headers(&[("traceparent", text)])), None);
    }
}

#[test]
fn f40_a_header_that_stands_twice_counts_as_none() {
    let twice = |name: &'static str, first: &'static str, second: &'static str| {
        let mut map = headers(&[(name, first)]);
        map.append(name, HeaderValue::from_static(second));
        map
    };
    let basic = twice("authorization", "Basic YWxpY2U6cGFzczp3b3Jk", "Bearer abc");
    assert!(matches!(credentials(&basic), Credentials::Unreadable));
    assert_ne!(correlation_id(&twice("x-request-id", "abc-1", "abc-2")), "abc-1");
    let context = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(traceparent(&twice("traceparent", context, context)), None);
}

#[test]
fn credentials_are_read_from_both_schemes() {
    let basic = headers(&[("authorization", "basic YWxpY2U6cGFzczp3b3Jk")]);
    assert!(matches!(credentials(&basic), Credentials::Basic(user, secret)
        if user == "alice" && secret.expose_secret() == "pass:word"));
    let bearer = headers(&[("authorization", "Bearer abc")]);
    assert!(matches!(credentials(&bearer), Credentials::Bearer(token) if token.expose_secret() == "abc"));
    for value in ["Basic !!!", "Basic YWxpY2U=", "Digest x", "Bearer"] {
        assert!(
            matches!(credentials(&headers(&[("authorization", value)])), Credentials::Unreadable),
            "{value}"
        );
    }
    assert!(matches!(credentials(&HeaderMap::new()), Credentials::None));
}
