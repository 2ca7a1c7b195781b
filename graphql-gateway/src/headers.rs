//! Reads what the headers of a request say: credentials, request id, trace context, address of the client.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::header::AsHeaderName;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::actor::Client;
use ipnet::IpNet;
use secrecy::SecretString;
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// Longest request id that is taken over from the caller, in characters.
const REQUEST_ID_LENGTH: usize = 128;
/// Characters of a user agent that are kept.
const AGENT_LENGTH: usize = 256;

/// What the Authorization header holds.
pub(crate) enum Credentials {
    /// Nothing.
    None,
    /// A session token.
    Bearer(SecretString),
    /// A username or token id, and a password or secret (RFC 7617).
    Basic(String, SecretString),
    /// Another scheme, several headers, or something that can't be read.
    Unreadable,
}

/// The value of a header that may stand in a request once; `None` also when there are several, since none of them is
/// more right than another.
pub(crate) fn only(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Reads the Authorization header.
pub(crate) fn credentials(headers: &HeaderMap) -> Credentials {
    if !headers.contains_key(header::AUTHORIZATION) {
        return Credentials::None;
    }
    let value = only(headers, header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, rest)) = value.and_then(|text| text.split_once(' ')) else {
        return Credentials::Unreadable;
    };
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Credentials::Bearer(rest.into());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Credentials::Unreadable;
    }
    let text = STANDARD.decode(rest).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match text.as_deref().and_then(|text| text.split_once(':')) {
        Some((user, secret)) => Credentials::Basic(user.to_owned(), secret.into()),
        None => Credentials::Unreadable,
    }
}

/// The caller's id of the request if it is well-formed, else a new one.
pub(crate) fn correlation_id(headers: &HeaderMap) -> String {
    only(headers, "x-request-id")
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            (1..=REQUEST_ID_LENGTH).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
        })
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The W3C trace context, if it has the form of version 00.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = only(headers, "traceparent")?.to_str().ok()?;
    let lengths = [2, 32, 16, 2];
    let is_hex = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let mut parts = text.split('-');
    let fits =
        lengths.iter().all(|length| parts.next().is_some_and(|part| part.len() == *length && is_hex(part)));
    (fits && parts.next().is_none()).then(|| text.to_owned())
}

/// The client of a request: the peer, or the address that trusted proxies name. There is no address if the one that they
/// name is unreadable.
pub(crate) fn client(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    let address = peer.and_then(|peer| behind_proxies(peer.to_canonical(), headers, trusted));
    let agent = headers.get(header::USER_AGENT).map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.chars().filter(|c| !c.is_control()).take(AGENT_LENGTH).collect()
    });
    Client { address: address.map(|address| address.to_string()), agent }
}

/// Walks back from the peer while the sender is a trusted proxy. Entries further left may be made up by the client.
/// An unreadable entry gives no address: the address of the proxy that passed it on would be wrong.
fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let forwarded: Vec<&[u8]> = headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .collect();
    let mut address = peer;
    for entry in forwarded.into_iter().rev() {
        if !is_trusted(address) {
            break;
        }
        address = entry_address(entry)?.to_canonical();
    }
    Some(address)
}

/// The address of an entry. Some proxies write it with a port or in brackets.
fn entry_address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry.trim_ascii()).ok()?;
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed)
}
