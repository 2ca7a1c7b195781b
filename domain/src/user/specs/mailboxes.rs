//! Specs of mailboxes.

use super::*;
use crate::decision_context::Limits;
use crate::spec::{alice, given};
use crate::user::Command;
use crate::user::onboarding::spec::{active, deleted, with};
use crate::user::rules::spec::{added, download};

pub(crate) fn created(name: &str) -> Event {
    MailboxCreated { mailbox_id: MailboxId::of(alice(), name), name: name.into(), description: None }.into()
}

fn create(name: &str) -> Command {
    Command::CreateMailbox(CreateMailbox { name: name.into(), description: None })
}

fn delete(name: &str) -> Command {
    Command::DeleteMailbox(DeleteMailbox { mailbox_id: MailboxId::of(alice(), name) })
}

#[test]
fn a_mailbox_is_created_under_a_free_name() {
    given(active()).when(create("Orders")).then([created("Orders")]);
    given(with(active(), [created("Orders")])).when(create("orders")).then([created("orders")]);
}

#[test]
fn a_taken_name_is_refused_and_so_is_default() {
    given(with(active(), [created("a")])).when(create("a")).then_refused([(Code::NameTaken, "name")]);
    given(active()).when(create("default")).then_refused([(Code::NameTaken, "name")]);
}

#[test]
fn every_bad_field_is_named_at_once() {
    let bad = CreateMailbox { name: "a b".into(), description: Some("x".repeat(501)) };
    let refused = [(Code::InvalidFormat, "name"), (Code::TooLong, "description")];
    given(active()).when(Command::CreateMailbox(bad)).then_refused(refused);
    given(active()).when(create("")).then_refused([(Code::Required, "name")]);
    given(active()).when(create(&"x".repeat(65))).then_refused([(Code::TooLong, "name")]);
}

#[test]
fn there_are_only_so_many() {
    let limits = Limits { mailboxes: 2, ..Limits::default() };
    given(active()).and_limits(limits).when(create("a")).then([created("a")]);
    given(with(active(), [created("a")]))
        .and_limits(limits)
        .when(create("b"))
        .then_refused([(Code::TooMany, "")]);
}

#[test]
fn a_mailbox_that_no_rule_uses_is_deleted() {
    let gone = MailboxDeleted { mailbox_id: MailboxId::of(alice(), "a"), name: "a".into() };
    given(with(active(), [created("a")])).when(delete("a")).then([gone]);
}

#[test]
fn the_default_an_unknown_and_a_used_mailbox_stay() {
    given(active()).when(delete("default")).then_refused([(Code::DefaultMailbox, "mailboxId")]);
    given(active()).when(delete("a")).then_refused([(Code::UnknownMailbox, "mailboxId")]);
    let used = with(active(), [created("a"), added(download("fetch", "a"))]);
    given(used).when(delete("a")).then_refused([(Code::MailboxInUse, "mailboxId")]);
}

#[test]
fn mailboxes_of_a_deleted_user_are_not_edited() {
    given(with(active(), [deleted()])).when(create("a")).then_refused([(Code::NotEditable, "")]);
    given(with(active(), [deleted()])).when(delete("a")).then_refused([(Code::NotEditable, "")]);
}

#[test]
fn the_topic_is_named_by_user_and_mailbox() {
    assert_eq!(topic("alice", "default"), "amps.mailbox.alice.default");
}
