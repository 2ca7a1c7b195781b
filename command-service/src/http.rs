//! Commands over HTTP, for gateways in other processes: `POST /commands` with the service token.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use domain::command::{Answer, Command, DEADLINE_HEADER, Failure, Reply};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::command_queues::CommandQueues;

/// Largest request body, in bytes: several times the largest input with everything the gateway adds.
const BODY_LIMIT: usize = 512 * 1024;
/// How long a caller waits that names no deadline.
const DEFAULT_WAIT: Duration = Duration::from_secs(10);
/// Longest wait, whatever the caller asks for.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// Most requests that are read or wait at the same time. Further callers are told to come back.
const MAX_REQUESTS: usize = 4_096;

/// What the handlers share.
#[derive(Clone)]
struct Endpoint {
    queues: CommandQueues,
    token_digest: [u8; 32],
    requests: Arc<Semaphore>,
}

/// Serves `POST /commands` for callers that send the service token as bearer token.
pub(crate) fn router(queues: CommandQueues, service_token: &str) -> Router {
    let token_digest = Sha256::digest(service_token.as_bytes()).into();
    let endpoint = Endpoint { queues, token_digest, requests: Arc::new(Semaphore::new(MAX_REQUESTS)) };
    Router::new()
        .route("/commands", post(submit))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::from_fn_with_state(endpoint.clone(), admit))
        .with_state(endpoint)
}

/// Checks token and capacity before a body is read, so that strangers can't make this process buffer anything.
async fn admit(State(endpoint): State<Endpoint>, request: Request, next: Next) -> Response {
    if !is_authentic(request.headers(), &endpoint.token_digest) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match endpoint.requests.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => response(Err(Failure::Unavailable { retry_after_ms: 200 })),
    }
}

async fn submit(State(endpoint): State<Endpoint>, headers: HeaderMap, body: Bytes) -> Response {
    let command: Command = match serde_json::from_slice(&body) {
        Ok(command) => command,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let wait = headers.get(DEADLINE_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
    let wait = wait.map_or(DEFAULT_WAIT, Duration::from_millis).min(LONGEST_WAIT);
    response(endpoint.queues.submit(command, Instant::now() + wait).await)
}

fn response(result: Result<Answer, Failure>) -> Response {
    let status = match &result {
        Ok(_) => StatusCode::OK,
        Err(Failure::NotOwner) => StatusCode::CONFLICT,
        Err(Failure::Unavailable { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Err(Failure::UnknownOutcome) => StatusCode::GATEWAY_TIMEOUT,
    };
    let retry_after = match &result {
        Err(Failure::Unavailable { retry_after_ms }) => {
            Some([(header::RETRY_AFTER, retry_after_ms.div_ceil(1_000).to_string())])
        }
        _ => None,
    };
    (status, retry_after, Json(Reply::from(result))).into_response()
}

/// Compares digests in constant time, so that the time reveals neither the token nor its length.
fn is_authentic(headers: &HeaderMap, token_digest: &[u8; 32]) -> bool {
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    given.is_some_and(|given| Sha256::digest(given.as_bytes()).ct_eq(token_digest).into())
}
