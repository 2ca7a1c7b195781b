//! A command in, an answer out: to the owner in this process, and over HTTP for gateways elsewhere.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use domain::command::{Answer, Command, DEADLINE_HEADER, Failure, Reply};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use crate::queued_command::{QueuedCommand, Ticket};

/// Largest command that is read, in bytes: the largest input and what the gateway adds fit several times.
const BODY_LIMIT: usize = 512 * 1024;
/// How long a caller waits who does not say.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long a caller may wait at most, whatever it says.
const LONGEST_DEADLINE: Duration = Duration::from_mins(2);
/// Requests that are read or wait at once; further ones are told to come back.
const AT_ONCE: usize = 4_096;

/// The way to the owners in this process.
#[derive(Clone)]
pub struct Door(Arc<Lanes>);

struct Lanes {
    partitions: u32,
    open: RwLock<BTreeMap<u32, Lane>>,
    /// Whether this process takes part in sharing the partitions.
    joined: AtomicBool,
}

/// The queue of one partition.
pub(crate) struct Lane {
    queue: mpsc::Sender<QueuedCommand>,
    serving: Arc<AtomicBool>,
    /// Whether the partition is this process's, and not served only until somebody else does.
    given: bool,
}

impl Lane {
    /// A queue for so many jobs, its owner's end, and the owner's word on whether anything may be handed in.
    pub(crate) fn new(capacity: usize) -> (Self, mpsc::Receiver<QueuedCommand>, Arc<AtomicBool>) {
        let (sender, queue) = mpsc::channel(capacity);
        let serving = Arc::new(AtomicBool::new(false));
        (Self { queue: sender, serving: serving.clone(), given: true }, queue, serving)
    }
}

impl Door {
    pub(crate) fn new(partitions: u32) -> Self {
        Self(Arc::new(Lanes { partitions, open: RwLock::default(), joined: AtomicBool::new(false) }))
    }

    /// Hands a command to its owner and waits for the answer until the deadline.
    pub async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure> {
        let partition = command.ask.route_key().partition(self.0.partitions);
        let (reply, answer) = oneshot::channel();
        let ticket = Ticket::default();
        self.enqueue(partition, QueuedCommand { command, reply, ticket: ticket.clone() })?;
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            // Given up before its owner took it: nothing was or will be written.
            Ok(Err(_)) if ticket.try_take() => Err(Failure::NotOwner),
            Err(_) if ticket.try_take() => Err(Failure::Unavailable { retry_after_ms: 1_000 }),
            Ok(Err(_)) | Err(_) => Err(Failure::UnknownOutcome),
        }
    }

    fn enqueue(&self, partition: u32, queued: QueuedCommand) -> Result<(), Failure> {
        let lanes = self.0.open.read().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.get(&partition).ok_or(Failure::NotOwner)?;
        if !lane.serving.load(Ordering::Acquire) {
            return Err(Failure::NotOwner);
        }
        lane.queue.try_send(queued).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Failure::Unavailable { retry_after_ms: 200 },
            mpsc::error::TrySendError::Closed(_) => Failure::NotOwner,
        })
    }

    /// Whether this process takes part in sharing the partitions and serves all of its own, which may be none.
    pub fn is_serving(&self) -> bool {
        let lanes = self.0.open.read().unwrap_or_else(PoisonError::into_inner);
        self.0.joined.load(Ordering::Acquire)
            && lanes.values().all(|lane| !lane.given || lane.serving.load(Ordering::Acquire))
    }

    pub(crate) fn joined(&self) {
        self.0.joined.store(true, Ordering::Release);
    }

    /// Commands for the partition go into this lane from now on.
    pub(crate) fn open(&self, partition: u32, lane: Lane) {
        self.0.open.write().unwrap_or_else(PoisonError::into_inner).insert(partition, lane);
    }

    /// The partition is somebody else's as soon as that one serves it.
    pub(crate) fn yield_up(&self, partition: u32) {
        let mut lanes = self.0.open.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get_mut(&partition) {
            lane.given = false;
        }
    }

    /// Takes no more commands for the partition; its owner finishes what it holds.
    pub(crate) fn shut(&self, partition: u32) {
        self.0.open.write().unwrap_or_else(PoisonError::into_inner).remove(&partition);
    }
}

/// What the HTTP door needs.
#[derive(Clone)]
struct HttpDoor {
    door: Door,
    token_digest: [u8; 32],
    at_once: Arc<Semaphore>,
}

/// The HTTP door: `POST /commands` with the service token as bearer token.
pub(crate) fn router(door: Door, service_token: &str) -> Router {
    let token_digest = Sha256::digest(service_token.as_bytes()).into();
    let http = HttpDoor { door, token_digest, at_once: Arc::new(Semaphore::new(AT_ONCE)) };
    Router::new()
        .route("/commands", post(take))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::from_fn_with_state(http.clone(), let_in))
        .with_state(http)
}

/// Nobody's body is read who does not know the token, and no more bodies than there is room for.
async fn let_in(State(http): State<HttpDoor>, request: Request, next: Next) -> Response {
    if !is_authentic(request.headers(), &http.token_digest) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match http.at_once.try_acquire() {
        Ok(_room) => next.run(request).await,
        Err(_) => answered(Err(Failure::Unavailable { retry_after_ms: 200 })),
    }
}

async fn take(State(http): State<HttpDoor>, headers: HeaderMap, body: axum::body::Bytes) -> Response {
    let command: Command = match serde_json::from_slice(&body) {
        Ok(command) => command,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let wait = headers.get(DEADLINE_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
    let deadline = Instant::now() + wait.map_or(DEADLINE, Duration::from_millis).min(LONGEST_DEADLINE);
    answered(http.door.submit(command, deadline).await)
}

fn answered(result: Result<Answer, Failure>) -> Response {
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

/// Digests are compared, so neither the token nor its length shows in the time that it takes.
fn is_authentic(headers: &HeaderMap, token_digest: &[u8; 32]) -> bool {
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    given.is_some_and(|given| Sha256::digest(given.as_bytes()).ct_eq(token_digest).into())
}
