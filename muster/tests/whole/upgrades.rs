//! Opens the data of earlier versions and compares the answers of this version with theirs.
//!
//! `muster/tests/fixtures` has a folder for each of these versions. The README.md in it says how it was made.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::timestamp::Timestamp;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::deployment::Deployment;
use crate::portal::Portal;
use crate::replay::Topics;

/// Rows asked for at a time.
const PAGE: u32 = 10;
/// A little less than the time for which access records are kept.
const ACCESS_KEPT: time::Duration = time::Duration::days(399);

#[tokio::test(flavor = "multi_thread")]
async fn the_data_of_every_version_opens_as_it_is() {
    for version in versions() {
        let deployment = Deployment::embedded_in(unpacked(&version)).await;
        answers_alike(&deployment, &version, "embedded").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_every_version_is_enough() {
    for version in versions() {
        let directory = unpacked(&version);
        let data = directory.path().join("data");
        for file in ["views.db", "views.db-wal", "views.db-shm", "snapshot"].map(|name| data.join(name)) {
            // A clean end may leave a journal behind, or none.
            if file.exists() {
                fs::remove_file(file).unwrap();
            }
        }
        let deployment = Deployment::embedded_in(directory).await;
        answers_alike(&deployment, &version, "embedded").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topics_of_every_version_are_read() {
    for version in versions() {
        let topics = Topics::read(&version.join("kafka"));
        let partitions = topics.partitions("user-events");
        let fill = move |brokers: &str, prefix: &str| topics.write(brokers, prefix);
        let Some(deployment) = Deployment::distributed_on(partitions, fill).await else { return };
        answers_alike(&deployment, &version, "kafka").await;
    }
}

/// The folders with data: one of each version.
pub(crate) fn versions() -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let found = fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path());
    let mut versions: Vec<_> = found.filter(|path| path.join("embedded").is_dir()).collect();
    versions.sort();
    assert!(!versions.is_empty(), "there is nothing to open");
    versions
}

/// The directory of an embedded deployment of a version, to be changed.
pub(crate) fn unpacked(version: &Path) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let archive = File::open(version.join("embedded/data.tar.gz")).unwrap();
    let unpack = Command::new("tar").args(["-xzf", "-", "-C"]).arg(directory.path()).stdin(archive).status();
    assert!(unpack.unwrap().success());
    directory
}

async fn answers_alike(deployment: &Deployment, version: &Path, kind: &str) {
    let told = version.join(kind);
    let checks = read(&told.join("checks.json"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (name, password) =
        (text(&checks["administrator"]["username"]), text(&checks["administrator"]["password"]));
    let signed_in = deployment.portal.sign_in(&name, &password).await;
    assert_eq!(signed_in["userErrors"], json!([]), "{signed_in}");
    let administrator = deployment.portal.with_session(signed_in["sessionToken"].as_str().unwrap());

    // First, because the checks leave traces in the views.
    for entry in fs::read_dir(version.join("queries")).unwrap() {
        let query = entry.unwrap().path();
        let mut rows = rows(&administrator, &fs::read_to_string(&query).unwrap(), &checks["until"]).await;
        let name = query.file_stem().unwrap().to_str().unwrap();
        let mut expected: Vec<Value> =
            serde_json::from_value(read(&told.join(format!("{name}.json")))).unwrap();
        rows.retain(is_kept);
        expected.retain(is_kept);
        rows.iter_mut().chain(&mut expected).for_each(with_whole_instants);
        for (row, expected) in rows.iter().zip(&expected) {
            assert_eq!(row, expected, "{}: a row of {name}", told.display());
        }
        assert_eq!(rows.len(), expected.len(), "{}: rows of {name}", told.display());
    }
    for check in checks["checks"].as_array().unwrap() {
        answers(&administrator, check).await;
    }

    let verified = deployment.run(&["log", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
    let status = deployment.run(&["projection", "status"]);
    assert!(status.status.success(), "{status:?}");
}

pub(crate) fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The rows of the one list that a query asks for, of all its pages.
async fn rows(portal: &Portal, query: &str, until: &Value) -> Vec<Value> {
    let (mut rows, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = portal.ask(query, json!({ "first": PAGE, "after": after, "until": until })).await;
        let list = data.as_object().unwrap().values().next().unwrap();
        rows.extend(list["nodes"].as_array().unwrap().iter().cloned());
        if list["pageInfo"]["hasNextPage"] == false {
            return rows;
        }
        after = list["pageInfo"]["endCursor"].clone();
    }
}

/// Writes every instant with six digits of a second: 0.1.0 left zeros at the end away.
fn with_whole_instants(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(with_whole_instants),
        Value::Object(fields) => fields.values_mut().for_each(with_whole_instants),
        Value::String(text) => {
            let instant = Timestamp::parse(text).ok().filter(|_| text.ends_with('Z'));
            if let Some(instant) = instant {
                *text = instant.to_string();
            }
        }
        _ => {}
    }
}

/// Whether the log still has what a row was made from. Access records go after 400 days; everything else stays.
fn is_kept(row: &Value) -> bool {
    let Some(action) = row["action"].as_str() else { return true };
    let is_event =
        ["user", "group", "deployment"].iter().any(|of| action.starts_with(&format!("muster.{of}.")));
    let time = OffsetDateTime::parse(row["time"].as_str().unwrap(), &Rfc3339).unwrap();
    is_event || OffsetDateTime::now_utc() - time < ACCESS_KEPT
}

/// Makes one check and compares: an access check, the config of an agent, or a mutation.
async fn answers(administrator: &Portal, check: &Value) {
    let text = |name: &str| check[name].as_str().unwrap_or_default();
    if check["access"].is_string() {
        let before = OffsetDateTime::parse(text("before"), &Rfc3339);
        if before.is_ok_and(|before| before < OffsetDateTime::now_utc()) {
            return;
        }
        let status = administrator.verify(text("access"), text("user"), text("password")).await;
        assert_eq!(status, check["status"], "{check}");
    } else if check["agent"] == true {
        let (status, _, config) = administrator.agent_config(text("user"), text("password"), None).await;
        assert_eq!(status, 200, "{check}");
        assert!(includes(&config, &check["answer"]), "{config} instead of {}", check["answer"]);
    } else {
        let data = administrator.ask(text("query"), check["variables"].clone()).await;
        assert_eq!(data, check["answer"], "{check}");
    }
}

/// Whether everything expected is there; objects may have got more fields.
fn includes(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => expected
            .iter()
            .all(|(name, expected)| found.get(name).is_some_and(|found| includes(found, expected))),
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, expected)| includes(found, expected))
        }
        _ => found == expected,
    }
}
