//! A command in, an answer out: to the owner in this process, and over HTTP for gateways elsewhere.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use domain::command::{Answer, Ask, Command, Failure, Reply};
use event_log::partition;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::owner::{Job, Ticket};

/// Largest command that is read, in bytes: the largest input and what the gateway adds fit several times.
const BODY_LIMIT: usize = 512 * 1024;
/// Header with the milliseconds that the caller still waits.
pub const DEADLINE_HEADER: &str = "muster-deadline-ms";
/// How long a caller waits who does not say.
const DEADLINE: Duration = Duration::from_secs(10);

/// The way to the owners in this process.
#[derive(Clone)]
pub struct Door {
    partitions: u32,
    lanes: Arc<RwLock<Vec<Lane>>>,
    stopping: watch::Sender<bool>,
}

/// The queue of one partition.
pub(crate) struct Lane {
    pub(crate) partition: u32,
    pub(crate) jobs: mpsc::Sender<Job>,
    pub(crate) serving: Arc<AtomicBool>,
}

impl Door {
    pub(crate) fn new(partitions: u32, lanes: Vec<Lane>, stopping: watch::Sender<bool>) -> Self {
        Self { partitions, lanes: Arc::new(RwLock::new(lanes)), stopping }
    }

    /// Hands a command to its owner and waits for the answer until the deadline.
    pub async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure> {
        let partition = match &command.ask {
            Ask::User { id, .. } => partition::of(id.uuid(), self.partitions),
            // One partition decides about groups, so that each of them has one writer.
            Ask::Group { .. } => 0,
        };
        let (reply, answer) = oneshot::channel();
        let ticket = Ticket::default();
        self.enqueue(partition, Job { command, reply, ticket: ticket.clone() })?;
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            // Given up before its owner took it: nothing was or will be written.
            Ok(Err(_)) | Err(_) if ticket.draw() => Err(Failure::Unavailable { retry_after_ms: 1_000 }),
            Ok(Err(_)) | Err(_) => Err(Failure::UnknownOutcome),
        }
    }

    fn enqueue(&self, partition: u32, job: Job) -> Result<(), Failure> {
        let lanes = self.lanes.read().expect("nobody panics while holding it");
        let lane = lanes.iter().find(|lane| lane.partition == partition).ok_or(Failure::NotOwner)?;
        if !lane.serving.load(Ordering::Acquire) {
            return Err(Failure::NotOwner);
        }
        lane.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Failure::Unavailable { retry_after_ms: 200 },
            mpsc::error::TrySendError::Closed(_) => Failure::NotOwner,
        })
    }

    /// Whether every partition of this process is served.
    pub fn is_serving(&self) -> bool {
        let lanes = self.lanes.read().expect("nobody panics while holding it");
        !lanes.is_empty() && lanes.iter().all(|lane| lane.serving.load(Ordering::Acquire))
    }

    /// Takes no more commands. Owners finish what they hold and end.
    pub(crate) fn close(&self) {
        self.stopping.send_replace(true);
        self.lanes.write().expect("nobody panics while holding it").clear();
    }
}

/// What the HTTP door needs.
#[derive(Clone)]
struct HttpDoor {
    door: Door,
    token_digest: [u8; 32],
}

/// The HTTP door: `POST /commands` with the service token as bearer token.
pub(crate) fn router(door: Door, service_token: &str) -> Router {
    let token_digest = Sha256::digest(service_token.as_bytes()).into();
    Router::new()
        .route("/commands", post(take))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(HttpDoor { door, token_digest })
}

async fn take(State(http): State<HttpDoor>, headers: HeaderMap, body: axum::body::Bytes) -> Response {
    if !is_authentic(&headers, &http.token_digest) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let command: Command = match serde_json::from_slice(&body) {
        Ok(command) => command,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let wait = headers.get(DEADLINE_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
    let deadline = Instant::now() + wait.map_or(DEADLINE, Duration::from_millis);
    let result = http.door.submit(command, deadline).await;
    let status = match &result {
        Ok(_) => StatusCode::OK,
        Err(Failure::NotOwner) => StatusCode::CONFLICT,
        Err(Failure::Unavailable { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        Err(Failure::UnknownOutcome) => StatusCode::GATEWAY_TIMEOUT,
    };
    (status, Json(Reply::from(result))).into_response()
}

/// Digests are compared, so neither the token nor its length shows in the time that it takes.
fn is_authentic(headers: &HeaderMap, token_digest: &[u8; 32]) -> bool {
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    given.is_some_and(|given| Sha256::digest(given.as_bytes()).ct_eq(token_digest).into())
}
