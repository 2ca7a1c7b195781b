//! The config that remote agents fetch.

use domain::actor::Roles;
use domain::credential::Scope;
use domain::id::RuleId;
use domain::user::rules::{AckMode, Entry, Kind, Rule, Upload};
use read_model::apply::Batch;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Door, id, user_row};

const SECRET: &str = "mst_secret";

/// A user with a token for this service. Returns the token's id.
async fn holder(door: &Door, username: &str, scope: Scope) -> String {
    door.user(user_row(username, Roles::BASE)).await;
    door.token(username, SECRET, &[scope], &[]).await.to_string()
}

#[tokio::test]
async fn an_agent_gets_its_config_once_per_version() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    let upload = Upload {
        match_pattern: "./uploads/*".to_owned(),
        regex: false,
        upload_format: String::new(),
        metadata: vec![Entry { key: "site".to_owned(), value: "north".to_owned() }],
        ack_mode: AckMode::Archive,
    };
    let rule = Rule {
        id: RuleId::of(id("alice"), "out"),
        name: "out".to_owned(),
        active: true,
        poll_interval: 300,
        subscribers: 5,
        kind: Kind::Upload(upload),
    };
    door.apply(Batch { rules: vec![(id("alice"), rule)], ..Batch::default() }).await;
    let token = door.token("alice", SECRET, &[Scope::Agent], &[]).await.to_string();
    let url = format!("{}/agent/v1/config", door.url);
    let get = || door.http.get(&url).basic_auth(&token, Some(SECRET));
    let answer = get().send().await.unwrap();
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let mut config: Value = answer.json().await.unwrap();
    assert!(config["config"]["updatedAt"].take().is_string());
    let expected = json!({
        "version": 3,
        "config": { "debug": false, "logFile": "", "heartbeatInterval": 30, "configInterval": 30, "maxJobs": 100, "updatedAt": null },
        "rules": [{
            "name": "out", "active": true, "pollInterval": 300, "subscribers": 5, "kind": "upload",
            "matchPattern": "./uploads/*", "regex": false, "uploadFormat": "", "metadata": { "site": "north" },
            "ackMode": "ARCHIVE",
        }],
    });
    assert_eq!(config, expected);
    let same = get().header("if-none-match", &tag).send().await.unwrap();
    assert_eq!((same.status().as_u16(), same.headers()["etag"].to_str().unwrap()), (304, tag.as_str()));
    let mut changed = user_row("alice", Roles::BASE);
    changed.ufa_version = 4;
    door.user(changed).await;
    assert_eq!(get().header("if-none-match", &tag).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn only_a_token_for_agents_gets_a_config() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    let token = door.token("alice", SECRET, &[Scope::Sftp], &[]).await.to_string();
    let url = format!("{}/agent/v1/config", door.url);
    let status = async |secret: &str| {
        door.http.get(&url).basic_auth(&token, Some(secret)).send().await.unwrap().status()
    };
    assert_eq!(status(SECRET).await, 403);
    assert_eq!(status("other").await, 401);
    assert_eq!(door.http.get(&url).send().await.unwrap().status(), 401);
    assert_eq!(door.http.post(&url).send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn f13_a_tag_of_one_agents_config_is_not_that_of_another() {
    let door = Door::open().await;
    let url = format!("{}/agent/v1/config", door.url);
    let mut tags = Vec::new();
    let tokens = [holder(&door, "alice", Scope::Agent).await, holder(&door, "bob", Scope::Agent).await];
    for token in &tokens {
        let answer = door.http.get(&url).basic_auth(token, Some(SECRET)).send().await.unwrap();
        tags.push(answer.headers()["etag"].to_str().unwrap().to_owned());
    }
    assert_ne!(tags[0], tags[1]);
    for (token, tag, status) in
        [(&tokens[0], &tags[1], 200), (&tokens[1], &tags[0], 200), (&tokens[0], &tags[0], 304)]
    {
        let request = door.http.get(&url).basic_auth(token, Some(SECRET)).header("if-none-match", tag);
        assert_eq!(request.send().await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn f17_an_answer_that_never_has_a_body_states_no_length() {
    let door = Door::open().await;
    let token = holder(&door, "alice", Scope::Agent).await;
    let url = format!("{}/agent/v1/config", door.url);
    for method in [Method::HEAD, Method::GET] {
        let request = || door.http.request(method.clone(), &url).basic_auth(&token, Some(SECRET));
        let whole = request().send().await.unwrap();
        assert_ne!(whole.headers()["content-length"], "0", "{method}");
        let tag = whole.headers()["etag"].clone();
        let same = request().header("if-none-match", tag).send().await.unwrap();
        assert_eq!(same.status(), 304);
        assert_eq!(same.headers().get("content-length"), None, "{method}");
    }
}
