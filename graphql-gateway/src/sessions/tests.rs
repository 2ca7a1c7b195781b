//! When a session is valid.

use super::*;
use domain::names::Username;
use read_model::credentials::Holder;

const IDLE: Duration = Duration::from_hours(1);

fn found() -> SessionWithUser {
    let id = UserId::of(&Username::parse("alice").unwrap());
    let begin = Timestamp::from_micros(0);
    SessionWithUser {
        session: Session {
            token_hash: [0; 32],
            user_id: id,
            credential_version: 3,
            must_change: false,
            created_at: begin,
            last_seen_at: begin,
            expires_at: begin + Duration::from_hours(24),
            client: Client::default(),
        },
        holder: Holder {
            id,
            username: "alice".to_owned(),
            state: UserStatus::Active,
            roles: Roles::BASE,
            group: None,
            version: 3,
            partition: 0,
        },
        password_version: Some(3),
    }
}

fn after(minutes: u64) -> Timestamp {
    Timestamp::from_micros(0) + Duration::from_mins(minutes)
}

#[test]
fn a_session_ends_when_it_is_idle_and_when_its_time_is_over() {
    assert!(is_valid(&found(), after(59), IDLE));
    assert!(!is_valid(&found(), after(60), IDLE));
    let mut used = found();
    used.session.last_seen_at = after(24 * 60 - 1);
    assert!(is_valid(&used, after(24 * 60 - 1), IDLE));
    assert!(!is_valid(&used, after(24 * 60), IDLE));
}

#[test]
fn a_session_ends_with_its_password_and_its_user() {
    let mut reset = found();
    reset.password_version = Some(4);
    assert!(!is_valid(&reset, after(1), IDLE));
    reset.password_version = None;
    assert!(!is_valid(&reset, after(1), IDLE));
    let mut suspended = found();
    suspended.holder.state = UserStatus::Suspended;
    assert!(!is_valid(&suspended, after(1), IDLE));
}

#[test]
fn a_session_that_changed_its_password_does_not_wait_for_the_views() {
    let mut ahead = found();
    ahead.session.credential_version = 4;
    assert!(is_valid(&ahead, after(1), IDLE));
}
