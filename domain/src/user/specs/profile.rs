//! Specs of the profile: names, phone number, e-mail address and group.

use super::*;
use crate::refusal::Code;
use crate::spec::{closed, given, given_nothing, group, open};
use crate::user::Command;
use crate::user::onboarding::spec::{active, deleted, registered, rejected, suspended, with};

fn set(text: &str) -> Patch<String> {
    Patch::Set(text.to_owned())
}

fn names(first: &str, phone: Option<&str>) -> Personal {
    let (first_name, last_name) = (Some(first.to_owned()), Some("Archer".to_owned()));
    Personal { first_name, last_name, phone: phone.map(str::to_owned), ..Personal::default() }
}

fn address(text: Option<&str>) -> Personal {
    Personal { email: text.map(str::to_owned), ..Personal::default() }
}

#[test]
fn an_edit_changes_only_what_it_names() {
    let edit = UpdateProfile { first_name: set("Alicia"), phone: set("12"), ..UpdateProfile::default() };
    let personal = Change { old: names("Alice", None), new: names("Alicia", Some("12")) };
    given(active()).when(Command::UpdateProfile(edit)).then([ProfileUpdated { personal }]);
}

#[test]
fn a_new_address_is_an_event_of_its_own() {
    let edit = UpdateProfile { email: set("a@b.example"), ..UpdateProfile::default() };
    let personal = Change { old: address(Some("alice@example.com")), new: address(Some("a@b.example")) };
    given(active()).when(Command::UpdateProfile(edit)).then([EmailChanged { personal }]);
}

#[test]
fn null_clears_a_field() {
    let edit = UpdateProfile { email: Patch::Clear, ..UpdateProfile::default() };
    let personal = Change { old: address(Some("alice@example.com")), new: address(None) };
    given(active()).when(Command::UpdateProfile(edit)).then([EmailChanged { personal }]);
}

#[test]
fn the_same_again_changes_nothing() {
    let edit = UpdateProfile {
        first_name: set("Alice"),
        email: set("alice@example.COM"),
        ..UpdateProfile::default()
    };
    given(active()).when(Command::UpdateProfile(edit)).then_nothing();
    given(active()).when(Command::UpdateProfile(UpdateProfile::default())).then_nothing();
}

#[test]
fn every_bad_field_is_named_at_once() {
    let edit = UpdateProfile {
        first_name: set("a\u{202e}b"),
        last_name: set(&"x".repeat(101)),
        phone: set("1".repeat(33).as_str()),
        email: set("@"),
    };
    given(active()).when(Command::UpdateProfile(edit)).then_refused([
        (Code::InvalidFormat, "firstName"),
        (Code::TooLong, "lastName"),
        (Code::TooLong, "phone"),
        (Code::InvalidFormat, "email"),
    ]);
}

#[test]
fn rejected_and_deleted_users_are_not_edited() {
    let edit = || Command::UpdateProfile(UpdateProfile { first_name: set("A"), ..UpdateProfile::default() });
    for history in [vec![registered(), rejected()], with(active(), [deleted()])] {
        given(history).when(edit()).then_refused([(Code::NotEditable, "")]);
    }
    given_nothing().when(edit()).then_refused([(Code::UnknownUser, "userId")]);
}

fn change(name: &str) -> Command {
    Command::ChangeGroup(ChangeGroup { group_id: group(name).id })
}

#[test]
fn an_approved_user_moves_to_another_open_group() {
    for history in [active(), with(active(), [suspended()])] {
        let moved = GroupMove { old: Some(group("staff")), new: group("partners") };
        let attempt = given(history).and_group(open("partners")).when(change("partners"));
        attempt.then([GroupChanged { group: moved }]);
    }
}

#[test]
fn moving_to_the_same_group_changes_nothing_even_when_it_is_closed() {
    given(active()).and_group(closed("staff")).when(change("staff")).then_nothing();
}

#[test]
fn moving_needs_a_group_that_takes_members() {
    given(active()).when(change("partners")).then_refused([(Code::UnknownGroup, "groupId")]);
    let shut = given(active()).and_group(closed("partners"));
    shut.when(change("partners")).then_refused([(Code::GroupClosed, "groupId")]);
}

#[test]
fn only_an_approved_user_moves() {
    for history in [vec![registered()], vec![registered(), rejected()], with(active(), [deleted()])] {
        given(history).and_group(open("staff")).when(change("staff")).then_refused([(Code::NotActive, "")]);
    }
    given_nothing().when(change("staff")).then_refused([(Code::UnknownUser, "userId")]);
}

#[test]
fn a_registration_that_waits_gives_its_address_to_an_administrator() {
    let personal = Change { old: address(Some("alice@example.com")), new: address(None) };
    let expected = [crate::user::Event::from(EmailChanged { personal })];
    let way = given([registered()]).aggregate.relinquish_address().map(|decision| decision.events().to_vec());
    assert_eq!(way.as_deref(), Some(&expected[..]));
    assert_eq!(given(active()).aggregate.relinquish_address(), None);
    assert_eq!(given_nothing().aggregate.relinquish_address(), None);
}

#[test]
fn living_users_hold_their_address_and_others_hold_none() {
    assert_eq!(given([registered()]).aggregate.holds(), Some("alice@example.com"));
    assert_eq!(given(active()).aggregate.holds(), Some("alice@example.com"));
    assert_eq!(given(with(active(), [suspended()])).aggregate.holds(), Some("alice@example.com"));
    assert_eq!(given([registered(), rejected()]).aggregate.holds(), None);
    assert_eq!(given(with(active(), [deleted()])).aggregate.holds(), None);
}
