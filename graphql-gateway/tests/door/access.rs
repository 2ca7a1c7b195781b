//! Access checks: which credential is good for which service.

use std::time::Duration;

use domain::actor::Roles;
use domain::credential::Scope;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::harness::{Door, PASSWORD, chosen, eventually, id, in_group, now, temporary, user_row};

const SECRET: &str = "mst_secret";

async fn verify(door: &Door, service: &str, user: &str, secret: &str) -> Response {
    let url = format!("{}/access/verify?service={service}", door.url);
    door.http.get(url).basic_auth(user, Some(secret)).send().await.unwrap()
}

async fn status(door: &Door, service: &str, user: &str, secret: &str) -> u16 {
    verify(door, service, user, secret).await.status().as_u16()
}

#[tokio::test]
async fn a_token_passes_where_it_may_and_says_who_it_is() {
    let door = Door::open().await;
    let north = door.group("north").await;
    door.user(in_group(user_row("alice", Roles::BASE), north, "north")).await;
    let token = door.token("alice", SECRET, &[Scope::Sftp], &["127.0.0.0/8"]).await.to_string();
    let passed = verify(&door, "sftp", &token, SECRET).await;
    assert_eq!(passed.status(), 200);
    let headers = passed.headers();
    assert_eq!(headers["x-muster-user-id"].to_str().unwrap(), id("alice").to_string());
    assert_eq!(headers["x-muster-username"], "alice");
    assert_eq!(headers["x-muster-group"], "north");
    assert_eq!(headers["x-muster-token-id"].to_str().unwrap(), token);
    for service in ["mailbox", "gateway", "agent", "portal"] {
        assert_eq!(status(&door, service, &token, SECRET).await, 403, "{service}");
    }
    assert_eq!(status(&door, "sftp", &token, "mst_other").await, 401);
    let other = domain::id::TokenId::issued_at(id("alice"), 99).to_string();
    assert_eq!(status(&door, "sftp", &other, SECRET).await, 401);
    assert_eq!(status(&door, "nowhere", &token, SECRET).await, 400);
    let used = || async {
        let row = door.views.token(token.parse().unwrap()).await.unwrap().unwrap();
        row.last_use.map(|last| (last.address, last.service))
    };
    assert_eq!(eventually(used).await, (Some("127.0.0.1".to_owned()), Some(Scope::Sftp)));
}

#[tokio::test]
async fn a_token_passes_from_its_networks_alone() {
    let door = Door::open_with(&["--trusted-proxies=127.0.0.1/32"]).await;
    door.user(user_row("alice", Roles::BASE)).await;
    let token =
        door.token("alice", SECRET, &[Scope::Sftp], &["10.1.0.0/16", "2001:db8::/32"]).await.to_string();
    let url = format!("{}/access/verify?service=sftp", door.url);
    for (address, expected) in
        [("10.1.2.3", 200), ("2001:db8::1", 200), ("10.2.0.1", 403), ("::ffff:10.1.0.1", 200)]
    {
        let request =
            door.http.post(&url).basic_auth(&token, Some(SECRET)).header("x-forwarded-for", address);
        assert_eq!(request.send().await.unwrap().status(), expected, "{address}");
    }
    assert_eq!(status(&door, "sftp", &token, SECRET).await, 403);
    // An unreadable address behind a proxy is not replaced by the proxy's own, which would be allowed.
    let near = door.token("alice", SECRET, &[Scope::Sftp], &["127.0.0.0/8"]).await.to_string();
    assert_eq!(status(&door, "sftp", &near, SECRET).await, 200);
    for address in [b"nonsense".as_slice(), b"10.1.2.3\xff"] {
        let request = door.http.post(&url).basic_auth(&near, Some(SECRET)).header("x-forwarded-for", address);
        assert_eq!(request.send().await.unwrap().status(), 403, "{address:?}");
    }
}

#[tokio::test]
async fn a_password_passes_everywhere_but_for_agents() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    door.password("alice", chosen().await).await;
    for (service, expected) in
        [("sftp", 200), ("mailbox", 200), ("gateway", 200), ("portal", 200), ("agent", 403)]
    {
        assert_eq!(status(&door, service, "alice", PASSWORD).await, expected, "{service}");
    }
    let wrong = verify(&door, "sftp", "alice", "not it").await;
    let unknown = verify(&door, "sftp", "norbert", "not it").await;
    assert_eq!((wrong.status().as_u16(), unknown.status().as_u16()), (401, 401));
    assert_eq!(wrong.headers()["www-authenticate"], unknown.headers()["www-authenticate"]);
    assert_eq!(wrong.text().await.unwrap(), unknown.text().await.unwrap());
    let nothing = door.http.get(format!("{}/access/verify?service=sftp", door.url)).send().await.unwrap();
    assert_eq!(nothing.status(), 401);
}

#[tokio::test]
async fn nobody_who_is_not_active_or_has_a_temporary_password_passes() {
    let door = Door::open().await;
    let mut suspended = user_row("bob", Roles::BASE);
    suspended.state = UserStatus::Suspended;
    door.user(suspended).await;
    door.password("bob", chosen().await).await;
    let token = door.token("bob", SECRET, &[Scope::Sftp], &[]).await.to_string();
    assert_eq!(status(&door, "sftp", "bob", PASSWORD).await, 403);
    assert_eq!(status(&door, "sftp", "bob", "not it").await, 401);
    assert_eq!(status(&door, "sftp", &token, SECRET).await, 403);
    door.user(user_row("carol", Roles::BASE)).await;
    door.password("carol", temporary("Temporary-1", now() + Duration::from_mins(1))).await;
    assert_eq!(status(&door, "portal", "carol", "Temporary-1").await, 403);
}

#[tokio::test]
async fn a_session_passes_until_it_ends() {
    let door = Door::open().await;
    let token = door.signed_in("alice", Roles::BASE).await;
    let verify = async |token: &str, service: &str| {
        let url = format!("{}/access/verify?service={service}", door.url);
        door.http.get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    assert_eq!(verify(&token, "portal").await, 200);
    assert_eq!(verify(&token, "agent").await, 403);
    assert_eq!(verify("nonsense", "portal").await, 401);
}

#[tokio::test]
async fn after_failures_even_the_right_password_is_told_to_wait() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    door.password("alice", chosen().await).await;
    for name in ["alice", "norbert"] {
        for _ in 0..5 {
            assert_eq!(status(&door, "sftp", name, "not it").await, 401);
        }
        let delayed = verify(&door, "sftp", name, PASSWORD).await;
        assert_eq!(delayed.status(), 429, "{name}");
        assert!(delayed.headers().contains_key("retry-after"));
    }
}

#[tokio::test]
async fn nobody_passes_on_what_the_views_may_no_longer_know() {
    let door = Door::open_with(&["--access-staleness=1ms", "--access-grace=60s"]).await;
    door.user(user_row("alice", Roles::BASE)).await;
    door.password("alice", chosen().await).await;
    let token = door.token("alice", SECRET, &[Scope::Sftp], &[]).await.to_string();
    let is = async |expected: u16| {
        (status(&door, "sftp", &token, SECRET).await == expected
            && status(&door, "sftp", "alice", PASSWORD).await == expected
            && (expected == 200 || status(&door, "sftp", "norbert", PASSWORD).await == expected))
            .then_some(())
    };
    eventually(|| is(503)).await;
    let partitions: Vec<_> = log_model::StreamPartition::followed(1).collect();
    // Only views that were current when the log went away stay good for the grace.
    let away = async |since: Timestamp| {
        door.writer.confirm(&partitions, since).await.unwrap();
        door.writer.unreachable(&partitions, since).await.unwrap();
    };
    away(now()).await;
    eventually(|| is(200)).await;
    away(now() - Duration::from_secs(61)).await;
    eventually(|| is(503)).await;
}

#[tokio::test]
async fn f18_mapped_networks_and_single_addresses_hold_their_ipv4_addresses() {
    for proxy in ["127.0.0.1", "::ffff:127.0.0.1", "::ffff:127.0.0.0/104"] {
        let door = Door::open_with(&[&format!("--trusted-proxies={proxy}")]).await;
        door.user(user_row("alice", Roles::BASE)).await;
        let token =
            door.token("alice", SECRET, &[Scope::Sftp], &["::ffff:203.0.113.0/120"]).await.to_string();
        for (address, expected) in
            [("203.0.113.7", 200), ("::ffff:203.0.113.7", 200), ("203.0.114.7", 403), ("::1", 403)]
        {
            let url = format!("{}/access/verify?service=sftp", door.url);
            let request = door.http.get(url).basic_auth(&token, Some(SECRET));
            let answer = request.header("x-forwarded-for", address).send().await.unwrap();
            assert_eq!(answer.status(), expected, "{address} behind {proxy}");
        }
    }
}

#[tokio::test]
async fn f15_any_method_is_the_same_question() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    let token = door.token("alice", SECRET, &[Scope::Sftp], &[]).await.to_string();
    let url = format!("{}/access/verify?service=sftp", door.url);
    for name in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"] {
        let ask = |secret| {
            let method = Method::from_bytes(name.as_bytes()).unwrap();
            door.http.request(method, &url).basic_auth(&token, Some(secret)).send()
        };
        let passed = ask(SECRET).await.unwrap();
        assert_eq!(passed.status(), 200, "{name}");
        assert_eq!(passed.headers()["x-muster-user-id"].to_str().unwrap(), id("alice").to_string());
        assert_eq!(ask("mst_other").await.unwrap().status(), 401, "{name}");
    }
}

#[tokio::test]
async fn f16_one_status_stands_for_every_denial_where_a_proxy_wants_one() {
    let door = Door::open_with(&["--access-staleness=10s"]).await;
    door.user(user_row("alice", Roles::BASE)).await;
    door.password("alice", chosen().await).await;
    let ask = async |query: &str, password: &str| {
        let url = format!("{}/access/verify?service={query}", door.url);
        door.http.get(url).basic_auth("alice", Some(password)).send().await.unwrap()
    };
    assert_eq!(ask("sftp&deny=403", PASSWORD).await.status(), 200);
    assert_eq!(ask("agent&deny=401", PASSWORD).await.status(), 401);
    for wrong in ["sftp&deny=500", "sftp&deny=", "sftp&deny=200", "sftp&deny=403&deny=403"] {
        assert_eq!(ask(wrong, PASSWORD).await.status(), 400, "{wrong}");
    }
    for _ in 0..5 {
        assert_eq!(ask("sftp&deny=403", "not it").await.status(), 403);
    }
    assert_eq!(ask("sftp", PASSWORD).await.status(), 429);
    let delayed = ask("sftp&deny=403", PASSWORD).await;
    assert!(delayed.headers().contains_key("retry-after"));
    assert!(!delayed.headers().contains_key("www-authenticate"));
    let body: Value = delayed.json().await.unwrap();
    assert_eq!((&body["status"], &body["title"]), (&json!(403), &json!("Forbidden")));
    let challenged = ask("sftp&deny=401", PASSWORD).await;
    assert!(challenged.status() == 401 && challenged.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn f16_what_cant_be_known_is_a_denial_too() {
    let door = Door::open_with(&["--access-staleness=1ms", "--access-grace=1ms"]).await;
    door.user(user_row("alice", Roles::BASE)).await;
    let token = door.token("alice", SECRET, &[Scope::Sftp], &[]).await.to_string();
    let status = async |query: &str| {
        let url = format!("{}/access/verify?service={query}", door.url);
        door.http.get(url).basic_auth(&token, Some(SECRET)).send().await.unwrap().status().as_u16()
    };
    eventually(async || (status("sftp").await == 503).then_some(())).await;
    assert_eq!(status("sftp&deny=403").await, 403);
    assert_eq!(status("sftp&deny=401").await, 401);
}

#[tokio::test]
async fn f04_the_gateway_says_when_checks_cant_be_answered_and_when_they_can() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    let token = door.token("alice", SECRET, &[Scope::Sftp], &[]).await.to_string();
    let partitions: Vec<_> = log_model::StreamPartition::followed(1).collect();
    let says = async |expected: Option<&str>, status_of_checks: u16| {
        let health = door.health.require_answers().err();
        let is_expected = match (&health, expected) {
            (None, None) => true,
            (Some(reason), Some(expected)) => reason.contains(expected),
            _ => false,
        };
        (is_expected && status(&door, "sftp", &token, SECRET).await == status_of_checks).then_some(())
    };
    eventually(|| says(None, 200)).await;
    let long_ago = now() - Duration::from_secs(61);
    door.writer.confirm(&partitions, long_ago).await.unwrap();
    eventually(|| says(Some("last confirmed at"), 503)).await;
    door.writer.unreachable(&partitions, long_ago).await.unwrap();
    eventually(|| says(Some("the log, which can't be reached since"), 503)).await;
    door.confirm().await;
    eventually(|| says(None, 200)).await;
}
