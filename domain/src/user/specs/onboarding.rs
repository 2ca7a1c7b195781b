//! Specs of registering, creating, approving, rejecting and reconsidering.

use super::*;
use crate::id::UserId;
use crate::spec::{alice, closed, given, given_nothing, group, open, temporary, tomorrow};
use crate::testing::{creation, personal, registration};
use crate::user::Command;
use crate::user::lifecycle::{Deleted, Suspended};
use crate::user::roles::RoleGranted;
use crate::wire::Change;

pub(crate) fn registered() -> Event {
    let personal = Personal {
        first_name: Some("Alice".into()),
        last_name: Some("Archer".into()),
        phone: None,
        ..personal("alice")
    };
    Registered { username: "alice".into(), origin: Origin::OneSelf, personal }.into()
}

pub(crate) fn approved() -> Event {
    Approved { group: Some(group("staff")) }.into()
}

pub(crate) fn password_reset() -> Event {
    PasswordReset { expires_at: tomorrow() }.into()
}

pub(crate) fn active() -> Vec<Event> {
    vec![registered(), approved(), password_reset()]
}

pub(crate) fn with(mut events: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    events.extend(more);
    events
}

pub(crate) fn suspended() -> Event {
    Suspended { reason: "left".into() }.into()
}

pub(crate) fn rejected() -> Event {
    Rejected { reason: "unknown".into() }.into()
}

pub(crate) fn deleted() -> Event {
    Deleted {}.into()
}

fn register() -> RegisterUser {
    RegisterUser {
        first_name: "Alice".into(),
        last_name: "Archer".into(),
        email: "alice@EXAMPLE.com".into(),
        ..registration("Alice")
    }
}

fn create() -> CreateUser {
    creation("alice", group("staff").id)
}

fn approve() -> Command {
    Command::ApproveUser(ApproveUser { group_id: group("staff").id })
}

fn reject(reason: &str) -> Command {
    Command::RejectUser(RejectUser { reason: reason.into() })
}

fn created() -> Event {
    let personal = Personal::default();
    Registered { username: "alice".into(), origin: Origin::Administrator, personal }.into()
}

#[test]
fn a_free_name_can_be_registered() {
    given_nothing().when(Command::RegisterUser(register())).then([registered()]);
}

#[test]
fn a_rejected_name_can_be_registered_again() {
    given([registered(), rejected()]).when(Command::RegisterUser(register())).then([registered()]);
}

#[test]
fn a_taken_name_cannot_be_registered() {
    let histories =
        [vec![registered()], active(), with(active(), [suspended()]), with(active(), [deleted()])];
    for history in histories {
        given(history).when(Command::RegisterUser(register())).then_refused([(Code::NameTaken, "username")]);
    }
}

#[test]
fn every_bad_field_of_a_registration_is_named_at_once() {
    let bad = RegisterUser {
        first_name: String::new(),
        last_name: "x".repeat(101),
        email: "nowhere".into(),
        phone: Some("call me".into()),
        ..registration("root")
    };
    given_nothing().when(Command::RegisterUser(bad)).then_refused([
        (Code::Reserved, "username"),
        (Code::Required, "firstName"),
        (Code::TooLong, "lastName"),
        (Code::InvalidFormat, "email"),
        (Code::InvalidFormat, "phone"),
    ]);
}

#[test]
fn a_created_user_is_active_with_a_temporary_password() {
    let decision = given_nothing()
        .and_group(open("staff"))
        .and_prepared(temporary())
        .when(Command::CreateUser(create()))
        .then([created(), approved(), password_reset()]);
    assert_eq!(decision.credential_texts(), [format!("put {}/password Temporary(…) v3", alice())]);
}

#[test]
fn creation_takes_over_a_pending_or_rejected_name() {
    for history in [vec![registered()], vec![registered(), rejected()]] {
        let version = history.len() + 3;
        let decision = given(history)
            .and_group(open("staff"))
            .and_prepared(temporary())
            .when(Command::CreateUser(create()))
            .then([created(), approved(), password_reset()]);
        assert_eq!(
            decision.credential_texts(),
            [format!("put {}/password Temporary(…) v{version}", alice())]
        );
    }
}

#[test]
fn creation_under_a_taken_name_is_refused() {
    for history in [active(), with(active(), [suspended()]), with(active(), [deleted()])] {
        given(history)
            .and_group(open("staff"))
            .and_prepared(temporary())
            .when(Command::CreateUser(create()))
            .then_refused([(Code::NameTaken, "username")]);
    }
}

#[test]
fn every_bad_field_of_a_creation_is_named_at_once() {
    let bad = CreateUser { phone: Some("x".into()), ..creation("a", group("staff").id) };
    given_nothing().when(Command::CreateUser(bad)).then_refused([
        (Code::TooShort, "username"),
        (Code::InvalidFormat, "phone"),
        (Code::UnknownGroup, "groupId"),
    ]);
}

#[test]
fn a_pending_user_is_approved_into_an_open_group() {
    let decision = given([registered()])
        .and_group(open("staff"))
        .and_prepared(temporary())
        .when(approve())
        .then([approved(), password_reset()]);
    assert_eq!(decision.credential_texts(), [format!("put {}/password Temporary(…) v3", alice())]);
}

#[test]
fn approval_needs_a_group_that_takes_members() {
    let unknown = given([registered()]).and_prepared(temporary());
    unknown.when(approve()).then_refused([(Code::UnknownGroup, "groupId")]);
    let other = given([registered()]).and_group(open("other")).and_prepared(temporary());
    other.when(approve()).then_refused([(Code::UnknownGroup, "groupId")]);
    let shut = given([registered()]).and_group(closed("staff")).and_prepared(temporary());
    shut.when(approve()).then_refused([(Code::GroupClosed, "groupId")]);
}

#[test]
fn approval_without_a_temporary_password_is_refused() {
    given([registered()]).and_group(open("staff")).when(approve()).then_refused([(Code::Required, "")]);
}

#[test]
fn nobody_is_approved_twice_or_out_of_turn() {
    let attempt = |history: Vec<Event>| {
        given(history).and_group(open("staff")).and_prepared(temporary()).when(approve())
    };
    attempt(active()).then_refused([(Code::AlreadyApproved, "")]);
    attempt(with(active(), [suspended()])).then_refused([(Code::AlreadyApproved, "")]);
    attempt(vec![registered(), rejected()]).then_refused([(Code::NotPending, "")]);
    attempt(with(active(), [deleted()])).then_refused([(Code::NotPending, "")]);
    attempt(vec![]).then_refused([(Code::UnknownUser, "userId")]);
}

#[test]
fn a_pending_user_is_rejected_for_a_reason() {
    given([registered()]).when(reject(" unknown ")).then([rejected()]);
    given([registered()]).when(reject("")).then_refused([(Code::Required, "reason")]);
    given([registered()]).when(reject(&"x".repeat(501))).then_refused([(Code::TooLong, "reason")]);
    given(active()).when(reject("x")).then_refused([(Code::AlreadyApproved, "")]);
    given([registered(), rejected()]).when(reject("x")).then_refused([(Code::NotPending, "")]);
}

#[test]
fn a_rejection_can_be_taken_back() {
    given([registered(), rejected()]).when(Command::ReconsiderUser).then([Reconsidered {}]);
    given([registered()]).when(Command::ReconsiderUser).then_refused([(Code::NotRejected, "")]);
    given_nothing().when(Command::ReconsiderUser).then_refused([(Code::UnknownUser, "userId")]);
}

#[test]
fn a_reconsidered_user_can_be_approved() {
    given([registered(), rejected(), Reconsidered {}.into()])
        .and_group(open("staff"))
        .and_prepared(temporary())
        .when(approve())
        .then([approved(), password_reset()]);
}

#[test]
fn the_first_administrator_is_active_without_a_group() {
    let command = MakeFirstAdministrator { username: "alice".into(), email: None };
    let registered =
        Registered { username: "alice".into(), origin: Origin::Operator, personal: Personal::default() };
    given_nothing().and_prepared(temporary()).when(Command::MakeFirstAdministrator(command)).then([
        registered.into(),
        Approved { group: None }.into(),
        RoleGranted { role: Role::Administrator }.into(),
        password_reset(),
    ]);
}

#[test]
fn the_first_administrator_needs_a_free_name() {
    let command = MakeFirstAdministrator { username: "alice".into(), email: Some("x".into()) };
    let attempt = given_nothing().and_prepared(temporary()).when(Command::MakeFirstAdministrator(command));
    attempt.then_refused([(Code::InvalidFormat, "email")]);
    let command = MakeFirstAdministrator { username: "alice".into(), email: None };
    let attempt = given(active()).and_prepared(temporary()).when(Command::MakeFirstAdministrator(command));
    attempt.then_refused([(Code::NameTaken, "username")]);
}

#[test]
fn a_name_that_is_registered_again_starts_anew() {
    let config = Change {
        old: crate::user::agent::UfaConfig::default(),
        new: crate::user::agent::UfaConfig { debug: true, ..Default::default() },
    };
    let edited = crate::user::agent::UfaConfigEdited { config }.into();
    let again = given([registered(), edited, rejected(), registered()]).aggregate;
    let account = again.account().unwrap();
    assert_eq!((account.config.as_ref(), &account.lifecycle), (None, &Lifecycle::Pending));
    assert_eq!(crate::aggregate::Aggregate::version(&again), 4);
    assert_eq!(again.id(), UserId::of(&Username::parse("alice").unwrap()));
}
