//! Which attempts count towards a delay, and for how long.

use std::time::Duration;

use domain::actor::Roles;
use domain::credential::{Credential, CredentialId, Kind};
use domain::user::UserStatus;
use read_model::apply::Batch;

use crate::harness::{Door, PASSWORD, chosen, id, now, temporary, user_row};

async fn status(door: &Door, user: &str, secret: &str) -> u16 {
    let url = format!("{}/access/verify?service=sftp", door.url);
    door.http.get(url).basic_auth(user, Some(secret)).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn f41_the_right_password_of_somebody_stopped_is_no_failed_attempt() {
    let door = Door::open().await;
    let mut suspended = user_row("bob", Roles::BASE);
    suspended.state = UserStatus::Suspended;
    door.user(suspended).await;
    door.password("bob", chosen().await).await;
    door.user(user_row("carol", Roles::BASE)).await;
    door.password("carol", temporary("Temporary-1", now() - Duration::from_mins(1))).await;
    for (user, password, expected) in [("bob", PASSWORD, 403), ("carol", "Temporary-1", 401)] {
        for attempt in 0..7 {
            assert_eq!(status(&door, user, password).await, expected, "{user}, attempt {attempt}");
        }
        for _ in 0..5 {
            assert_eq!(status(&door, user, "not it").await, 401, "{user}");
        }
        assert_eq!(status(&door, user, password).await, 429, "{user}");
    }
}

#[tokio::test]
async fn f42_a_new_password_does_not_wait_for_failures_with_the_old_one() {
    let door = Door::open().await;
    door.user(user_row("alice", Roles::BASE)).await;
    door.password("alice", temporary("Temporary-1", now() + Duration::from_mins(1))).await;
    for _ in 0..5 {
        assert_eq!(status(&door, "alice", "not it").await, 401);
    }
    assert_eq!(status(&door, "alice", "Temporary-1").await, 429);
    let reset = |kind: Kind, version| {
        let credential = (CredentialId::Password(id("alice")), Credential { kind, version });
        door.apply(Batch { credentials: vec![credential], ..Batch::default() })
    };
    reset(temporary("Temporary-2", now() + Duration::from_mins(1)), 9).await;
    assert_eq!(status(&door, "alice", "Temporary-2").await, 403);
    for _ in 0..5 {
        assert_eq!(status(&door, "alice", "not it").await, 401);
    }
    assert_eq!(status(&door, "alice", "Temporary-2").await, 429);
    reset(chosen().await, 10).await;
    assert_eq!(status(&door, "alice", PASSWORD).await, 200);
}
