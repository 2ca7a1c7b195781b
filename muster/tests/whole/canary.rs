//! A canary: passwords and secrets that were used are then searched for in everything that was written.

use std::path::Path;

use event_log::Read;
use log_model::StreamPartition;
use serde_json::json;
use sqlx::{Column, Connection, PgConnection, Row};

use crate::deployment::Deployment;

const CHOSEN: &str = "canary of the old lighthouse";
const WRONG: &str = "canary that was never right";

/// Uses secrets in every way, also wrongly, and finds them nowhere.
pub(crate) async fn found_nowhere(mut deployment: Deployment) {
    let (name, temporary) = deployment.administrator.clone();
    let administrator = deployment.portal.settle(&name, &temporary, CHOSEN).await;
    let group = administrator.must("createGroup", json!({ "name": "staff" }), "group { id }").await;
    let input = json!({ "username": "alice", "groupId": group["group"]["id"] });
    let created = administrator.must("createUser", input, "temporaryPassword user { id }").await;
    let prepared = created["temporaryPassword"].as_str().unwrap().to_owned();
    let alice = &created["user"]["id"];
    let input = json!({ "userId": alice, "name": "ci", "scopes": ["SFTP"] });
    let issued = administrator.must("issueAuthToken", input, "secret authToken { id }").await;
    let secret = issued["secret"].as_str().unwrap().to_owned();
    let token = issued["authToken"]["id"].as_str().unwrap();
    let session = administrator.sign_in(&name, CHOSEN).await["sessionToken"].as_str().unwrap().to_owned();

    let input = json!({ "name": "canary", "url": "https://receiver.invalid/" });
    let webhook = administrator.must("createWebhook", input, "secret").await;
    let webhook = webhook["secret"].as_str().unwrap().to_owned();

    administrator.sign_in("alice", WRONG).await;
    administrator.sign_in(WRONG, WRONG).await;
    administrator.verify("sftp", token, &secret).await;
    administrator.verify("sftp", token, WRONG).await;
    administrator.verify("sftp", "alice", &prepared).await;
    let weak = json!({ "currentPassword": CHOSEN, "newPassword": "short" });
    administrator.mutate("changePassword", weak, "").await;
    let broken = administrator.send(&format!("{{ {CHOSEN} }}"), json!({})).await;
    assert!(broken["errors"].is_array());

    let canaries = [CHOSEN, WRONG, &temporary, &prepared, &secret, &session, &webhook["whsec_".len()..]];
    in_log(&deployment, &canaries).await;
    if let Some(views) = deployment.views() {
        in_database(&views, &canaries).await;
    }
    deployment.stop();
    in_files(deployment.directory.path(), &canaries);
}

fn search(place: &str, content: &[u8], canaries: &[&str]) {
    for canary in canaries {
        let found = content.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "a secret stands in {place}");
    }
}

/// Logs of the processes, and the files of an embedded deployment.
fn in_files(directory: &Path, canaries: &[&str]) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            in_files(&path, canaries);
        } else {
            search(&path.display().to_string(), &std::fs::read(&path).unwrap(), canaries);
        }
    }
}

/// Every record of every stream, the credentials included.
async fn in_log(deployment: &Deployment, canaries: &[&str]) {
    let log = deployment.open_log().await;
    let mut open = StreamPartition::all(log.partitions()).count();
    let mut follow = log.follow(StreamPartition::all(log.partitions()).map(|place| (place, 0)).collect());
    let mut ended = std::collections::BTreeSet::new();
    let mut records = 0;
    while open > 0 {
        match follow.next().await.unwrap() {
            Read::Records(place, found) => {
                records += found.len();
                for recorded in found {
                    search(&place.to_string(), format!("{:?}", recorded.record.headers).as_bytes(), canaries);
                    search(&place.to_string(), &recorded.record.body.unwrap_or_default(), canaries);
                }
            }
            Read::End(place, _) => open -= usize::from(ended.insert(place)),
            Read::Unreachable(reason) => panic!("{reason}"),
        }
    }
    assert!(records > 10, "there was something to search in");
}

/// Every column of every table, as text.
async fn in_database(url: &str, canaries: &[&str]) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables = "select table_schema || '.' || table_name from information_schema.tables
        where table_schema in ('views', 'operational')";
    let tables: Vec<(String,)> = sqlx::query_as(tables).fetch_all(&mut connection).await.unwrap();
    assert!(tables.len() > 5, "there was something to search in");
    for (table,) in tables {
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(format!("select to_jsonb(t)::text as row from {table} t")));
        for row in rows.fetch_all(&mut connection).await.unwrap() {
            assert_eq!(row.columns()[0].name(), "row");
            search(&table, row.get::<String, _>(0).as_bytes(), canaries);
        }
    }
}
