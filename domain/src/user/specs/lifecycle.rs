//! Specs of suspending, reactivating and deleting.

use super::*;
use crate::refusal::Code;
use crate::spec::{alice, given, given_nothing};
use crate::user::onboarding::spec::{active, deleted, registered, rejected, suspended, with};
use crate::user::tokens::spec::issued;
use crate::user::{Command, Lifecycle};

fn suspend(reason: &str) -> Command {
    Command::SuspendUser(SuspendUser { reason: reason.into() })
}

#[test]
fn an_active_user_is_suspended_for_a_reason() {
    given(active()).when(suspend("left")).then([suspended()]);
    given(active()).when(suspend(" ")).then_refused([(Code::Required, "reason")]);
    given(active()).when(suspend("a\u{7}")).then_refused([(Code::InvalidFormat, "reason")]);
}

#[test]
fn only_an_active_user_is_suspended() {
    for history in [vec![registered()], with(active(), [suspended()]), with(active(), [deleted()])] {
        given(history).when(suspend("left")).then_refused([(Code::NotActive, "")]);
    }
    given_nothing().when(suspend("left")).then_refused([(Code::UnknownUser, "userId")]);
}

#[test]
fn a_suspended_user_comes_back_into_the_same_group() {
    given(with(active(), [suspended()])).when(Command::ReactivateUser).then([Reactivated {}]);
    let back = given(with(active(), [suspended(), Reactivated {}.into()])).aggregate;
    assert_eq!(back.account().unwrap().lifecycle, Lifecycle::Active(Some(crate::spec::group("staff"))));
    given(active()).when(Command::ReactivateUser).then_refused([(Code::NotSuspended, "")]);
    given_nothing().when(Command::ReactivateUser).then_refused([(Code::UnknownUser, "userId")]);
}

#[test]
fn a_user_in_any_state_can_be_deleted_once() {
    for history in
        [vec![registered()], vec![registered(), rejected()], active(), with(active(), [suspended()])]
    {
        given(history).when(Command::DeleteUser).then([Deleted {}]);
    }
    given(with(active(), [deleted()])).when(Command::DeleteUser).then_refused([(Code::AlreadyDeleted, "")]);
    given_nothing().when(Command::DeleteUser).then_refused([(Code::UnknownUser, "userId")]);
}

#[test]
fn what_proves_who_a_deleted_user_was_is_gone() {
    let decision = given(with(active(), [issued(4, "ci")])).when(Command::DeleteUser).then([Deleted {}]);
    let token = crate::id::TokenId::issued_at(alice(), 4);
    assert_eq!(
        decision.credential_texts(),
        [format!("remove {}/password", alice()), format!("remove {}/{token}", alice())]
    );
}

#[test]
fn nothing_of_a_deleted_user_is_kept_but_the_name() {
    let gone = given(with(active(), [issued(4, "ci"), deleted()])).aggregate;
    let account = gone.account().unwrap();
    assert_eq!(&*account.username, "alice");
    assert!(account.personal.email.is_none() && account.tokens.is_empty());
}
