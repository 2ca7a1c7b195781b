//! GraphQL over server-sent events, in distinct connections: one request, one operation, one stream of answers.
//!
//! What is wrong with the request itself is answered by a status; what is wrong with the document by the stream, because
//! many clients can't read the body of a failed request.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, once, unfold};
use service_kit::http_server::StallLimit;
use tokio::time::{Instant, timeout};

use super::execution::{OperationAnswer, answers};
use crate::caller::Caller;
use crate::gateway::Gateway;
use crate::http::negotiation::{Media, quality};
use crate::http::parameters::Parameters;
use crate::http::prepared::PreparedOperation;
use crate::http::response::Rejection;
use crate::http::state::HttpState;
use crate::request::RequestContext;

/// How long a stream is quiet at most.
const QUIET: Duration = Duration::from_secs(4);
/// How long a client may take nothing.
const STALLED: Duration = Duration::from_secs(30);

/// `POST /graphql/stream`, and `GET` for what changes nothing.
pub(in crate::http) async fn handle(
    State(state): State<Arc<HttpState>>,
    Extension(context): Extension<RequestContext>,
    request: Request<Body>,
) -> Response {
    match begin(&state, context, request).await {
        Ok(answers) => respond(&state, answers),
        Err(rejection) => rejection.into_response(Media::GraphqlResponse),
    }
}

async fn begin(
    state: &Arc<HttpState>,
    context: RequestContext,
    request: Request<Body>,
) -> Result<BoxStream<'static, OperationAnswer>, Rejection> {
    let config = &state.gateway.config;
    let deadline = Instant::now() + config.request_timeout;
    if !takes_event_stream(request.headers()) {
        let message = "The answer is text/event-stream.";
        return Err(Rejection::malformed(StatusCode::NOT_ACCEPTABLE, message));
    }
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let parameters = Parameters::read_by_any_method(request, config, deadline).await?;
    let prepared = match PreparedOperation::read(config, parameters) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(once(async { OperationAnswer::refused(error) }).boxed()),
    };
    let may_get = match prepared.operation.kind {
        OperationType::Subscription => true,
        OperationType::Query => config.graphql_get,
        OperationType::Mutation => false,
    };
    if method == Method::GET && !may_get {
        let message = "This operation is sent by POST.";
        return Err(Rejection::malformed(StatusCode::METHOD_NOT_ALLOWED, message));
    }
    let caller = Caller::identify(&state.gateway.sessions, &headers, context).await;
    caller.require_own_page().map_err(|error| Rejection::forbidden(&error))?;
    Ok(answers(state, prepared, caller))
}

/// Whether the client takes an event stream.
fn takes_event_stream(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(|value| value.split(',')).filter_map(quality);
    let covers = |range: &str| matches!(range, "text/event-stream" | "text/*" | "*/*");
    ranges.into_iter().any(|(range, quality)| covers(&range) && quality > 0)
}

fn respond(state: &Arc<HttpState>, answers: BoxStream<'static, OperationAnswer>) -> Response {
    let frames = Frames { gateway: Arc::clone(&state.gateway), answers, is_over: false };
    let body = unfold(frames, async |mut frames| {
        let frame = frames.next().await?;
        Some((Ok::<_, Infallible>(frame), frames))
    });
    let headers = HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ]);
    let mut response = (headers, Body::from_stream(body)).into_response();
    response.extensions_mut().insert(StallLimit(STALLED));
    response
}

struct Frames {
    gateway: Arc<Gateway>,
    answers: BoxStream<'static, OperationAnswer>,
    is_over: bool,
}

impl Frames {
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        Some(match timeout(QUIET, self.answers.next()).await {
            Ok(Some(answer)) => format!("event: next\ndata: {}\n\n", answer.body.to_text()).into(),
            // Clients come back after an end without `complete`, and not after one with it.
            Ok(None) if self.gateway.readers.is_stopping() => return None,
            Ok(None) => {
                self.is_over = true;
                Bytes::from_static(b"event: complete\ndata:\n\n")
            }
            Err(_) => Bytes::from_static(b":\n\n"),
        })
    }
}
