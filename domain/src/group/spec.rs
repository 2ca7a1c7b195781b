//! Specs of the group.

use super::*;
use crate::spec::{Given, given_nothing};

fn group(events: impl IntoIterator<Item = Event>) -> Given<Group> {
    let mut aggregate = Group::default();
    let context = given_nothing().context;
    for event in events {
        aggregate.evolve(&event, context.now);
    }
    Given { aggregate, context }
}

fn created() -> Event {
    Created { name: "staff".into(), description: Some("All".into()), personal: Contact::default() }.into()
}

fn closed() -> Event {
    Closed {}.into()
}

fn create(name: &str) -> CreateGroup {
    CreateGroup { name: name.into(), description: Some("All".into()), phone: None, email: None }
}

#[test]
fn a_group_is_created_under_a_free_name() {
    group([]).when(Command::CreateGroup(create("Staff"))).then([created()]);
    group([created()]).when(Command::CreateGroup(create("staff"))).then_refused([(Code::NameTaken, "name")]);
}

#[test]
fn every_bad_field_is_named_at_once() {
    let bad = CreateGroup {
        name: "x".into(),
        description: Some("x".repeat(501)),
        phone: Some("x".into()),
        email: Some("x".into()),
    };
    group([]).when(Command::CreateGroup(bad)).then_refused([
        (Code::TooShort, "name"),
        (Code::TooLong, "description"),
        (Code::InvalidFormat, "phone"),
        (Code::InvalidFormat, "email"),
    ]);
    let bad = EditGroup {
        description: Patch::Set("\u{0}".into()),
        phone: Patch::Set("x".into()),
        email: Patch::Set("x".into()),
    };
    group([created()]).when(Command::EditGroup(bad)).then_refused([
        (Code::InvalidFormat, "description"),
        (Code::InvalidFormat, "phone"),
        (Code::InvalidFormat, "email"),
    ]);
}

#[test]
fn an_edit_changes_only_what_it_names() {
    let edit = EditGroup { phone: Patch::Set("12".into()), ..EditGroup::default() };
    let new = Contact { phone: Some("12".into()), email: None };
    let edited = Edited { description: None, personal: Change { old: Contact::default(), new } };
    group([created()]).when(Command::EditGroup(edit)).then([edited]);
    let clear = EditGroup { description: Patch::Clear, ..EditGroup::default() };
    let description = Some(Change { old: Some("All".to_owned()), new: None });
    let personal = Change { old: Contact::default(), new: Contact::default() };
    group([created()]).when(Command::EditGroup(clear)).then([Edited { description, personal }]);
    group([created()]).when(Command::EditGroup(EditGroup::default())).then_nothing();
}

#[test]
fn a_group_is_closed_and_reopened_and_twice_changes_nothing() {
    group([created()]).when(Command::CloseGroup).then([Closed {}]);
    group([created(), Closed {}.into()]).when(Command::CloseGroup).then_nothing();
    group([created(), Closed {}.into()]).when(Command::ReopenGroup).then([Reopened {}]);
    group([created()]).when(Command::ReopenGroup).then_nothing();
}

#[test]
fn what_does_not_exist_is_not_changed() {
    let commands = [
        Command::EditGroup(EditGroup::default()),
        Command::CloseGroup,
        Command::ReopenGroup,
        Command::DeleteGroup,
    ];
    for command in commands {
        let never = group([]).and_prepared(Prepared::Emptied { version: 9 });
        never.when(command.clone()).then_refused([(Code::UnknownGroup, "groupId")]);
        let no_longer =
            group([created(), closed(), Deleted {}.into()]).and_prepared(Prepared::Emptied { version: 9 });
        no_longer.when(command).then_refused([(Code::UnknownGroup, "groupId")]);
    }
}

#[test]
fn a_group_is_deleted_when_it_is_empty_and_has_stayed_closed() {
    let emptied = |version| Prepared::Emptied { version };
    let edit =
        Edited { description: None, personal: Change { old: Contact::default(), new: Contact::default() } };
    let once = || group([created(), closed()]);
    once().and_prepared(emptied(2)).when(Command::DeleteGroup).then([Deleted {}]);
    let edited = group([created(), closed(), edit.into()]);
    edited.and_prepared(emptied(2)).when(Command::DeleteGroup).then([Deleted {}]);
    once().when(Command::DeleteGroup).then_refused([(Code::GroupNotEmpty, "groupId")]);
    group([created()]).when(Command::DeleteGroup).then_refused([(Code::GroupNotEmpty, "groupId")]);
    let open = group([created(), closed(), Reopened {}.into()]);
    open.and_prepared(emptied(2)).when(Command::DeleteGroup).then_refused([(Code::StaleVersion, "")]);
    let again = group([created(), closed(), Reopened {}.into(), closed()]);
    again.and_prepared(emptied(2)).when(Command::DeleteGroup).then_refused([(Code::StaleVersion, "")]);
}

#[test]
fn the_name_of_a_deleted_group_is_taken_again_and_its_versions_go_on() {
    let deleted = || group([created(), closed(), Deleted {}.into()]);
    deleted().when(Command::CreateGroup(create("staff"))).then([created()]);
    let again = group([created(), closed(), Deleted {}.into(), created()]).aggregate;
    assert_eq!(again.version(), 4);
    assert!(!again.known(GroupId::of(&GroupName::parse("staff").unwrap())).unwrap().closed);
}

#[test]
fn members_see_whether_it_is_closed() {
    let id = GroupId::of(&GroupName::parse("staff").unwrap());
    assert_eq!(group([]).aggregate.known(id), None);
    assert!(!group([created()]).aggregate.known(id).unwrap().closed);
    assert!(group([created(), closed()]).aggregate.known(id).unwrap().closed);
    assert_eq!(group([created(), closed(), Deleted {}.into()]).aggregate.known(id), None);
}
