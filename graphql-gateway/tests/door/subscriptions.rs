//! Subscriptions over `graphql-transport-ws` and over server-sent events, to the letter of both protocols.

use domain::actor::Roles;
use serde_json::{Value, json};

use crate::feed::{Feed, Frames};
use crate::harness::{Door, id, user_row};
use crate::websocket::{Heard, Socket};

const EVENTS: &str = "subscription($after: Position, $types: [String!]) { userEvents(after: $after, types: $types) { \
    id type userId sequence position data } }";
const CHANGED: &str = "muster.user.password_changed";
const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

#[tokio::test]
async fn each_breach_of_the_protocol_has_its_code() {
    let door = Door::open().await;
    let init = json!({ "type": "connection_init" });
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": EVENTS } });
    let wrong = json!({ "type": "connection_init", "payload": { "authorization": "Bearer unknown" } });
    for (messages, code) in [
        (vec![json!({ "type": "unknown" })], 4400),
        (vec![json!("no object")], 4400),
        (vec![json!({ "type": "subscribe", "id": "1", "payload": {} })], 4400),
        (vec![json!({ "type": "subscribe", "payload": { "query": EVENTS } })], 4400),
        (vec![subscribe.clone()], 4401),
        (vec![wrong], 4403),
        (vec![init.clone(), init.clone()], 4429),
    ] {
        let mut socket = Socket::open(&door).await;
        for message in &messages {
            socket.say(message).await;
        }
        let mut heard = socket.hear().await;
        if heard == Heard::Message(json!({ "type": "connection_ack" })) {
            heard = socket.hear().await;
        }
        assert_eq!(heard, Heard::Closed(code), "{messages:?}");
    }
    let mut other = Socket::try_open(&door, &[("sec-websocket-protocol", "graphql-ws")]).await;
    // The client itself refuses a server that chooses no protocol, so it offers none and is told by the close code.
    if other.is_err() {
        other = Socket::try_open(&door, &[]).await;
    }
    assert_eq!(other.unwrap().hear().await, Heard::Closed(4406));
    let evil = [PROTOCOL, ("origin", "https://evil.example")];
    assert!(Socket::try_open(&door, &evil).await.is_err());
    let host = door.url.trim_start_matches("http://").to_owned();
    let own = format!("http://{host}");
    assert!(Socket::try_open(&door, &[PROTOCOL, ("origin", &own)]).await.is_ok());
}

#[tokio::test]
async fn a_client_that_says_nothing_is_left() {
    let door = Door::open().await;
    let mut socket = Socket::open(&door).await;
    assert_eq!(socket.hear().await, Heard::Closed(4408));
}

#[tokio::test]
async fn events_come_as_they_happen_and_from_any_position() {
    let feed = Feed::open().await;
    let session = feed.door.administrator().await;
    let mut socket = Socket::begun(&feed.door, Some(&session)).await;
    socket.say(&json!({ "type": "ping", "payload": { "a": 1 } })).await;
    assert_eq!(socket.hear().await, Heard::Message(json!({ "type": "pong", "payload": { "a": 1 } })));
    socket.subscribe("live", EVENTS, json!({})).await;
    let first = socket.data("live").await["userEvents"].take();
    assert_eq!((&first["type"], &first["sequence"]), (&json!("muster.position"), &json!(0)));
    feed.append(CHANGED, 1, 3).await;
    let mut positions = vec![first["position"].clone()];
    for number in 1..4 {
        let event = socket.data("live").await["userEvents"].take();
        assert_eq!((&event["sequence"], &event["userId"]), (&json!(number), &json!(id("alice").to_string())));
        positions.push(event["position"].clone());
    }
    for (seen, position) in positions.iter().enumerate().take(3) {
        let id = format!("again {seen}");
        socket.subscribe(&id, EVENTS, json!({ "after": position })).await;
        for number in seen + 1..4 {
            assert_eq!(socket.data(&id).await["userEvents"]["sequence"], number);
        }
        socket.say(&json!({ "type": "complete", "id": id })).await;
    }
    socket.subscribe("live", EVENTS, json!({})).await;
    assert_eq!(socket.hear().await, Heard::Closed(4409));
}

#[tokio::test]
async fn what_is_wrong_with_an_operation_ends_it_alone() {
    let feed = Feed::open().await;
    let alice = feed.door.signed_in("alice", Roles::BASE).await;
    let deep = format!("subscription {{ userEvents {{ entry {} }} }}", "{ id changes { field } }");
    for (session, query, variables, code) in [
        (Some(&alice), "subscription { nothing }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        (Some(&alice), "subscription {", json!({}), "GRAPHQL_PARSE_FAILED"),
        (Some(&alice), EVENTS, json!({ "after": 7 }), "BAD_REQUEST"),
        (Some(&alice), EVENTS, json!({}), "FORBIDDEN"),
        (Some(&alice), "subscription { usersChanged { userIds } }", json!({}), "FORBIDDEN"),
        (None, deep.as_str(), json!({}), "UNAUTHENTICATED"),
    ] {
        let mut socket = Socket::begun(&feed.door, session.map(String::as_str)).await;
        socket.subscribe("1", query, variables).await;
        let Heard::Message(message) = socket.hear().await else { panic!("{query}") };
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("1")), "{message}");
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{message}");
        socket.subscribe("2", "{ viewer { username } }", json!({})).await;
        let viewer = socket.data("2").await;
        assert_eq!(viewer["viewer"].is_object(), session.is_some());
        assert_eq!(socket.hear().await, Heard::Message(json!({ "type": "complete", "id": "2" })));
    }
    let ada = feed.door.administrator().await;
    let mut socket = Socket::begun(&feed.door, Some(&ada)).await;
    for (id, after) in [("1", "nonsense"), ("2", "dTA6MA")] {
        socket.subscribe(id, EVENTS, json!({ "after": after })).await;
        let Heard::Message(message) = socket.hear().await else { panic!("{after}") };
        assert_eq!(
            (&message["type"], &message["payload"][0]["extensions"]["code"]),
            (&json!("error"), &json!("BAD_REQUEST"))
        );
    }
}

#[tokio::test]
async fn a_list_is_told_of_changes_at_most_twice_a_second() {
    let feed = Feed::open().await;
    let session = feed.door.administrator().await;
    let mut socket = Socket::begun(&feed.door, Some(&session)).await;
    let begun = std::time::Instant::now();
    socket
        .subscribe("1", "subscription { usersChanged { userIds truncated totalCount position } }", json!({}))
        .await;
    let first = socket.data("1").await["usersChanged"].take();
    assert_eq!((&first["userIds"], &first["truncated"]), (&json!([]), &json!(false)));
    feed.door.user(user_row("alice", Roles::BASE)).await;
    feed.append(CHANGED, 1, 50).await;
    feed.door
        .apply(read_model::apply::Batch {
            moves: vec![read_model::apply::Move {
                place: log_model::StreamPartition::new(log_model::Stream::UserEvents, 0),
                from: 0,
                to: 51,
                anchor: None,
            }],
            ..read_model::apply::Batch::default()
        })
        .await;
    let changed = socket.data("1").await["usersChanged"].take();
    assert_eq!(changed["userIds"], json!([id("alice").to_string()]));
    assert_ne!(changed["position"], first["position"]);
    assert!(begun.elapsed() >= std::time::Duration::from_millis(500), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_socket_ends_with_its_session_and_with_the_gateway() {
    let feed = Feed::open().await;
    let session = feed.door.administrator().await;
    let mut socket = Socket::begun(&feed.door, Some(&session)).await;
    socket.subscribe("1", EVENTS, json!({})).await;
    socket.data("1").await;
    feed.door.ask(Some(&session), "mutation { signOut { userErrors { code } } }", json!({})).await;
    let begun = std::time::Instant::now();
    assert_eq!(socket.hear().await, Heard::Closed(4401));
    assert!(begun.elapsed().as_millis() < 1_000, "{:?}", begun.elapsed());
    let mut socket = Socket::begun(&feed.door, None).await;
    drop(feed);
    assert_eq!(socket.hear().await, Heard::Closed(1012));
}

async fn stream(feed: &Feed, session: &str, query: &str, variables: Value) -> Frames {
    let url = format!("{}/graphql/stream", feed.door.url);
    let request = feed.door.http.post(url).bearer_auth(session).header("accept", "text/event-stream");
    Frames::of(request.json(&json!({ "query": query, "variables": variables })).send().await.unwrap())
}

/// The next answer of a stream; `None` for `complete`.
async fn answer(frames: &mut Frames) -> Option<Value> {
    loop {
        let frame = frames.next().await.expect("the stream goes on");
        match frame.lines().collect::<Vec<_>>().as_slice() {
            [":"] => {}
            ["event: next", data] => {
                return Some(serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap());
            }
            ["event: complete", "data:"] => return None,
            _ => panic!("{frame}"),
        }
    }
}

#[tokio::test]
async fn graphql_over_server_sent_events_has_a_connection_for_each_operation() {
    let feed = Feed::open().await;
    let session = feed.door.administrator().await;
    let mut live = stream(&feed, &session, EVENTS, json!({})).await;
    let first = answer(&mut live).await.unwrap();
    assert_eq!(first["data"]["userEvents"]["type"], "muster.position");
    feed.append(CHANGED, 1, 2).await;
    for number in 1..3 {
        assert_eq!(answer(&mut live).await.unwrap()["data"]["userEvents"]["sequence"], number);
    }
    let after = first["data"]["userEvents"]["position"].clone();
    let mut again = stream(&feed, &session, EVENTS, json!({ "after": after })).await;
    assert_eq!(answer(&mut again).await.unwrap()["data"]["userEvents"]["sequence"], 1);
    let mut query = stream(&feed, &session, "{ viewer { username } }", json!({})).await;
    assert_eq!(answer(&mut query).await.unwrap(), json!({ "data": { "viewer": { "username": "ada" } } }));
    assert_eq!(answer(&mut query).await, None);
    let mut invalid = stream(&feed, &session, "subscription { nothing }", json!({})).await;
    assert_eq!(
        answer(&mut invalid).await.unwrap()["errors"][0]["extensions"]["code"],
        "GRAPHQL_VALIDATION_FAILED"
    );
    assert_eq!(answer(&mut invalid).await, None);

    let url = format!("{}/graphql/stream", feed.door.url);
    let get = |query: &str| {
        let query = query.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
        feed.door.http.get(format!("{url}?query={query}")).bearer_auth(&session)
    };
    let mut by_get =
        Frames::of(get("subscription { userEvents(after: \"start\") { sequence } }").send().await.unwrap());
    assert_eq!(answer(&mut by_get).await.unwrap()["data"]["userEvents"]["sequence"], 1);
    for (request, status) in [
        (get("mutation { signOut { userErrors { code } } }"), 405),
        (get("{ viewer { username } }"), 405),
        (get("").header("accept", "application/json"), 406),
        (feed.door.http.post(&url).header("accept", "text/event-stream").body("{}"), 415),
    ] {
        assert_eq!(request.send().await.unwrap().status().as_u16(), status);
    }
    let over_http = feed.door.ask(Some(&session), EVENTS, json!({})).await;
    assert_eq!(over_http["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    // A restart ends the stream without `complete`, so that clients come back.
    drop(feed);
    while let Some(frame) = live.next().await {
        assert!(!frame.contains("complete"), "{frame}");
    }
}
