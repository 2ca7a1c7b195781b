//! Specs of the access policy.

use super::*;
use crate::actor::Role;
use crate::id::{MailboxId, RuleId, TokenId};
use crate::spec::{administrator, alice, group};
use crate::testing::creation;
use crate::user::Command as C;
use crate::user::{agent, lifecycle, mailboxes, onboarding, password, profile, roles, rules, tokens};

fn plain(id: UserId) -> Actor {
    Actor::User { id, name: "alice".into(), roles: Roles::BASE }
}

fn own_or_administrators() -> Vec<C> {
    let (rule_id, mailbox_id, token_id) =
        (RuleId::of(alice(), "r"), MailboxId::of(alice(), "m"), TokenId::issued_at(alice(), 1));
    let changes = rules::RuleChanges::Upload(rules::UploadChanges::default());
    let upload = rules::NewUpload {
        match_pattern: "*".into(),
        regex: false,
        upload_format: String::new(),
        metadata: vec![],
        ack_mode: rules::AckMode::None,
    };
    vec![
        C::UpdateProfile(profile::UpdateProfile::default()),
        C::EditUfaConfig(agent::EditUfaConfig::default()),
        C::AddAgentRule(rules::AddAgentRule {
            name: "r".into(),
            active: true,
            poll_interval: 1,
            subscribers: 1,
            kind: rules::NewKind::Upload(upload),
        }),
        C::EditAgentRule(rules::EditAgentRule {
            rule_id,
            active: crate::patch::Patch::Keep,
            poll_interval: crate::patch::Patch::Keep,
            subscribers: crate::patch::Patch::Keep,
            changes,
        }),
        C::RemoveAgentRule(rules::RemoveAgentRule { rule_id }),
        C::CreateMailbox(mailboxes::CreateMailbox { name: "m".into(), description: None }),
        C::DeleteMailbox(mailboxes::DeleteMailbox { mailbox_id }),
        C::IssueAuthToken(tokens::IssueAuthToken {
            name: "t".into(),
            scopes: vec![],
            expires_at: None,
            allowed_networks: vec![],
        }),
        C::RevokeAuthToken(tokens::RevokeAuthToken { token_id }),
    ]
}

fn administrators() -> Vec<C> {
    let group_id = group("staff").id;
    vec![
        C::CreateUser(creation("alice", group_id)),
        C::ApproveUser(onboarding::ApproveUser { group_id }),
        C::RejectUser(onboarding::RejectUser { reason: "r".into() }),
        C::ReconsiderUser,
        C::ReactivateUser,
        C::ChangeGroup(profile::ChangeGroup { group_id }),
        C::GrantRole(roles::GrantRole { role: Role::Administrator }),
    ]
}

fn never_on_oneself() -> Vec<C> {
    vec![
        C::SuspendUser(lifecycle::SuspendUser { reason: "r".into() }),
        C::DeleteUser,
        C::ResetPassword(password::ResetPassword::default()),
        C::RevokeRole(roles::RevokeRole { role: Role::Administrator }),
    ]
}

#[test]
fn anybody_may_register() {
    let register = C::RegisterUser(onboarding::RegisterUser::default());
    for actor in [Actor::Anonymous, plain(alice()), administrator("ada"), Actor::System] {
        assert_eq!(may(&actor, register.action(), alice(), Roles::BASE), Ok(()));
    }
}

#[test]
fn what_is_ones_own_is_for_oneself_and_administrators() {
    let other = crate::id::UserId::of(&crate::names::Username::parse("other").unwrap());
    for command in own_or_administrators() {
        assert_eq!(may(&plain(alice()), command.action(), alice(), Roles::BASE), Ok(()), "{command:?}");
        assert_eq!(may(&administrator("ada"), command.action(), alice(), Roles::BASE), Ok(()), "{command:?}");
        assert_eq!(
            may(&plain(other), command.action(), alice(), Roles::BASE),
            Err(Denial::Forbidden),
            "{command:?}"
        );
        assert_eq!(
            may(&Actor::Anonymous, command.action(), alice(), Roles::BASE),
            Err(Denial::Forbidden),
            "{command:?}"
        );
    }
}

#[test]
fn a_password_is_changed_by_its_user_alone() {
    for command in [C::ChangePassword, C::RehashPassword] {
        assert_eq!(may(&plain(alice()), command.action(), alice(), Roles::BASE), Ok(()));
        assert_eq!(
            may(&administrator("ada"), command.action(), alice(), Roles::BASE),
            Err(Denial::Forbidden)
        );
    }
}

#[test]
fn letting_in_and_out_is_for_administrators() {
    for command in administrators().into_iter().chain(never_on_oneself()) {
        assert_eq!(may(&administrator("ada"), command.action(), alice(), Roles::BASE), Ok(()), "{command:?}");
        assert_eq!(
            may(&plain(alice()), command.action(), alice(), Roles::BASE),
            Err(Denial::Forbidden),
            "{command:?}"
        );
        assert_eq!(
            may(&Actor::Anonymous, command.action(), alice(), Roles::BASE),
            Err(Denial::Forbidden),
            "{command:?}"
        );
    }
}

#[test]
fn nobody_suspends_deletes_or_takes_a_role_from_themselves() {
    let ada = administrator("ada");
    let own = ada.user().unwrap();
    for command in never_on_oneself() {
        let denial = may(&ada, command.action(), own, Roles::EVERY);
        assert!(matches!(denial, Err(Denial::Refused(r)) if r.code == Code::NotOnYourself), "{command:?}");
    }
    for command in administrators() {
        assert_eq!(may(&ada, command.action(), own, Roles::EVERY), Ok(()), "{command:?}");
    }
}

#[test]
fn f35_nobody_resets_their_own_password_but_the_operator_resets_every_one() {
    let (ada, command) = (administrator("ada"), C::ResetPassword(password::ResetPassword::default()));
    let own = ada.user().unwrap();
    let denial = may(&ada, command.action(), own, Roles::EVERY);
    assert!(
        matches!(denial, Err(Denial::Refused(r)) if r.code == Code::NotOnYourself && r.field == ["userId"])
    );
    assert_eq!(may(&administrator("other"), command.action(), own, Roles::EVERY), Ok(()));
    assert_eq!(may(&Actor::System, command.action(), own, Roles::EVERY), Ok(()));
}

#[test]
fn nobody_acts_on_a_user_who_holds_a_right_that_they_do_not_hold() {
    let id = crate::id::UserId::of(&crate::names::Username::parse("half").unwrap());
    let half = Actor::User { id, name: "half".into(), roles: Roles::EVERY.without(Role::User) };
    let denial = may(&half, Action::ReconsiderUser, alice(), Roles::BASE);
    assert!(matches!(denial, Err(Denial::Refused(r)) if r.code == Code::Outranked));
    let denial = may_end_sessions(&half, alice(), Roles::BASE);
    assert!(matches!(denial, Err(Denial::Refused(r)) if r.code == Code::Outranked));
}

#[test]
fn one_ends_the_own_sessions_and_administrators_end_those_of_others() {
    assert_eq!(may_end_sessions(&plain(alice()), alice(), Roles::EVERY), Ok(()));
    assert_eq!(may_end_sessions(&administrator("ada"), alice(), Roles::BASE), Ok(()));
    let ada = administrator("ada").user().unwrap();
    assert_eq!(may_end_sessions(&plain(alice()), ada, Roles::EVERY), Err(Denial::Forbidden));
    assert_eq!(may_end_sessions(&Actor::Anonymous, alice(), Roles::BASE), Err(Denial::Forbidden));
}

#[test]
fn the_first_administrator_is_made_by_the_operator_alone() {
    let command =
        C::MakeFirstAdministrator(onboarding::MakeFirstAdministrator { username: "ada".into(), email: None });
    assert_eq!(may(&Actor::System, command.action(), alice(), Roles::BASE), Ok(()));
    assert_eq!(may(&administrator("ada"), command.action(), alice(), Roles::BASE), Err(Denial::Forbidden));
}

#[test]
fn one_sees_oneself_and_administrators_see_everybody() {
    assert!(may_see(&plain(alice()), alice()) && may_see(&administrator("ada"), alice()));
    assert!(!may_see(&Actor::Anonymous, alice()));
    assert!(may_administer(&Actor::System) && !may_administer(&plain(alice())));
}

#[test]
fn a_name_that_nobody_registered_takes_no_command_but_those_about_names() {
    for action in Action::ALL {
        let about_names = [Action::RegisterUser, Action::CreateUser, Action::MakeFirstAdministrator];
        let expected = if about_names.contains(action) { Ok(()) } else { Err(unknown_user()) };
        assert_eq!(require_state(*action, None), expected, "{action:?}");
    }
}
