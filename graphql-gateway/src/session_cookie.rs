//! The session of a browser: a cookie that no script can read, and that counts for requests of our own pages alone.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};
use secrecy::{ExposeSecret, SecretString};

#[cfg(test)]
mod tests;

const FETCH_SITE: &str = "sec-fetch-site";

/// The name and the attributes of the session cookie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionCookie {
    name: &'static str,
    secure: bool,
}

/// What the cookies of a request say about the session.
pub(crate) enum CookieSession {
    /// Nothing.
    None,
    /// The token of a session.
    Token(SecretString),
    /// Several tokens. None of them is more right than another.
    Ambiguous,
}

impl SessionCookie {
    /// The prefix `__Host-` makes browsers refuse a cookie that another host or a plain connection sets. In development
    /// the portal is served without TLS from a loopback address, so the name and the attribute go.
    pub(crate) fn new(is_dev: bool) -> Self {
        if is_dev {
            Self { name: "muster_dev", secure: false }
        } else {
            Self { name: "__Host-muster", secure: true }
        }
    }

    /// Reads the session's token. HTTP/2 may split cookies over several headers.
    pub(crate) fn read(&self, headers: &HeaderMap) -> CookieSession {
        let mut tokens = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .filter(|cookie| cookie.name() == self.name)
            .map(|cookie| SecretString::from(cookie.value()));
        match (tokens.next(), tokens.next()) {
            (None, _) => CookieSession::None,
            (Some(token), None) => CookieSession::Token(token),
            (Some(_), Some(_)) => CookieSession::Ambiguous,
        }
    }

    /// The header that hands a session to the browser for at most `lifetime`.
    pub(crate) fn set(&self, token: &SecretString, lifetime: Duration) -> HeaderValue {
        self.header(token.expose_secret(), lifetime)
    }

    /// The header that makes the browser forget its session.
    pub(crate) fn clear(&self) -> HeaderValue {
        self.header("", Duration::ZERO)
    }

    fn header(self, value: &str, lifetime: Duration) -> HeaderValue {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let cookie = Cookie::build((self.name, value))
            .path("/")
            .max_age(time::Duration::seconds(seconds))
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(self.secure)
            .build();
        let mut header = HeaderValue::from_str(&cookie.to_string()).expect("tokens are base64url text");
        header.set_sensitive(true);
        header
    }
}

/// Whether a page of this very origin sent the request, or the user did by typing the address. Browsers that do not say
/// so by `Sec-Fetch-Site` name the page's origin.
pub(crate) fn is_from_own_page(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(FETCH_SITE) {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let authority = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let origin = authority(header::ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some_and(|origin| authority(header::HOST).is_some_and(|host| host.eq_ignore_ascii_case(origin)))
}
