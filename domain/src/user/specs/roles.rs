//! Specs of rights.

use super::*;
use crate::spec::given;
use crate::user::Command;
use crate::user::onboarding::spec::{active, registered, suspended, with};

fn grant(role: Role) -> Command {
    Command::GrantRole(GrantRole { role })
}

fn revoke(role: Role) -> Command {
    Command::RevokeRole(RevokeRole { role })
}

#[test]
fn a_right_is_given_and_taken() {
    let granted = || RoleGranted { role: Role::Administrator };
    given(active()).when(grant(Role::Administrator)).then([granted()]);
    let history = with(active(), [granted().into()]);
    given(history).when(revoke(Role::Administrator)).then([RoleRevoked { role: Role::Administrator }]);
}

#[test]
fn giving_what_is_held_and_taking_what_is_not_change_nothing() {
    given(active()).when(grant(Role::User)).then_nothing();
    given(active()).when(revoke(Role::Administrator)).then_nothing();
}

#[test]
fn the_role_of_every_user_cannot_be_taken() {
    given(active()).when(revoke(Role::User)).then_refused([(Code::BaseRole, "role")]);
}

#[test]
fn only_an_active_user_gets_and_loses_rights() {
    for history in [vec![registered()], with(active(), [suspended()])] {
        given(history.clone()).when(grant(Role::Administrator)).then_refused([(Code::NotActive, "")]);
        given(history).when(revoke(Role::Administrator)).then_refused([(Code::NotActive, "")]);
    }
}
