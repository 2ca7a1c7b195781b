//! What is known of a request from its headers and its connection, before its body is read.

use std::net::IpAddr;

use axum::http::HeaderMap;
use domain::actor::Client;
use ipnet::IpNet;

use crate::headers;

/// Travels with a request from the first middleware to the command and the audit log.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    /// Id of the request, the same in the logs of every service.
    pub(crate) correlation_id: String,
    /// W3C trace context, as received.
    pub(crate) traceparent: Option<String>,
    /// The caller's address and user agent.
    pub(crate) client: Client,
}

impl RequestContext {
    /// Reads the headers of a request that came from `peer`.
    pub(crate) fn read(headers: &HeaderMap, peer: Option<IpAddr>, trusted_proxies: &[IpNet]) -> Self {
        Self {
            correlation_id: headers::correlation_id(headers),
            traceparent: headers::traceparent(headers),
            client: headers::client(peer, headers, trusted_proxies),
        }
    }
}
