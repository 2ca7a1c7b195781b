//! The change from HTTP to a WebSocket.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use service_kit::http_server::StallLimit;

use super::message::PROTOCOL;
use super::{origin, socket};
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::request::RequestContext;

/// How long a client may take nothing of what is there.
const STALLED: Duration = Duration::from_secs(30);

/// Whether a request asks for a WebSocket.
pub(in crate::http) fn is_upgrade(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::UPGRADE).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// Changes the connection to a WebSocket.
pub(in crate::http) async fn upgrade(
    state: &Arc<HttpState>,
    context: RequestContext,
    request: Request<Body>,
) -> Response {
    let (mut parts, _) = request.into_parts();
    if !origin::is_own(&parts.headers) {
        let detail = "A page of another origin opens no WebSocket here.";
        return Problem::new(StatusCode::FORBIDDEN, detail).into_response();
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, state).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            let status = rejection.into_response().status();
            return Problem::new(status, "This is no handshake of a WebSocket (RFC 6455).").into_response();
        }
    };
    let limit = state.gateway.config.body_limit.get();
    let (state, headers) = (Arc::clone(state), parts.headers);
    let mut response = upgrade
        .protocols([PROTOCOL])
        .max_message_size(limit)
        .max_frame_size(limit)
        .on_upgrade(move |websocket| socket::serve(state, context, headers, websocket));
    response.extensions_mut().insert(StallLimit(STALLED));
    response
}
