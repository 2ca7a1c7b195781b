//! Specs of agent rules.

use super::*;
use crate::decision_context::Limits;
use crate::spec::{alice, given, noon};
use crate::user::Command;
use crate::user::mailboxes::spec::created;
use crate::user::onboarding::spec::{active, deleted, with};
use crate::user::rules::upload::Entry;

fn rule(name: &str, kind: Kind) -> Rule {
    Rule {
        id: RuleId::of(alice(), name),
        name: name.into(),
        active: true,
        poll_interval: 300,
        subscribers: 5,
        kind,
    }
}

fn upload(name: &str) -> Rule {
    rule(
        name,
        Kind::Upload(Upload {
            match_pattern: "./uploads/*".into(),
            regex: false,
            upload_format: String::new(),
            metadata: vec![],
            ack_mode: AckMode::Archive,
        }),
    )
}

pub(crate) fn download(name: &str, mailbox: &str) -> Rule {
    rule(
        name,
        Kind::Download(Download {
            mailbox: mailbox.into(),
            deliver_policy: DeliverPolicy::New,
            start_time: None,
            download_path: "./downloads".into(),
            max_files: 20,
        }),
    )
}

pub(crate) fn added(rule: Rule) -> Event {
    AgentRuleAdded { rule }.into()
}

fn new_upload() -> NewUpload {
    NewUpload {
        match_pattern: "./uploads/*".into(),
        regex: false,
        upload_format: String::new(),
        metadata: vec![],
        ack_mode: AckMode::Archive,
    }
}

fn new_download() -> NewDownload {
    NewDownload {
        mailbox: "default".into(),
        deliver_policy: DeliverPolicy::New,
        start_time: None,
        download_path: "./downloads".into(),
        max_files: 20,
    }
}

fn add(name: &str, kind: NewKind) -> AddAgentRule {
    AddAgentRule { name: name.into(), active: true, poll_interval: 300, subscribers: 5, kind }
}

fn edit(name: &str, changes: RuleChanges) -> EditAgentRule {
    let (active, poll_interval, subscribers) = (Patch::Keep, Patch::Keep, Patch::Keep);
    EditAgentRule { rule_id: RuleId::of(alice(), name), active, poll_interval, subscribers, changes }
}

#[test]
fn rules_of_both_kinds_are_added() {
    let command = add("send", NewKind::Upload(new_upload()));
    given(active()).when(Command::AddAgentRule(command)).then([added(upload("send"))]);
    let command = add("fetch", NewKind::Download(new_download()));
    given(active()).when(Command::AddAgentRule(command)).then([added(download("fetch", "default"))]);
}

#[test]
fn a_rule_uses_a_mailbox_of_the_user() {
    let command = || add("fetch", NewKind::Download(NewDownload { mailbox: "in".into(), ..new_download() }));
    let attempt = given(active()).when(Command::AddAgentRule(command()));
    attempt.then_refused([(Code::UnknownMailbox, "rule.download.mailbox")]);
    let history = with(active(), [created("in")]);
    given(history).when(Command::AddAgentRule(command())).then([added(download("fetch", "in"))]);
}

#[test]
fn every_bad_field_of_an_upload_is_named_at_once() {
    let entry = |key: &str| Entry { key: key.into(), value: "v".into() };
    let kind = NewUpload {
        match_pattern: "[".into(),
        upload_format: "x".repeat(1_025),
        metadata: vec![entry("a"), entry("a")],
        ..new_upload()
    };
    let command = AddAgentRule { poll_interval: 0, subscribers: 21, ..add("a b", NewKind::Upload(kind)) };
    given(active()).when(Command::AddAgentRule(command)).then_refused([
        (Code::InvalidFormat, "rule.upload.name"),
        (Code::OutOfRange, "rule.upload.pollInterval"),
        (Code::OutOfRange, "rule.upload.subscribers"),
        (Code::InvalidFormat, "rule.upload.matchPattern"),
        (Code::TooLong, "rule.upload.uploadFormat"),
        (Code::NameTaken, "rule.upload.metadata.1.key"),
    ]);
}

#[test]
fn every_bad_field_of_a_download_is_named_at_once() {
    let kind = NewDownload {
        mailbox: String::new(),
        start_time: Some(noon()),
        download_path: String::new(),
        max_files: 10_001,
        ..new_download()
    };
    let command = add("", NewKind::Download(kind));
    given(active()).when(Command::AddAgentRule(command)).then_refused([
        (Code::Required, "rule.download.name"),
        (Code::Required, "rule.download.mailbox"),
        (Code::NotApplicable, "rule.download.startTime"),
        (Code::Required, "rule.download.downloadPath"),
        (Code::OutOfRange, "rule.download.maxFiles"),
    ]);
}

#[test]
fn metadata_has_its_limits() {
    let attempt = |metadata| {
        let kind = NewKind::Upload(NewUpload { metadata, ..new_upload() });
        given(active()).when(Command::AddAgentRule(add("send", kind)))
    };
    let entry = |key: &str, value: &str| Entry { key: key.into(), value: value.into() };
    attempt(vec![entry("", "v")]).then_refused([(Code::Required, "rule.upload.metadata.0.key")]);
    attempt(vec![entry(&"k".repeat(65), "v")]).then_refused([(Code::TooLong, "rule.upload.metadata.0.key")]);
    attempt(vec![entry("k", &"v".repeat(1_025))])
        .then_refused([(Code::TooLong, "rule.upload.metadata.0.value")]);
    let many: Vec<_> = (0..9).map(|n| entry(&format!("k{n}"), &"v".repeat(1_000))).collect();
    attempt(many).then_refused([(Code::TooLong, "rule.upload.metadata")]);
}

#[test]
fn a_regular_expression_is_checked_as_one() {
    let attempt = |pattern: &str| {
        let kind = NewUpload { match_pattern: pattern.into(), regex: true, ..new_upload() };
        given(active()).when(Command::AddAgentRule(add("send", NewKind::Upload(kind))))
    };
    assert!(attempt("^a+$").0.is_ok());
    attempt("(").then_refused([(Code::InvalidFormat, "rule.upload.matchPattern")]);
}

#[test]
fn a_name_is_unique_and_there_are_only_so_many() {
    let history = || with(active(), [added(upload("send"))]);
    let same = Command::AddAgentRule(add("send", NewKind::Upload(new_upload())));
    given(history()).when(same).then_refused([(Code::NameTaken, "rule.upload.name")]);
    let other = Command::AddAgentRule(add("other", NewKind::Upload(new_upload())));
    let limits = Limits { rules: 1, ..Limits::default() };
    given(history()).and_limits(limits).when(other).then_refused([(Code::TooMany, "")]);
}

#[test]
fn an_edit_changes_only_what_it_names() {
    let command = EditAgentRule {
        poll_interval: Patch::Set(60),
        ..edit(
            "send",
            RuleChanges::Upload(UploadChanges {
                ack_mode: Patch::Set(AckMode::Delete),
                ..Default::default()
            }),
        )
    };
    let mut new = upload("send");
    new.poll_interval = 60;
    if let Kind::Upload(upload) = &mut new.kind {
        upload.ack_mode = AckMode::Delete;
    }
    let rule = Change { old: upload("send"), new };
    let history = with(active(), [added(upload("send"))]);
    given(history).when(Command::EditAgentRule(command)).then([AgentRuleEdited { rule }]);
}

#[test]
fn the_same_again_changes_nothing() {
    let command =
        edit("send", RuleChanges::Upload(UploadChanges { regex: Patch::Set(false), ..Default::default() }));
    let history = with(active(), [added(upload("send"))]);
    given(history).when(Command::EditAgentRule(command)).then_nothing();
}

#[test]
fn the_kind_of_a_rule_never_changes() {
    let command = edit("send", RuleChanges::Download(DownloadChanges::default()));
    let history = with(active(), [added(upload("send"))]);
    given(history)
        .when(Command::EditAgentRule(command))
        .then_refused([(Code::WrongKind, "changes.download")]);
}

#[test]
fn every_bad_field_of_an_edit_is_named_at_once() {
    let history = || with(active(), [added(upload("send")), added(download("fetch", "default"))]);
    let changes = UploadChanges { match_pattern: Patch::Clear, ack_mode: Patch::Clear, ..Default::default() };
    let command = EditAgentRule {
        active: Patch::Clear,
        subscribers: Patch::Set(0),
        ..edit("send", RuleChanges::Upload(changes))
    };
    given(history()).when(Command::EditAgentRule(command)).then_refused([
        (Code::Required, "changes.upload.active"),
        (Code::OutOfRange, "changes.upload.subscribers"),
        (Code::Required, "changes.upload.matchPattern"),
        (Code::Required, "changes.upload.ackMode"),
    ]);
    let changes = DownloadChanges {
        mailbox: Patch::Set("x".into()),
        deliver_policy: Patch::Set(DeliverPolicy::ByStartTime),
        download_path: Patch::Set(String::new()),
        max_files: Patch::Set(0),
        ..Default::default()
    };
    given(history())
        .when(Command::EditAgentRule(edit("fetch", RuleChanges::Download(changes))))
        .then_refused([
            (Code::UnknownMailbox, "changes.download.mailbox"),
            (Code::Required, "changes.download.startTime"),
            (Code::Required, "changes.download.downloadPath"),
            (Code::OutOfRange, "changes.download.maxFiles"),
        ]);
}

#[test]
fn a_glob_that_is_no_regular_expression_stays_one() {
    let mut globbed = upload("send");
    if let Kind::Upload(upload) = &mut globbed.kind {
        upload.match_pattern = "*.csv".into();
    }
    let command =
        edit("send", RuleChanges::Upload(UploadChanges { regex: Patch::Set(true), ..Default::default() }));
    let refused = [(Code::InvalidFormat, "changes.upload.matchPattern")];
    given(with(active(), [added(globbed)])).when(Command::EditAgentRule(command)).then_refused(refused);
}

#[test]
fn a_start_time_goes_with_its_policy() {
    let mut timed = download("fetch", "default");
    if let Kind::Download(download) = &mut timed.kind {
        download.deliver_policy = DeliverPolicy::ByStartTime;
        download.start_time = Some(noon());
    }
    let changes = DownloadChanges { deliver_policy: Patch::Set(DeliverPolicy::New), ..Default::default() };
    let command = Command::EditAgentRule(edit("fetch", RuleChanges::Download(changes)));
    let rule = Change { old: timed.clone(), new: download("fetch", "default") };
    given(with(active(), [added(timed)])).when(command).then([AgentRuleEdited { rule }]);
}

#[test]
fn a_rule_is_removed() {
    let rule_id = RuleId::of(alice(), "send");
    let remove = || Command::RemoveAgentRule(RemoveAgentRule { rule_id });
    let history = with(active(), [added(upload("send"))]);
    given(history).when(remove()).then([AgentRuleRemoved { rule_id, name: "send".into() }]);
    given(active()).when(remove()).then_refused([(Code::UnknownRule, "ruleId")]);
    let command = edit("send", RuleChanges::Upload(UploadChanges::default()));
    given(active()).when(Command::EditAgentRule(command)).then_refused([(Code::UnknownRule, "ruleId")]);
}

#[test]
fn rules_of_a_deleted_user_are_not_edited() {
    let history = || with(active(), [added(upload("send")), deleted()]);
    let add = Command::AddAgentRule(add("x", NewKind::Upload(new_upload())));
    let edit = Command::EditAgentRule(edit("send", RuleChanges::Upload(UploadChanges::default())));
    let remove = Command::RemoveAgentRule(RemoveAgentRule { rule_id: RuleId::of(alice(), "send") });
    for command in [add, edit, remove] {
        given(history()).when(command).then_refused([(Code::NotEditable, "")]);
    }
}
