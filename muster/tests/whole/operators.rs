//! What an operator does: verify, tail, look at the views, break things.

use std::io::{Seek, SeekFrom, Write};

use domain::id::GroupId;
use serde_json::json;

use crate::deployment::Deployment;

/// The chain verifies while the log is written, and the views have seen all of it.
pub(crate) async fn verify_live(deployment: Deployment) {
    let (name, temporary) = &deployment.administrator;
    let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
    administrator.must("createGroup", json!({ "name": "staff" }), "group { id }").await;
    let verified = deployment.run(&["log", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
    let status = deployment.run(&["projection", "status"]);
    assert!(status.status.success(), "{status:?}");
    let tail = deployment.run(&["log", "tail", "--until-end"]);
    let text = String::from_utf8(tail.stdout).unwrap();
    let types: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|event| event["headers"]["ce_type"].as_str().unwrap().to_owned())
        .collect();
    assert!(types.iter().any(|name| name == "muster.group.created"), "{types:?}");
    assert!(types.iter().any(|name| name == "muster.user.password_changed"), "{types:?}");
    crate::log_format::outsider_agrees(&deployment);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_byte_of_a_record_is_found() {
    // Rows are compressed, except for ids. The first byte of the group's id and its last.
    for at in [0, 15] {
        let mut deployment = Deployment::embedded().await;
        let (name, temporary) = &deployment.administrator;
        let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
        let created =
            administrator.must("createGroup", json!({ "name": "harbour-staff" }), "group { id }").await;
        let id: GroupId = created["group"]["id"].as_str().unwrap().parse().unwrap();
        let needle = id.uuid().into_bytes();
        deployment.stop();
        assert_eq!(deployment.run(&["log", "verify"]).status.code(), Some(0));
        // The record lies in the file, or still in the journal beside it.
        let mut changed = 0;
        for name in ["data/log.db", "data/log.db-wal"] {
            let path = deployment.directory.path().join(name);
            let content = std::fs::read(&path).unwrap_or_default();
            for (found, window) in content.windows(needle.len()).enumerate() {
                if window == needle {
                    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
                    file.seek(SeekFrom::Start((found + at) as u64)).unwrap();
                    file.write_all(&[needle[at] ^ 1]).unwrap();
                    changed += 1;
                }
            }
        }
        assert!(changed > 0);
        let verified = deployment.run(&["log", "verify"]);
        assert_eq!(verified.status.code(), Some(1), "{verified:?}");
        assert!(String::from_utf8_lossy(&verified.stdout).contains("BROKEN"), "{verified:?}");
    }
}

#[test]
fn a_first_administrator_who_is_refused_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let init = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_muster"));
        command.arg("init").args(arguments).current_dir(directory.path()).output().unwrap().status.code()
    };
    assert_eq!(init(&["--username", "alise", "--email", "nowhere"]), Some(1));
    assert_eq!(init(&["--username", "alice"]), Some(0));
    assert_eq!(init(&["--username", "alice"]), Some(1));
    assert_eq!(init(&["--username", "bobby"]), Some(1));
}

#[test]
fn a_password_that_could_not_be_shown_is_no_success_and_another_can_be_made() {
    let directory = tempfile::tempdir().unwrap();
    let mut init = std::process::Command::new(env!("CARGO_BIN_EXE_muster"));
    init.args(["init", "--username", "alice"]).current_dir(directory.path());
    // Where nothing can be written.
    init.stdout(std::fs::File::create("/dev/full").unwrap());
    let unseen = init.output().unwrap();
    assert_eq!(unseen.status.code(), Some(2), "{unseen:?}");
    let said = String::from_utf8(unseen.stderr).unwrap();
    assert!(said.contains("muster init --recover alice"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_directory_is_refused_in_one_sentence() {
    let deployment = Deployment::embedded().await;
    let second = deployment.run(&["serve"]);
    assert_eq!(second.status.code(), Some(2), "{second:?}");
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("in use by another process"), "{said}");
    let init = deployment.run(&["init", "--username", "somebody"]);
    assert_eq!(init.status.code(), Some(2), "{init:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_is_made_once_and_recovered() {
    let mut deployment = Deployment::embedded().await;
    deployment.stop();
    let refused = deployment.run(&["init", "--username", "somebody"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let prepared = deployment.run(&["init", "--recover", "administrator", "--format", "json"]);
    assert_eq!(prepared.status.code(), Some(0), "{prepared:?}");
    let prepared: serde_json::Value = serde_json::from_slice(&prepared.stdout).unwrap();
    assert_eq!(deployment.run(&["init", "--recover", "nobody-here"]).status.code(), Some(1));
    deployment.start().await;
    let password = prepared["temporaryPassword"].as_str().unwrap();
    deployment.portal.settle("administrator", password, "another harbour at dusk").await;
}

#[test]
fn a_wrong_setting_stops_the_start_with_a_sentence_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_muster"));
        // Another Muster on this machine may have the usual port.
        command.env("MUSTER_OPERATIONS_LISTEN", "127.0.0.1:0");
        let output = command.args(arguments).current_dir(directory.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let cases: [(&[&str], &str); 6] = [
        (&["serve", "--listen", "nowhere"], "--listen"),
        (&["serve", "--log", "redis://x:1"], "--log"),
        (&["serve", "--views", "mysql://x"], "--views"),
        (&["serve", "--views", "postgres://u:p@h/d"], "MUSTER_VIEWS_FILE"),
        (&["graphql-gateway", "--log", "kafka://127.0.0.1:1"], "MUSTER_SERVICE_TOKEN"),
        (&["serve", "--dev=true", "--listen", "0.0.0.0:0"], "--dev"),
    ];
    for (arguments, named) in cases {
        let (code, said) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
}
