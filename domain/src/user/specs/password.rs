//! Specs of passwords.

use super::*;
use crate::decision_context::Prepared;
use crate::id::TokenId;
use crate::spec::{alice, given, given_nothing, temporary};
use crate::user::Command;
use crate::user::onboarding::spec::{active, deleted, password_reset, registered, suspended, with};
use crate::user::tokens::AuthTokenRevoked;
use crate::user::tokens::spec::issued;

fn reset(revoke_tokens: bool) -> Command {
    Command::ResetPassword(ResetPassword { revoke_tokens })
}

fn chosen(checked: u64) -> Prepared {
    Prepared::ChosenPassword { phc: "$argon2id$…".into(), checked }
}

#[test]
fn a_reset_replaces_the_password_by_a_temporary_one() {
    let decision = given(active()).and_prepared(temporary()).when(reset(false)).then([password_reset()]);
    assert_eq!(decision.credential_texts(), [format!("put {}/password Temporary(…) v4", alice())]);
}

#[test]
fn a_reset_can_end_every_token() {
    let token_id = TokenId::issued_at(alice(), 4);
    let revoked = AuthTokenRevoked { token_id, name: "ci".into() };
    let attempt = given(with(active(), [issued(4, "ci")])).and_prepared(temporary()).when(reset(true));
    let decision = attempt.then([password_reset(), revoked.into()]);
    let put = format!("put {}/password Temporary(…) v5", alice());
    assert_eq!(decision.credential_texts(), [put, format!("remove {}/{token_id}", alice())]);
}

#[test]
fn only_an_active_user_gets_a_new_password() {
    for history in [vec![registered()], with(active(), [suspended()]), with(active(), [deleted()])] {
        given(history).and_prepared(temporary()).when(reset(false)).then_refused([(Code::NotActive, "")]);
    }
    given_nothing()
        .and_prepared(temporary())
        .when(reset(false))
        .then_refused([(Code::UnknownUser, "userId")]);
    given(active()).when(reset(false)).then_refused([(Code::Required, "")]);
}

#[test]
fn a_user_changes_the_password_that_was_checked() {
    let attempt = given(active()).and_prepared(chosen(3)).when(Command::ChangePassword);
    let decision = attempt.then([PasswordChanged {}]);
    assert_eq!(decision.credential_texts(), [format!("put {}/password Permanent(…) v4", alice())]);
}

#[test]
fn a_password_that_was_replaced_meanwhile_is_not_changed() {
    let history = || with(active(), [password_reset()]);
    given(history())
        .and_prepared(chosen(3))
        .when(Command::ChangePassword)
        .then_refused([(Code::StaleVersion, "")]);
    given(history())
        .and_prepared(chosen(3))
        .when(Command::RehashPassword)
        .then_refused([(Code::StaleVersion, "")]);
}

#[test]
fn only_an_active_user_changes_the_password() {
    let history = with(active(), [suspended()]);
    given(history)
        .and_prepared(chosen(3))
        .when(Command::ChangePassword)
        .then_refused([(Code::NotActive, "")]);
    given(active()).when(Command::ChangePassword).then_refused([(Code::Required, "")]);
}

#[test]
fn the_same_password_under_stronger_parameters_keeps_its_version() {
    let attempt = given(active()).and_prepared(chosen(3)).when(Command::RehashPassword);
    let decision = attempt.then([] as [Event; 0]);
    assert_eq!(decision.credential_texts(), [format!("put {}/password Permanent(…) v3", alice())]);
}
