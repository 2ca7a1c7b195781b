//! Specs of roles.

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
fn a_role_is_granted_and_revoked() {
    let granted = || RoleGranted { role: Role::Administrator };
    given(active()).when(grant(Role::Administrator)).then([granted()]);
    let history = with(active(), [granted().into()]);
    given(history).when(revoke(Role::Administrator)).then([RoleRevoked { role: Role::Administrator }]);
}

#[test]
fn granting_a_held_role_and_revoking_another_change_nothing() {
    given(active()).when(grant(Role::User)).then_nothing();
    given(active()).when(revoke(Role::Administrator)).then_nothing();
}

#[test]
fn the_base_role_cannot_be_revoked() {
    given(active()).when(revoke(Role::User)).then_refused([(Code::BaseRole, "role")]);
}

#[test]
fn only_an_active_user_gets_and_loses_roles() {
    for history in [vec![registered()], with(active(), [suspended()])] {
        given(history.clone()).when(grant(Role::Administrator)).then_refused([(Code::NotActive, "")]);
        given(history).when(revoke(Role::Administrator)).then_refused([(Code::NotActive, "")]);
    }
}
