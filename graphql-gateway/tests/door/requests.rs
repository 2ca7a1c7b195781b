//! What becomes of requests that could be read in two ways.

use domain::actor::Roles;
use domain::credential::Scope;
use serde_json::{Value, json};

use crate::harness::{Door, user_row};

const SECRET: &str = "mst_secret";

#[tokio::test]
async fn f40_two_credentials_in_one_request_are_none() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    let token = door.token("alice", SECRET, &[Scope::Sftp], &[]).await.to_string();
    for path in ["/access/verify?service=sftp", "/agent/v1/config", "/nowhere"] {
        let request = door.http.get(format!("{}{path}", door.url));
        let request = request.basic_auth(&token, Some(SECRET)).basic_auth(&token, Some("mst_other"));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    let request = door.post(&json!({ "query": "{ viewer { username } }" }));
    let answer = request.bearer_auth("one").bearer_auth("two").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_REQUEST");
}

#[tokio::test]
async fn f38_a_body_in_a_coding_that_is_not_read_is_told_which_one_is() {
    let door = Door::open().await;
    let ask = |coding: &'static str| {
        door.post(&json!({ "query": "{ __typename }" })).header("content-encoding", coding).send()
    };
    for coding in ["gzip", "br", "identity, gzip", "x"] {
        let answer = ask(coding).await.unwrap();
        assert_eq!(answer.status(), 415, "{coding}");
        assert_eq!(answer.headers()["accept-encoding"], "identity", "{coding}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    }
    assert_eq!(ask("Identity").await.unwrap().status(), 200);
    let other = door.http.post(format!("{}/graphql", door.url)).body("x").send().await.unwrap();
    assert_eq!((other.status().as_u16(), other.headers().get("accept-encoding")), (415, None));
}

#[tokio::test]
async fn f14_every_answer_reaches_a_client_that_sends_a_body_for_nothing() {
    let door = Door::open().await;
    let body = vec![b'x'; 2 << 20];
    for (method, path, expected) in [
        ("POST", "/access/verify?service=sftp", 401),
        ("PUT", "/nowhere", 404),
        ("POST", "/agent/v1/config", 405),
        ("POST", "/graphql", 415),
    ] {
        for length in [0, 200_000, body.len()] {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let request = door.http.request(method, format!("{}{path}", door.url));
            let answer = request.body(body[..length].to_vec()).send().await.unwrap();
            assert_eq!(answer.status(), expected, "{path}, {length} bytes");
        }
    }
    let large = door.post(&json!({ "query": "x".repeat(2 << 20) })).send().await.unwrap();
    assert_eq!(large.status(), 413);
}
