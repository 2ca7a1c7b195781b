//! The log kept outside: replays, exports, checkpoints, and what they find.

use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::feed_reader::FeedReader;
use crate::portal::Portal;

const PASSWORD: &str = "a quiet harbour at dawn";

/// Gives a deployment its keys. Embedded it makes them itself.
pub(crate) fn with_keys(deployment: &mut Deployment) {
    if deployment.views().is_some() {
        let file = path(deployment, "secret.key");
        let made = deployment.run(&["keys", "rotate", "--secret-key", &file]);
        assert!(made.status.success(), "{made:?}");
        deployment.set("MUSTER_SECRET_KEY_FILE", file);
    }
}

fn path(deployment: &Deployment, name: &str) -> String {
    deployment.directory.path().join(name).to_str().unwrap().to_owned()
}

/// What a command prints. It succeeds.
fn printed(deployment: &Deployment, command: &[&str]) -> String {
    let done = deployment.run(command);
    assert!(done.status.success(), "{command:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// What a verification prints that finds something.
fn found(deployment: &Deployment, command: &[&str]) -> String {
    let done = deployment.run(command);
    assert_eq!(done.status.code(), Some(1), "{command:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

fn events(deployment: &Deployment, options: &[&str]) -> Vec<Value> {
    let lines = printed(deployment, &[&["log", "replay"], options].concat());
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An administrator, who reads the feeds too, and a group with the users `user0` to `user4`.
struct Scene {
    administrator: Portal,
    group: Value,
    reader: FeedReader,
}

impl Scene {
    async fn of(deployment: &Deployment) -> Self {
        let (name, temporary) = &deployment.administrator;
        let administrator = deployment.portal.settle(name, temporary, PASSWORD).await;
        let viewer = administrator.ask("{ viewer { id } }", json!({})).await;
        let made = administrator.must("createGroup", json!({ "name": "north" }), "group { id }").await;
        let group = made["group"]["id"].clone();
        let reader = FeedReader::of(&administrator, viewer["viewer"]["id"].as_str().unwrap()).await;
        for number in 0..5 {
            user(&administrator, &format!("user{number}"), &group).await;
        }
        Self { administrator, group, reader }
    }
}

async fn user(administrator: &Portal, name: &str, group: &Value) {
    let input = json!({ "username": name, "groupId": group });
    administrator.must("createUser", input, "user { id }").await;
}

/// Events in an order that does not depend on how partitions take turns.
fn sorted(mut events: Vec<Value>) -> Vec<Value> {
    for event in &mut events {
        event.as_object_mut().unwrap().remove("position");
    }
    events.sort_by_key(|event| (event["partition"].as_u64(), event["offset"].as_u64()));
    events
}

/// Checkpoints are signed, exports go on, and both show a log that is not the same any more.
pub(crate) async fn kept_outside(deployment: Deployment) {
    let Scene { administrator, group, reader } = Scene::of(&deployment).await;

    let note = reader.get("/events/checkpoint", "*/*", None).await.text().await.unwrap();
    assert_eq!(note, printed(&deployment, &["log", "checkpoint"]));
    let (early, export) = (path(&deployment, "early.note"), path(&deployment, "log.zst"));
    std::fs::write(&early, &note).unwrap();
    printed(&deployment, &["log", "export", &export]);
    std::fs::copy(&export, path(&deployment, "early.zst")).unwrap();
    user(&administrator, "late", &group).await;
    let late = path(&deployment, "late.note");
    std::fs::write(&late, printed(&deployment, &["log", "checkpoint"])).unwrap();
    assert!(printed(&deployment, &["log", "export", &export]).contains("records added"));

    for checkpoint in [&early, &late] {
        let said = printed(&deployment, &["log", "verify", "--checkpoint", checkpoint]);
        assert!(said.contains("the chain is whole"), "{said}");
        printed(&deployment, &["log", "verify", &export, "--checkpoint", checkpoint]);
    }
    let cut = found(&deployment, &["log", "verify", &path(&deployment, "early.zst"), "--checkpoint", &late]);
    assert!(cut.contains("but the checkpoint has seen it up to"), "{cut}");
    let other = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    let other = found(&deployment, &["log", "verify", "--checkpoint", &early, "--public-key", other]);
    assert!(other.contains("it is not signed with the key that was given but with muster+"), "{other}");
    let changed = note.replacen("\ngroup-events-0 ", "\ngroup-events-0 1", 1);
    std::fs::write(&early, changed).unwrap();
    let changed = found(&deployment, &["log", "verify", "--checkpoint", &early]);
    assert!(changed.contains("its signature does not fit"), "{changed}");
    let denied = deployment.portal.nobody();
    assert_eq!(reqwest::get(format!("{}/events/checkpoint", denied.base)).await.unwrap().status(), 401);
}

/// A replay is the feed, from any point to any point.
pub(crate) async fn replayed(deployment: Deployment) {
    let Scene { reader, .. } = Scene::of(&deployment).await;
    let all = events(&deployment, &[]);
    assert_eq!(sorted(all.clone()), sorted(reader.lines("/events/users?after=start").await));
    let groups = events(&deployment, &["--feed", "groups"]);
    assert_eq!(sorted(groups), sorted(reader.lines("/events/groups?after=start").await));

    let at = all[6]["position"].as_str().unwrap();
    let rest = events(&deployment, &["--after", at]);
    assert_eq!(sorted(rest.clone()), sorted(reader.lines(&format!("/events/users?after={at}")).await));
    assert_eq!(rest.len() + 7, all.len());
    let of_user: Vec<_> = events(&deployment, &["--user", "user3"]);
    assert_eq!(of_user.len(), 3);
    let approved = events(&deployment, &["--group", "north", "--type", "muster.user.approved"]);
    assert_eq!(approved.len(), 5);

    let time = of_user[0]["time"].as_str().unwrap();
    let (before, after) = (events(&deployment, &["--to", time]), events(&deployment, &["--from", time]));
    assert_eq!(before.len() + after.len(), all.len());
    assert!(before.iter().all(|event| event["time"].as_str().unwrap() < time));
    assert!(after.iter().all(|event| event["time"].as_str().unwrap() >= time));
    let text = printed(&deployment, &["log", "replay", "--user", "user3", "--format", "text"]);
    assert!(text.starts_with(&format!("{time} muster.user.")), "{text}");
    let unknown = deployment.run(&["log", "replay", "--type", "muster.user.aproved"]);
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert!(unknown.status.code() == Some(2) && said.contains("muster.user.aproved"), "{said}");
}
