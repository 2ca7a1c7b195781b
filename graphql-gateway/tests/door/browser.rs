//! Sessions of browsers: the cookie, whose pages may use it, and the list from which sessions are ended.

use domain::actor::{Role, Roles};
use reqwest::header::{HeaderMap, SET_COOKIE};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Door, PASSWORD, chosen, id, user_row};
use crate::websocket::{Heard, Socket};

const SIGN_IN: &str = "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } \
    viewer { username } sessionToken } }";
const VIEWER: &str = "{ viewer { username } }";
const SESSIONS: &str =
    "query($id: ID!) { user(id: $id) { sessions { totalCount nodes { id current userAgent } } } }";
const END: &str =
    "mutation($id: ID!) { endSession(input: { sessionId: $id }) { userErrors { code field } } }";
const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// A request with these headers.
async fn send(door: &Door, headers: &[(&str, &str)], query: &str, variables: Value) -> Response {
    let mut request = door.post(&json!({ "query": query, "variables": variables }));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn data(response: Response) -> Value {
    response.json::<Value>().await.unwrap()["data"].take()
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(SET_COOKIE)?.to_str().unwrap();
    assert!(header.contains("; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age="), "{header}");
    Some(header.split(';').next().unwrap().to_owned())
}

/// Signs in from a page of the door. Returns the cookie, as it is sent back.
async fn signed_in(door: &Door, username: &str) -> String {
    let input = json!({ "input": { "username": username, "password": PASSWORD, "cookie": true } });
    let response = send(door, &[OWN], SIGN_IN, input).await;
    let cookie = cookie(response.headers()).expect("a cookie is set");
    let payload = data(response).await;
    assert_eq!(payload["signIn"]["viewer"]["username"], username);
    assert_eq!(payload["signIn"]["sessionToken"], Value::Null);
    cookie
}

async fn door_of(names: &[(&str, Roles)]) -> Door {
    let door = Door::open().await;
    for (name, roles) in names {
        door.user(user_row(name, *roles)).await;
        door.password(name, chosen().await).await;
    }
    door
}

#[tokio::test]
async fn a_session_in_a_cookie_serves_pages_of_the_door_alone() {
    let door = door_of(&[("alice", Roles::BASE)]).await;
    let session = signed_in(&door, "alice").await;
    assert!(session.starts_with("__Host-muster="));
    let host = door.url.clone();
    let cookie = ("cookie", session.as_str());
    for own in [vec![cookie, OWN], vec![cookie, ("sec-fetch-site", "none")], vec![cookie, ("origin", &host)]]
    {
        let response = send(&door, &own, VIEWER, json!({})).await;
        assert_eq!(data(response).await["viewer"]["username"], "alice", "{own:?}");
    }
    for other in [
        vec![cookie],
        vec![cookie, ("sec-fetch-site", "same-site")],
        vec![cookie, ("sec-fetch-site", "cross-site"), ("origin", &host)],
        vec![cookie, ("origin", "https://other.example")],
    ] {
        let response = send(&door, &other, VIEWER, json!({})).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{other:?}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
        assert!(body.get("data").is_none());
    }
}

#[tokio::test]
async fn a_page_of_somebody_else_begins_no_session_in_a_cookie() {
    let door = door_of(&[("alice", Roles::BASE)]).await;
    let input = json!({ "input": { "username": "alice", "password": PASSWORD, "cookie": true } });
    for headers in [vec![], vec![("sec-fetch-site", "cross-site")]] {
        let response = send(&door, &headers, SIGN_IN, input.clone()).await;
        assert!(!response.headers().contains_key(SET_COOKIE), "{headers:?}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN", "{headers:?}");
    }
    assert_eq!(sessions_of(&door, &door.administrator().await, "alice").await, 0);
}

#[tokio::test]
async fn signing_out_clears_the_cookie() {
    let door = door_of(&[("alice", Roles::BASE)]).await;
    let session = signed_in(&door, "alice").await;
    let headers = [("cookie", session.as_str()), OWN];
    let response = send(&door, &headers, "mutation { signOut { userErrors { code } } }", json!({})).await;
    let cleared = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert_eq!(cleared, "__Host-muster=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0");
    let response = send(&door, &headers, VIEWER, json!({})).await;
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_token_in_the_header_counts_before_the_cookie() {
    let door = door_of(&[("alice", Roles::BASE), ("bert", Roles::BASE)]).await;
    let session = signed_in(&door, "alice").await;
    let bert = door.sign_in("bert", PASSWORD).await["sessionToken"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {bert}");
    let response = send(&door, &[("cookie", &session), ("authorization", &bearer)], VIEWER, json!({})).await;
    assert_eq!(data(response).await["viewer"]["username"], "bert");
}

#[tokio::test]
async fn a_session_is_ended_from_the_list() {
    let door = door_of(&[("alice", Roles::BASE), ("bert", Roles::BASE)]).await;
    let (here, there) = (signed_in(&door, "alice").await, signed_in(&door, "alice").await);
    let alice = json!({ "id": id("alice").to_string() });
    let listed = data(send(&door, &[("cookie", &here), OWN], SESSIONS, alice).await).await;
    let sessions = &listed["user"]["sessions"];
    assert_eq!(sessions["totalCount"], 2);
    let other = sessions["nodes"].as_array().unwrap().iter().find(|session| session["current"] == false);
    let other = json!({ "id": other.unwrap()["id"] });

    // To others it does not exist.
    let bert = door.sign_in("bert", PASSWORD).await["sessionToken"].as_str().unwrap().to_owned();
    let refused = door.ask(Some(&bert), END, other.clone()).await;
    let errors = json!([{ "code": "unknown_session", "field": ["sessionId"] }]);
    assert_eq!(refused["data"]["endSession"]["userErrors"], errors);

    let ended = data(send(&door, &[("cookie", &here), OWN], END, other.clone()).await).await;
    assert_eq!(ended["endSession"]["userErrors"], json!([]));
    let again = data(send(&door, &[("cookie", &here), OWN], END, other).await).await;
    assert_eq!(again["endSession"]["userErrors"], errors);
    let gone: Value = send(&door, &[("cookie", &there), OWN], VIEWER, json!({})).await.json().await.unwrap();
    assert_eq!(gone["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let kept = data(send(&door, &[("cookie", &here), OWN], VIEWER, json!({})).await).await;
    assert_eq!(kept["viewer"]["username"], "alice");
}

#[tokio::test]
async fn all_sessions_of_a_user_are_ended_at_once() {
    const END_ALL: &str =
        "mutation($input: EndSessionsInput!) { endSessions(input: $input) { ended userErrors { code } } }";
    let door = door_of(&[("alice", Roles::BASE), ("ada", Roles::BASE.with(Role::Administrator))]).await;
    let here = signed_in(&door, "alice").await;
    for _ in 0..2 {
        signed_in(&door, "alice").await;
    }
    let input = json!({ "input": { "userId": id("alice").to_string() } });
    let ended = data(send(&door, &[("cookie", &here), OWN], END_ALL, input.clone()).await).await;
    assert_eq!(ended["endSessions"], json!({ "ended": 2, "userErrors": [] }));
    let ada = door.sign_in("ada", PASSWORD).await["sessionToken"].as_str().unwrap().to_owned();
    assert_eq!(sessions_of(&door, &ada, "alice").await, 1);
    assert_eq!(door.ask(Some(&ada), END_ALL, input).await["data"]["endSessions"]["ended"], 1);
    assert_eq!(sessions_of(&door, &ada, "alice").await, 0);

    // Nobody but administrators ends those of others.
    let bert = door.signed_in("bert", Roles::BASE).await;
    let input = json!({ "input": { "userId": id("ada").to_string() } });
    let refused = door.ask(Some(&bert), END_ALL, input).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(sessions_of(&door, &ada, "ada").await, 1);
}

#[tokio::test]
async fn a_socket_takes_the_cookie_of_its_handshake_and_ends_with_the_session() {
    let door = door_of(&[("alice", Roles::BASE)]).await;
    let session = signed_in(&door, "alice").await;
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    let init = json!({ "type": "connection_init" });

    let mut foreign = Socket::try_open(&door, &[protocol, ("cookie", &session)]).await.unwrap();
    foreign.say(&init).await;
    assert_eq!(foreign.hear().await, Heard::Closed(4403));

    let mut own =
        Socket::try_open(&door, &[protocol, ("cookie", &session), ("origin", &door.url)]).await.unwrap();
    own.say(&init).await;
    assert_eq!(own.hear().await, Heard::Message(json!({ "type": "connection_ack" })));
    send(&door, &[("cookie", &session), OWN], "mutation { signOut { userErrors { code } } }", json!({}))
        .await;
    assert_eq!(own.hear().await, Heard::Closed(4401));
}

async fn sessions_of(door: &Door, token: &str, username: &str) -> u64 {
    let answer = door.ask(Some(token), SESSIONS, json!({ "id": id(username).to_string() })).await;
    answer["data"]["user"]["sessions"]["totalCount"].as_u64().unwrap()
}
