//! Owners that answer, refuse, hang and are replaced.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use domain::command::Ask;
use domain::group;
use domain::id::GroupId;
use domain::testing;
use event_log::testing::Wrapped;
use log_model::Position;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::*;
use crate::testing::QuietLog;

/// What an owner does with one command.
enum Says {
    Answer(Answer),
    Failure(StatusCode, Failure),
    Nothing,
}

struct Door {
    says: Mutex<VecDeque<Says>>,
    asked: Mutex<Vec<String>>,
}

async fn door(says: impl IntoIterator<Item = Says>) -> (SocketAddr, Arc<Door>) {
    let door = Arc::new(Door { says: Mutex::new(says.into_iter().collect()), asked: Mutex::default() });
    let router = Router::new().route("/commands", post(commands)).with_state(Arc::clone(&door));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    (address, door)
}

async fn commands(
    State(door): State<Arc<Door>>,
    headers: HeaderMap,
    Json(command): Json<Command>,
) -> (StatusCode, Json<Reply>) {
    assert_eq!(headers["authorization"], "Bearer shared");
    door.asked.lock().unwrap().push(command.id);
    let says = door.says.lock().unwrap().pop_front();
    match says {
        Some(Says::Answer(answer)) => (StatusCode::OK, Json(Reply::Answer(answer))),
        Some(Says::Failure(status, failure)) => (status, Json(Reply::Failure(failure))),
        Some(Says::Nothing) | None => std::future::pending().await,
    }
}

fn route(log: &Arc<Wrapped<QuietLog>>) -> OwnersOverHttp {
    OwnersOverHttp::try_new(Arc::clone(log) as Arc<dyn EventLog>, "shared".into()).unwrap()
}

fn command() -> Command {
    let ask = Ask::Group {
        id: GroupId::from_uuid(Uuid::nil()),
        expected_version: None,
        command: group::Command::CloseGroup,
    };
    Command { id: "c-1".to_owned(), ..testing::command(ask) }
}

fn yes() -> Answer {
    Answer::Accepted { version: 1, position: Position::new(), repeated: false }
}

fn within(millis: u64) -> Instant {
    Instant::now() + Duration::from_millis(millis)
}

/// An address where nobody listens.
async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn the_owner_answers() {
    let log = Arc::new(QuietLog::new());
    let (address, door) = door([Says::Answer(yes())]).await;
    log.announce(0, format!("http://{address}/"), 1);
    assert_eq!(route(&log).submit(command(), within(5_000)).await, Ok(yes()));
    assert_eq!(*door.asked.lock().unwrap(), ["c-1"]);
}

#[tokio::test]
async fn without_an_owner_the_command_waits_for_one() {
    let log = Arc::new(QuietLog::new());
    let (address, _door) = door([Says::Answer(yes())]).await;
    let route = route(&log);
    let unavailable = Err(Failure::Unavailable { retry_after_ms: RETRY_AFTER_MS });
    assert_eq!(route.submit(command(), within(20)).await, unavailable);
    let announce = async { log.announce(0, format!("http://{address}"), 1) };
    let (answer, ()) = tokio::join!(route.submit(command(), within(5_000)), announce);
    assert_eq!(answer, Ok(yes()));
}

#[tokio::test]
async fn a_door_that_is_closed_or_no_owners_is_passed_by() {
    let log = Arc::new(QuietLog::new());
    let (address, door) =
        door([Says::Failure(StatusCode::CONFLICT, Failure::NotOwner), Says::Answer(yes())]).await;
    log.announce(0, format!("http://{}", closed().await), 1);
    let route = route(&log);
    let unavailable = Err(Failure::Unavailable { retry_after_ms: RETRY_AFTER_MS });
    assert_eq!(route.submit(command(), within(300)).await, unavailable);
    log.announce(0, format!("http://{address}"), 2);
    assert_eq!(route.submit(command(), within(5_000)).await, Ok(yes()));
    assert_eq!(door.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_request_that_is_open_when_a_newer_owner_is_announced_is_sent_to_that_one() {
    let log = Arc::new(QuietLog::new());
    let (old, silent) = door([Says::Nothing]).await;
    let (new, answering) = door([Says::Answer(yes())]).await;
    log.announce(0, format!("http://{old}"), 1);
    let takeover = async {
        while silent.asked.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        log.announce(0, format!("http://{new}"), 2);
    };
    let route = route(&log);
    let (answer, ()) = tokio::join!(route.submit(command(), within(5_000)), takeover);
    assert_eq!(answer, Ok(yes()));
    assert_eq!(*answering.asked.lock().unwrap(), ["c-1"]);
}

#[tokio::test]
async fn silence_until_the_deadline_leaves_the_outcome_unknown() {
    let log = Arc::new(QuietLog::new());
    let (address, _door) = door([Says::Nothing]).await;
    log.announce(0, format!("http://{address}"), 1);
    assert_eq!(route(&log).submit(command(), within(100)).await, Err(Failure::UnknownOutcome));
}

#[tokio::test]
async fn what_the_owner_could_not_do_is_told_as_it_says() {
    let log = Arc::new(QuietLog::new());
    let unavailable = Failure::Unavailable { retry_after_ms: 7 };
    let (address, _door) = door([Says::Failure(StatusCode::SERVICE_UNAVAILABLE, unavailable.clone())]).await;
    log.announce(0, format!("http://{address}"), 1);
    assert_eq!(route(&log).submit(command(), within(5_000)).await, Err(unavailable));
}

#[tokio::test]
async fn what_one_owner_does_not_know_the_next_is_asked() {
    let log = Arc::new(QuietLog::new());
    let unknown = || Says::Failure(StatusCode::GATEWAY_TIMEOUT, Failure::UnknownOutcome);
    let (address, door) = door([unknown(), Says::Answer(yes())]).await;
    log.announce(0, format!("http://{address}"), 1);
    assert_eq!(route(&log).submit(command(), within(5_000)).await, Ok(yes()));
    assert_eq!(*door.asked.lock().unwrap(), ["c-1", "c-1"]);
}

#[tokio::test]
async fn a_reply_reads_as_the_doors_agree() {
    let json = |reply: &Reply| serde_json::to_value(reply).unwrap();
    assert_eq!(json(&Reply::Failure(Failure::NotOwner)), serde_json::json!({ "failure": "NotOwner" }));
    assert_eq!(json(&Reply::Answer(Answer::Forbidden)), serde_json::json!({ "answer": "Forbidden" }));
}
