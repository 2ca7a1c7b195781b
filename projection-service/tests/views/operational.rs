//! Operational state: sessions, failed sign-ins and the last use of tokens.

use std::time::Duration;

use domain::actor::Client;
use domain::credential::Scope;
use domain::id::TokenId;
use domain::timestamp::Timestamp;
use domain::user::Command as C;
use domain::user::UserStatus;
use domain::user::password::ResetPassword;
use domain::user::tokens::IssueAuthToken;
use read_model::sessions::Session;
use read_model::tokens::TokenUse;
use read_model::{ReadModel, ViewsAt};

use crate::rig::{Log, project};
use crate::stage::{Stage, Views, on_both};
use crate::story::{Story, id_of, scopes, temporary, token_secret};

on_both! {
    a_session_shows_its_user_and_the_present_password
    sessions_end_one_by_one_and_together
    failures_are_counted_and_forgotten
    the_last_use_of_a_token_is_written_once_a_minute
    many_who_open_empty_views_at_once_all_can
    operational_state_outlives_the_views
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn session(number: u8) -> Session {
    Session {
        token_hash: [number; 32],
        user_id: id_of("bob"),
        credential_version: 3,
        must_change: true,
        created_at: at(1),
        last_seen_at: at(1),
        expires_at: at(1_000),
        client: Client { address: Some("192.0.2.7".to_owned()), agent: None },
    }
}

async fn bob(stage: &Stage) -> (Log, Story, Views) {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = Story::new();
    story.new_group("acme");
    story.register("bob");
    story.approve("bob", "acme");
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 100).await;
    (log, story, views)
}

async fn a_session_shows_its_user_and_the_present_password(stage: Stage) {
    let (mut log, mut story, views) = bob(&stage).await;
    views.create_session(&session(1)).await.unwrap();
    let signed_in = views.session(&[1; 32]).await.unwrap().unwrap();
    assert_eq!(signed_in.session, session(1));
    assert_eq!(signed_in.password_version, Some(3));
    assert_eq!((signed_in.holder.username.as_str(), signed_in.holder.state), ("bob", UserStatus::Active));
    assert!(views.session(&[2; 32]).await.unwrap().is_none());

    story.user("bob", &C::ResetPassword(ResetPassword::default()), temporary());
    log.write(&mut story).await;
    project(log.follow(), &views, 100).await;
    let signed_in = views.session(&[1; 32]).await.unwrap().unwrap();
    assert_eq!(signed_in.password_version, Some(4), "the session has another one and is over");
    views.upgrade_session(&[1; 32], 4).await.unwrap();
    let signed_in = views.session(&[1; 32]).await.unwrap().unwrap();
    assert_eq!((signed_in.session.credential_version, signed_in.session.must_change), (4, false));
}

async fn sessions_end_one_by_one_and_together(stage: Stage) {
    let (_log, _, views) = bob(&stage).await;
    for number in 1..=4 {
        views.create_session(&session(number)).await.unwrap();
    }
    assert!(views.end_session(&[1; 32]).await.unwrap());
    assert!(!views.end_session(&[1; 32]).await.unwrap());
    assert_eq!(views.end_other_sessions(id_of("bob"), &[2; 32]).await.unwrap(), 2);
    views.touch_session(&[2; 32], at(60)).await.unwrap();
    views.touch_session(&[2; 32], at(50)).await.unwrap();
    let seen = views.session(&[2; 32]).await.unwrap().unwrap().session.last_seen_at;
    assert_eq!(seen, at(60), "a late touch does not set it back");
    assert_eq!(views.forget_sessions(at(1_000)).await.unwrap(), 0);
    assert_eq!(views.forget_sessions(at(1_001)).await.unwrap(), 1);
}

async fn failures_are_counted_and_forgotten(stage: Stage) {
    let views = stage.fresh().await;
    let delay = |failures: u32| Duration::from_secs(u64::from(failures));
    assert_eq!(views.throttle("bob").await.unwrap(), None);
    let failed = (0..20).map(|_| {
        let views = views.clone();
        tokio::spawn(async move { views.sign_in_failed("bob", at(10), delay).await.unwrap().failures })
    });
    let mut counted = Vec::new();
    for failure in failed.collect::<Vec<_>>() {
        counted.push(failure.await.unwrap());
    }
    counted.sort_unstable();
    assert_eq!(counted, (1..=20).collect::<Vec<_>>(), "each is counted once");
    let throttle = views.throttle("bob").await.unwrap().unwrap();
    assert_eq!((throttle.failures, throttle.next_allowed_at), (20, at(30)));
    views.sign_in_succeeded("bob").await.unwrap();
    assert_eq!(views.throttle("bob").await.unwrap(), None);
}

async fn the_last_use_of_a_token_is_written_once_a_minute(stage: Stage) {
    let (mut log, mut story, views) = bob(&stage).await;
    let issue = IssueAuthToken {
        name: "laptop".into(),
        scopes: scopes(),
        expires_at: None,
        allowed_networks: Vec::new(),
    };
    story.user("bob", &C::IssueAuthToken(issue), token_secret());
    let id = TokenId::issued_at(id_of("bob"), story.version("bob"));
    log.write(&mut story).await;
    project(log.follow(), &views, 100).await;
    assert_eq!(views.token(id).await.unwrap().unwrap().last_use, None);
    let used = |seconds, address: &str| TokenUse {
        at: at(seconds),
        address: Some(address.to_owned()),
        service: Some(Scope::Sftp),
    };
    for (seconds, address) in [(100, "192.0.2.1"), (159, "192.0.2.2"), (160, "192.0.2.3")] {
        views.token_used(id, &used(seconds, address)).await.unwrap();
    }
    assert_eq!(views.token(id).await.unwrap().unwrap().last_use, Some(used(160, "192.0.2.3")));
}

async fn many_who_open_empty_views_at_once_all_can(stage: Stage) {
    stage.fresh().await.close().await;
    if let ViewsAt::Postgres { .. } = stage.at() {
        stage.tamper("DROP SCHEMA views CASCADE; DROP SCHEMA operational CASCADE").await;
    }
    let opening: Vec<_> = (0..8)
        .map(|_| {
            let at = stage.at();
            tokio::spawn(async move { ReadModel::open(&at).await.unwrap().reachable().await.unwrap() })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap();
    }
}

async fn operational_state_outlives_the_views(stage: Stage) {
    let (log, _, views) = bob(&stage).await;
    views.create_session(&session(1)).await.unwrap();
    views.close().await;
    match stage.at() {
        ViewsAt::Sqlite { directory } => std::fs::remove_file(directory.join("views.db")).unwrap(),
        ViewsAt::Postgres { .. } => stage.tamper("DROP SCHEMA views CASCADE").await,
    }
    let views = stage.views().await;
    assert!(views.session(&[1; 32]).await.unwrap().is_none(), "its user is not in the views yet");
    project(log.follow(), &views, 100).await;
    assert!(views.session(&[1; 32]).await.unwrap().is_some());
}
