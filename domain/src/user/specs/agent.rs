//! Specs of the UFA config.

use super::*;
use crate::refusal::Code;
use crate::spec::{given, given_nothing};
use crate::user::Command;
use crate::user::onboarding::spec::{active, deleted, registered, rejected, suspended, with};

fn edit() -> EditUfaConfig {
    EditUfaConfig { heartbeat_interval: Patch::Set(60), ..EditUfaConfig::default() }
}

#[test]
fn an_edit_changes_only_what_it_names() {
    let config = Change {
        old: UfaConfig::default(),
        new: UfaConfig { heartbeat_interval: 60, ..UfaConfig::default() },
    };
    for history in [vec![registered()], active(), with(active(), [suspended()])] {
        let expected = UfaConfigEdited { config: config.clone() };
        given(history).when(Command::EditUfaConfig(edit())).then([expected]);
    }
}

#[test]
fn the_same_again_changes_nothing() {
    let same =
        EditUfaConfig { max_jobs: Patch::Set(100), debug: Patch::Set(false), ..EditUfaConfig::default() };
    given(active()).when(Command::EditUfaConfig(same)).then_nothing();
}

#[test]
fn every_bad_field_is_named_at_once() {
    let bad = EditUfaConfig {
        debug: Patch::Clear,
        log_file: Patch::Set("x".repeat(4_097)),
        heartbeat_interval: Patch::Set(4),
        config_interval: Patch::Set(86_401),
        max_jobs: Patch::Set(-1),
    };
    given(active()).when(Command::EditUfaConfig(bad)).then_refused([
        (Code::Required, "debug"),
        (Code::TooLong, "logFile"),
        (Code::OutOfRange, "heartbeatInterval"),
        (Code::OutOfRange, "configInterval"),
        (Code::OutOfRange, "maxJobs"),
    ]);
}

#[test]
fn the_ends_of_each_range_are_allowed() {
    for (heartbeat, interval, jobs) in [(5, 86_400, 1), (86_400, 5, 10_000)] {
        let edit = EditUfaConfig {
            log_file: Patch::Set("x".repeat(4_096)),
            heartbeat_interval: Patch::Set(heartbeat),
            config_interval: Patch::Set(interval),
            max_jobs: Patch::Set(jobs),
            ..EditUfaConfig::default()
        };
        assert!(given(active()).when(Command::EditUfaConfig(edit)).0.is_ok());
    }
}

#[test]
fn the_log_file_can_be_cleared() {
    let old = UfaConfig { log_file: "/var/log/ufa".into(), ..UfaConfig::default() };
    let before = UfaConfigEdited { config: Change { old: UfaConfig::default(), new: old.clone() } };
    let clear = EditUfaConfig { log_file: Patch::Clear, ..EditUfaConfig::default() };
    let config = Change { old, new: UfaConfig::default() };
    given(with(active(), [before.into()]))
        .when(Command::EditUfaConfig(clear))
        .then([UfaConfigEdited { config }]);
}

#[test]
fn rejected_and_deleted_users_are_not_edited() {
    for history in [vec![registered(), rejected()], with(active(), [deleted()])] {
        given(history).when(Command::EditUfaConfig(edit())).then_refused([(Code::NotEditable, "")]);
    }
    given_nothing().when(Command::EditUfaConfig(edit())).then_refused([(Code::UnknownUser, "userId")]);
}
