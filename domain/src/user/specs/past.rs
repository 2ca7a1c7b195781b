//! Specs of the user at a point in the past.

use super::*;
use crate::spec::alice;
use crate::user::lifecycle::{Deleted, Suspended};
use crate::user::onboarding::spec::{active, registered, with};
use crate::user::password::PasswordChanged;
use crate::user::tokens::AuthTokenRevoked;
use crate::user::tokens::spec::issued;

/// An instant, and this number of seconds.
fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000) + std::time::Duration::from_secs(seconds)
}

/// The user after these events, of which each is a second later than the one before.
fn after(events: &[Event]) -> Option<PastUser> {
    (1..).zip(events).fold(None, |user, (n, event)| PastUser::after(user, alice(), event, (n, at(n))))
}

#[test]
fn a_user_who_was_never_registered_has_no_past() {
    assert_eq!(after(&active()[1..]), None);
    assert_eq!(after(&[]), None);
}

#[test]
fn a_new_user_waits_and_has_the_default_mailbox() {
    let user = after(&[registered()]).unwrap();
    assert_eq!((user.sequence, user.status, user.services(at(1))), (1, UserStatus::Pending, Vec::new()));
    let [mailbox] = &user.mailboxes[..] else { panic!("{:?}", user.mailboxes) };
    assert_eq!((&*mailbox.name, mailbox.created_at), (DEFAULT, at(1)));
}

#[test]
fn a_temporary_password_opens_nothing_and_a_chosen_one_all_but_the_agent() {
    assert_eq!(after(&active()).unwrap().services(at(9)), [""; 0]);
    let chosen = after(&with(active(), [PasswordChanged {}.into()])).unwrap();
    assert_eq!(chosen.services(at(9)), SERVICES_OF_PASSWORDS);
}

#[test]
fn a_token_opens_its_scopes_until_it_ends() {
    let number = active().len() as u64 + 1;
    let history = with(active(), [issued(number, "ci")]);
    let user = after(&history).unwrap();
    let scopes: Vec<_> = user.tokens[0].issued.scopes.iter().map(|scope| scope.name()).collect();
    assert_eq!(user.services(at(9)), scopes);
    let token_id = user.tokens[0].issued.token_id;
    let revoked: Event = AuthTokenRevoked { token_id, name: "ci".to_owned() }.into();
    let ended = after(&with(history.clone(), [revoked])).unwrap();
    assert_eq!((ended.services(at(9)).len(), ended.tokens[0].revoked), (0, true));
    let suspended: Event = Suspended { reason: "left".to_owned() }.into();
    assert_eq!(after(&with(history, [suspended])).unwrap().services(at(9)), [""; 0]);
    let mut expiring = user;
    expiring.tokens[0].issued.expires_at = Some(at(9));
    assert_eq!((expiring.services(at(8)), expiring.services(at(9)).len()), (scopes, 0));
}

#[test]
fn a_token_for_events_opens_them_only_while_its_user_may_audit() {
    let mut user = after(&with(active(), [issued(9, "feed")])).unwrap();
    user.tokens[0].issued.scopes = vec![Scope::Events];
    assert_eq!(user.services(at(9)), [""; 0]);
    user.roles = Roles::EVERY;
    assert_eq!(user.services(at(9)), ["events"]);
}

#[test]
fn nothing_of_a_deleted_user_is_kept_but_the_name() {
    let history = with(active(), [issued(9, "ci"), Deleted {}.into()]);
    let user = after(&history).unwrap();
    let number = history.len() as u64;
    let nothing = PastUser::empty(alice(), "alice".to_owned(), (number, at(number)));
    assert_eq!(user, PastUser { status: UserStatus::Deleted, ..nothing });
}
