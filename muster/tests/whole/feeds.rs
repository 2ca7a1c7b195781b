//! The feeds over a real log: nothing missed and nothing twice, as a stream and as lines, over a kill, and for one group.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::deployment::Deployment;
use crate::feed_reader::FeedReader;
use crate::portal::{Portal, refused};

const PASSWORD: &str = "a quiet harbour at dawn";

async fn administrator(deployment: &Deployment) -> (Portal, String) {
    let (name, temporary) = &deployment.administrator;
    let administrator = deployment.portal.nobody().settle(name, temporary, PASSWORD).await;
    let viewer = administrator.ask("{ viewer { id } }", json!({})).await;
    (administrator, viewer["viewer"]["id"].as_str().unwrap().to_owned())
}

async fn group(administrator: &Portal, name: &str) -> String {
    let made = administrator.must("createGroup", json!({ "name": name }), "group { id }").await;
    made["group"]["id"].as_str().unwrap().to_owned()
}

async fn user(administrator: &Portal, name: &str, group: &str) -> String {
    let input = json!({ "username": name, "groupId": group });
    let made = administrator.must("createUser", input, "user { id }").await;
    made["user"]["id"].as_str().unwrap().to_owned()
}

/// What names an event.
fn key(event: &Value) -> (String, u64) {
    (event["subject"].as_str().unwrap().to_owned(), event["sequence"].as_str().unwrap().parse().unwrap())
}

fn position(event: &Value) -> &str {
    event["position"].as_str().unwrap()
}

/// Asserts that the events of each user are in order and without a gap.
fn check_order(events: &[Value]) {
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for event in events {
        let (subject, sequence) = key(event);
        let before = last.insert(subject, sequence).unwrap_or_default();
        assert_eq!(before + 1, sequence, "{event}");
    }
}

/// Live, resumed at some events, as a stream and as lines, and over a kill.
pub(crate) async fn exactly_once(mut deployment: Deployment) {
    let (admin, id) = administrator(&deployment).await;
    let north = group(&admin, "north").await;
    let outsider = user(&admin, "outsider", &north).await;
    let input = json!({ "userId": outsider, "name": "reader", "scopes": ["EVENTS"] });
    let no_right = admin.mutate("issueAuthToken", input, "secret").await;
    assert_eq!(refused(&no_right), ["not_permitted@scopes"]);
    let reader = FeedReader::of(&admin, &id).await;
    let mut live = reader.stream("/events/users", None).await;
    for number in 0..12 {
        user(&admin, &format!("user{number}"), &north).await;
    }
    // Registered, approved, and given a password.
    let events = live.events(36).await;
    let all = reader.lines("/events/users?after=start").await;
    check_order(&all);
    let keys: BTreeSet<_> = events.iter().map(key).collect();
    let news: BTreeSet<_> = all.iter().filter(|event| event["subject"] != id.as_str()).map(key).collect();
    let news: BTreeSet<_> = news.into_iter().filter(|(subject, _)| *subject != outsider).collect();
    assert_eq!((keys.len(), &keys), (36, &news), "each once");

    for seen in [0, 1, 17, 34, 35] {
        let at = position(&events[seen]);
        let rest: BTreeSet<_> =
            reader.lines(&format!("/events/users?after={at}")).await.iter().map(key).collect();
        let seen: BTreeSet<_> = events[..=seen].iter().map(key).collect();
        assert!(rest.is_disjoint(&seen), "after {at} nothing comes twice");
        assert_eq!(
            rest.union(&seen).cloned().collect::<BTreeSet<_>>(),
            keys,
            "after {at} nothing is missing"
        );
    }
    let groups = reader.lines("/events/groups?after=start").await;
    assert_eq!(groups.iter().map(|event| &event["type"]).collect::<Vec<_>>(), ["muster.group.created"]);
    let from = events.iter().map(|event| event["time"].as_str().unwrap()).min().unwrap();
    let since: BTreeSet<_> =
        reader.lines(&format!("/events/users?from={from}")).await.iter().map(key).collect();
    assert!(keys.is_subset(&since));

    let last = position(events.last().unwrap()).to_owned();
    deployment.kill();
    while live.frame().await.is_some() {}
    deployment.start().await;
    let reader = reader.at(&deployment);
    let mut resumed = reader.stream("/events/users", Some(&last)).await;
    let signed_in = deployment.portal.sign_in("administrator", PASSWORD).await;
    let admin = deployment.portal.with_session(signed_in["sessionToken"].as_str().unwrap());
    let late = user(&admin, "late", &north).await;
    let news = resumed.events(3).await;
    assert!(news.iter().all(|event| event["subject"] == late.as_str()), "{news:?}");

    let input = json!({ "userId": id, "authTokenId": reader.token });
    admin.must("revokeAuthToken", input, "").await;
    let revoked = Instant::now();
    while resumed.frame().await.is_some() {}
    assert!(revoked.elapsed() < Duration::from_secs(1), "{:?}", revoked.elapsed());
    deployment.stop();
}

/// An event is of a group if its user was in it just before or just after.
pub(crate) async fn of_a_group(mut deployment: Deployment) {
    let (admin, id) = administrator(&deployment).await;
    let (north, south) = (group(&admin, "north").await, group(&admin, "south").await);
    let reader = FeedReader::of(&admin, &id).await;
    let mut live = reader.stream(&format!("/events/users?group={south}"), None).await;
    let (mover, stayer) = (user(&admin, "mover", &north).await, user(&admin, "stayer", &south).await);
    let profile = |name: &str| json!({ "userId": mover, "firstName": name });
    admin.must("updateProfile", profile("In the north"), "").await;
    admin.must("changeGroup", json!({ "userId": mover, "groupId": south }), "").await;
    admin.must("updateProfile", profile("In the south"), "").await;
    admin.must("suspendUser", json!({ "userId": mover, "reason": "x" }), "").await;
    admin.must("changeGroup", json!({ "userId": mover, "groupId": north }), "").await;
    admin.must("updateProfile", profile("Back in the north"), "").await;
    admin.must("deleteUser", json!({ "userId": stayer }), "").await;
    let of = |events: &[Value], user: &str| {
        let of_user = events.iter().filter(|event| event["subject"] == user);
        of_user.map(|event| event["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let of_the_first = ["group_changed", "profile_updated", "suspended", "group_changed"];
    let of_the_first = of_the_first.map(|name| format!("muster.user.{name}"));
    let of_the_second = ["approved", "password_reset", "deleted"].map(|name| format!("muster.user.{name}"));
    let past = reader.lines(&format!("/events/users?after=start&group={south}")).await;
    let live = live.events(of_the_first.len() + of_the_second.len()).await;
    for events in [past, live] {
        assert_eq!(events.len(), of_the_first.len() + of_the_second.len(), "{events:?}");
        assert_eq!(
            (of(&events, &mover), of(&events, &stayer)),
            (of_the_first.to_vec(), of_the_second.to_vec())
        );
        // A reader who begins in the middle sees the same.
        let middle = position(&events[2]);
        let rest = reader.lines(&format!("/events/users?after={middle}&group={south}")).await;
        assert_eq!(rest.iter().map(key).collect::<BTreeSet<_>>(), events[3..].iter().map(key).collect());
    }
    deployment.stop();
}
