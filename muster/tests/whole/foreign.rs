//! Views under another log than their own, which has grown past them: they halt, and no retry mixes the two.

use log_model::{Stream, StreamPartition, partition};
use serde_json::json;

use domain::id::UserId;
use domain::names::Username;

use crate::deployment::{Deployment, eventually};

const PASSWORD: &str = "a quiet harbour at dawn";
const LOGS: [&str; 3] = ["log.db", "log.db-wal", "log.db-shm"];

/// An older log, or another one, is put under the views. It halts them, grows past them, and halts them again.
pub(crate) async fn halts_again(mut deployment: Deployment) {
    let (name, temporary) = deployment.administrator.clone();
    let users = UserId::of(&Username::parse(&name).unwrap());
    deployment.portal.settle(&name, &temporary, PASSWORD).await;
    deployment.stop();
    let log = deployment.open_log().await;
    let place = StreamPartition::new(Stream::UserEvents, partition::of(users.uuid(), log.partitions()));
    drop(log);
    let data = deployment.directory.path().join("data");
    let backup = deployment.directory.path().join("backup");
    if deployment.views().is_none() {
        copy(&data, &backup);
    }
    deployment.start().await;
    let signed_in = deployment.portal.sign_in(&name, PASSWORD).await;
    let administrator = deployment.portal.with_session(signed_in["sessionToken"].as_str().unwrap());
    for (current, new) in [(PASSWORD, "a quiet harbour at noon"), ("a quiet harbour at noon", PASSWORD)] {
        let input = json!({ "currentPassword": current, "newPassword": new });
        administrator.must("changePassword", input, "").await;
    }
    deployment.stop();

    if deployment.views().is_none() {
        copy(&backup, &data);
    } else {
        let other = format!("{}other.", deployment.setting("MUSTER_TOPIC_PREFIX").unwrap());
        deployment.set("MUSTER_TOPIC_PREFIX", other);
        for command in [&["topics"][..], &["init", "--username", &name]] {
            let done = deployment.run(command);
            assert!(done.status.success(), "{done:?}");
        }
    }
    halts(&mut deployment, place, "the log ends at").await;
    let next = next(&deployment, place);
    loop {
        let log = deployment.open_log().await;
        let ends = log.ends().await.unwrap();
        drop(log);
        if ends.iter().any(|(of, end)| *of == place && *end > next + 2) {
            break;
        }
        let done = deployment.run(&["init", "--recover", &name]);
        assert!(done.status.success(), "{done:?}");
    }
    let retried = deployment.run(&["projection", "retry"]);
    assert!(retried.status.success(), "{retried:?}");
    halts(&mut deployment, place, "the log has another record at offset").await;
    let verified = deployment.run(&["log", "verify"]);
    let said = String::from_utf8(verified.stdout).unwrap();
    assert_eq!(verified.status.code(), Some(1), "{said}");
    assert!(said.contains("the views have seen another record there"), "{said}");
}

/// Starts everything, waits until the place is halted for this reason, and stops.
async fn halts(deployment: &mut Deployment, place: StreamPartition, reason: &str) {
    deployment.start_halted().await;
    let is_halted = async || line(deployment, place).contains(reason);
    eventually("the place is halted", is_halted).await;
    deployment.stop();
}

/// What `muster projection status` says of a place.
fn line(deployment: &Deployment, place: StreamPartition) -> String {
    let said = String::from_utf8(deployment.run(&["projection", "status"]).stdout).unwrap();
    let line = said.lines().find(|line| line.starts_with(&format!("{place}:")));
    line.unwrap_or_default().to_owned()
}

fn next(deployment: &Deployment, place: StreamPartition) -> u64 {
    let line = line(deployment, place);
    let next = line.split("next offset ").nth(1).unwrap().split(',').next().unwrap();
    next.parse().unwrap()
}

/// The files of the log, instead of those that are there.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for name in LOGS {
        if to.join(name).exists() {
            std::fs::remove_file(to.join(name)).unwrap();
        }
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}
