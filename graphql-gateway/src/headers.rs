//! What the headers of a request say: credentials, request id, trace context, address.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::actor::Client;
use ipnet::IpNet;
use secrecy::SecretString;
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// Most characters of a request id that is taken from the caller.
const REQUEST_ID_LENGTH: usize = 128;
/// Most characters of a user agent that are kept.
const AGENT_LENGTH: usize = 256;

/// What a request proves its sender with.
pub(crate) enum Authorization {
    /// Nothing.
    None,
    /// A session token.
    Bearer(SecretString),
    /// A user or token id, and a password or secret (RFC 7617).
    Basic(String, SecretString),
    /// Something that Muster does not take, or that can't be read.
    Other,
}

/// Reads the Authorization header.
pub(crate) fn authorization(headers: &HeaderMap) -> Authorization {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Authorization::None };
    let Some((scheme, rest)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return Authorization::Other;
    };
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Authorization::Bearer(rest.into());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Authorization::Other;
    }
    let text = STANDARD.decode(rest).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match text.as_deref().and_then(|text| text.split_once(':')) {
        Some((user, secret)) => Authorization::Basic(user.to_owned(), secret.into()),
        None => Authorization::Other,
    }
}

/// The caller's id of the request if it is one, else a new one.
pub(crate) fn correlation_id(headers: &HeaderMap) -> String {
    headers
        .get("x-request-id")
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            (1..=REQUEST_ID_LENGTH).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
        })
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The W3C trace context, if it has the form of version 00.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let lengths = [2, 32, 16, 2];
    let is_hex = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let mut parts = text.split('-');
    let fits =
        lengths.iter().all(|length| parts.next().is_some_and(|part| part.len() == *length && is_hex(part)));
    (fits && parts.next().is_none()).then(|| text.to_owned())
}

/// Where a request came from: the peer, or what trusted proxies say of it. No address where they say it unreadably.
pub(crate) fn client(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    let address = peer.and_then(|peer| behind_proxies(peer.to_canonical(), headers, trusted));
    let agent = headers.get(header::USER_AGENT).map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.chars().filter(|c| !c.is_control()).take(AGENT_LENGTH).collect()
    });
    Client { address: address.map(|address| address.to_string()), agent }
}

/// Goes back from the peer for as long as whoever sent it on is trusted: what stands further left may be anybody's
/// invention. An entry that can't be read is nobody's address, least of all that of the proxy which passed it on.
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

/// The address of an entry, which some proxies write with a port or in brackets.
fn entry_address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry.trim_ascii()).ok()?;
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed)
}
