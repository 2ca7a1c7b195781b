//! Who may read the feeds, and that a stream ends when the right to read does.

use domain::actor::{Role, Roles};
use domain::credential::{CredentialId, Scope};
use domain::user::UserStatus;
use read_model::apply::Batch;
use reqwest::StatusCode;
use tokio::time::{Duration, Instant};

use crate::feed::{Feed, Frames, SECRET};
use crate::harness::{PASSWORD, id, user_row};

const STREAM: &str = "text/event-stream";

#[tokio::test]
async fn a_reader_is_somebody_who_may_audit_with_a_session_or_a_token_for_it() {
    let feed = Feed::open().await;
    let door = &feed.door;
    let url = format!("{}/events/users", door.url);
    let alice = door.signed_in("alice", Roles::BASE).await;
    let ada = door.administrator().await;
    door.user(user_row("bob", Roles::BASE)).await;
    let without_right = door.token("bob", SECRET, &[Scope::Events], &[]).await.to_string();
    door.user(user_row("eve", Roles::EVERY)).await;
    let without_scope = door.token("eve", SECRET, &[Scope::Sftp, Scope::Agent], &[]).await.to_string();
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status();
    let get = || door.http.get(&url).header("accept", STREAM);
    for (request, expected) in [
        (get(), 401),
        (get().bearer_auth("unknown"), 401),
        (get().basic_auth("ada", Some(PASSWORD)), 401),
        (get().basic_auth(&feed.token, Some("mst_wrong")), 401),
        (get().basic_auth(&without_right, Some(SECRET)), 403),
        (get().basic_auth(&without_scope, Some(SECRET)), 403),
        (get().bearer_auth(&alice), 403),
        (get().bearer_auth(&ada), 200),
        (get().basic_auth(&feed.token, Some(SECRET)), 200),
    ] {
        assert_eq!(status(request).await.as_u16(), expected);
    }
    let unauthenticated = get().send().await.unwrap();
    assert!(unauthenticated.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    // The scope is for the feeds alone: no service asks for it.
    let verify = format!("{}/access/verify?service=events", door.url);
    let verified = door.http.get(verify).basic_auth(&feed.token, Some(SECRET)).send().await.unwrap();
    assert_eq!(verified.status(), StatusCode::BAD_REQUEST);
}

/// Waits for the end of a stream and asserts that it comes within a second, and that the next request is refused so.
async fn ends(mut stream: Frames, status: u16, again: reqwest::RequestBuilder) {
    let begun = Instant::now();
    while stream.next().await.is_some() {}
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(again.header("accept", STREAM).send().await.unwrap().status().as_u16(), status);
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let feed = Feed::open().await;
    let stream = feed.stream("/events/users").await;
    let key = CredentialId::Token(id("ada"), feed.token.parse().unwrap());
    feed.door.apply(Batch { credentials_gone: vec![key], ..Batch::default() }).await;
    ends(stream, 401, feed.get("/events/users", STREAM)).await;
}

#[tokio::test]
async fn a_stream_ends_with_the_right_of_its_reader() {
    let feed = Feed::open().await;
    for (row, status) in [
        (user_row("ada", Roles::BASE), 403),
        (read_model::users::UserRow { state: UserStatus::Suspended, ..user_row("ada", Roles::EVERY) }, 403),
    ] {
        let allowed = user_row("ada", Roles::BASE.with(Role::Administrator));
        feed.door.user(allowed).await;
        let stream = feed.stream("/events/users").await;
        feed.door.user(row).await;
        ends(stream, status, feed.get("/events/users", STREAM)).await;
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let feed = Feed::open().await;
    let session = feed.door.administrator().await;
    let get = || feed.door.http.get(format!("{}/events/users", feed.door.url)).bearer_auth(&session);
    let stream = Frames::of(get().header("accept", STREAM).send().await.unwrap());
    feed.door
        .ask(Some(&session), "mutation { signOut { userErrors { code } } }", serde_json::json!({}))
        .await;
    ends(stream, 401, get()).await;
}

#[tokio::test]
async fn streams_end_when_the_gateway_does() {
    let feed = Feed::open().await;
    let mut stream = feed.stream("/events/users").await;
    assert!(stream.next().await.is_some());
    let Feed { door, .. } = feed;
    drop(door);
    assert_eq!(stream.next().await, None);
}
