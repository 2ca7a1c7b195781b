//! A record that can't be applied halts its stream partition, visibly, and nothing else.

use std::time::Duration;

use domain::access::SignedIn;
use domain::timestamp::Timestamp;
use log_model::{Position, Stream, StreamPartition};
use read_model::audit_page::AuditFilter;
use read_model::progress::{Health, NotYetVisible};
use read_model::{ReadModel, Window};
use tokio::time::Instant;

use crate::picture;
use crate::rig::{Log, Running, deadline, project, until};
use crate::stage::{Stage, Views, on_both};
use crate::story::{Story, admin, id_of};

on_both! {
    f09_views_of_an_older_format_are_filled_anew
    views_of_a_newer_format_are_refused_by_their_number
    a_record_that_cannot_be_read_halts_its_place_alone
    a_gap_in_what_happened_to_a_user_halts_the_place
    data_that_the_database_refuses_halts_the_place_at_the_record
    a_place_goes_on_when_the_halt_is_taken_back
    views_that_are_ahead_of_their_log_halt
    a_wait_ends_when_the_views_pass_the_position
    a_place_is_confirmed_while_the_projection_stands_at_its_end
}

const USERS: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);

async fn play(stage: &Stage) -> (Log, Story, Views) {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = Story::new();
    story.register("bob");
    log.write(&mut story).await;
    (log, story, stage.fresh().await)
}

fn is_halted(views: &ReadModel) -> bool {
    views.progress().checkpoint(USERS).is_some_and(|seen| seen.halted.is_some())
}

async fn a_record_that_cannot_be_read_halts_its_place_alone(stage: Stage) {
    let (mut log, mut story, views) = play(&stage).await;
    let running = Running::start(log.follow(), &views, 100);
    story.register("carl");
    let unreadable = story.unknown_event("bob");
    story.events.push(unreadable);
    story.register("dora");
    let position = log.write(&mut story).await;
    until(&views, || is_halted(&views)).await;

    let seen = views.progress().checkpoint(USERS).unwrap();
    let halt = seen.halted.clone().unwrap();
    assert_eq!(halt.offset, position.covered(USERS).unwrap() - 1);
    assert_eq!(seen.next, halt.offset, "what lies before it is applied");
    assert!(halt.reason.contains("muster.user.teleported"), "{}", halt.reason);
    assert!(views.user_by_name("carl").await.unwrap().is_some());
    assert!(views.user_by_name("dora").await.unwrap().is_none());
    assert!(running.status.ready().unwrap_err().contains("user-events-0 is halted at offset"));
    let now = Timestamp::from_micros(halt.at.micros());
    assert_eq!(views.progress().health(USERS, now, Duration::from_secs(5)), Health::Halted);

    // Other stream partitions go on.
    story.note(&id_of("bob").to_string(), &admin(), SignedIn { service: "portal".into() });
    story.new_group("acme");
    let position = log.write(&mut story).await;
    views.progress().wait(&position, deadline()).await.unwrap();
    let end = log.end().await;
    let access = StreamPartition::new(Stream::Access, 0);
    let noted = Position::at(access, end.covered(access).unwrap());
    views.progress().wait(&noted, deadline()).await.unwrap();
    let audit = views.audit_page(&AuditFilter::default(), &Window::first(1, None)).await.unwrap();
    assert_eq!(audit.edges[0].row.action, "muster.group.created");
    running.stop().await;
}

async fn a_gap_in_what_happened_to_a_user_halts_the_place(stage: Stage) {
    let (mut log, mut story, views) = play(&stage).await;
    let running = Running::start(log.follow(), &views, 100);
    story.new_group("acme");
    story.approve("bob", "acme");
    let approved = |(_, record): &(Stream, event_log::Record)| {
        record.wire_name().is_ok_and(|name| name == "muster.user.approved")
    };
    story.events.retain(|event| !approved(event));
    log.write(&mut story).await;
    until(&views, || is_halted(&views)).await;
    let halt = views.progress().checkpoint(USERS).unwrap().halted.unwrap();
    assert!(halt.reason.ends_with("follows event 1"), "{}", halt.reason);
    running.stop().await;
}

async fn data_that_the_database_refuses_halts_the_place_at_the_record(stage: Stage) {
    let (mut log, mut story, views) = play(&stage).await;
    // The rules never let two users have one name. The views refuse it too.
    story.register("carl");
    let (_, record) = story.events.last_mut().unwrap();
    let body = String::from_utf8(record.body.take().unwrap()).unwrap();
    record.body = Some(body.replace("\"username\":\"carl\"", "\"username\":\"bob\"").into_bytes());
    story.register("dora");
    let position = log.write(&mut story).await;
    let running = Running::start(log.follow(), &views, 100);
    until(&views, || is_halted(&views)).await;
    let seen = views.progress().checkpoint(USERS).unwrap();
    assert_eq!(seen.halted.unwrap().offset, position.covered(USERS).unwrap() - 1);
    assert!(views.user_by_name("bob").await.unwrap().is_some());
    assert!(views.user_by_name("dora").await.unwrap().is_none());
    running.stop().await;
}

async fn a_place_goes_on_when_the_halt_is_taken_back(stage: Stage) {
    let (mut log, mut story, views) = play(&stage).await;
    // A row is damaged, and repaired later.
    let running = Running::start(log.follow(), &views, 100);
    views.progress().wait(&log.end().await, deadline()).await.unwrap();
    stage.tamper("UPDATE users SET version = 0").await;
    story.new_group("acme");
    story.approve("bob", "acme");
    let position = log.write(&mut story).await;
    until(&views, || is_halted(&views)).await;

    // Another process takes the halt back. On SQLite this one is not notified and has to look.
    stage.tamper("UPDATE users SET version = 1").await;
    let other = stage.views().await;
    assert!(other.writer().resume(USERS).await.unwrap());
    assert!(!other.writer().resume(USERS).await.unwrap(), "it is not halted any more");
    views.progress().wait(&position, deadline()).await.unwrap();
    let bob = views.user_by_name("bob").await.unwrap().unwrap();
    assert_eq!(bob.group.unwrap().name, "acme");
    running.stop().await;
}

async fn views_that_are_ahead_of_their_log_halt(stage: Stage) {
    let (mut log, mut story, views) = play(&stage).await;
    story.register("carl");
    log.write(&mut story).await;
    project(log.follow(), &views, 100).await;
    let next = views.progress().checkpoint(USERS).unwrap().next;

    let older = tempfile::tempdir().unwrap();
    let log = Log::open(older.path()).await;
    let running = Running::start(log.follow(), &views, 100);
    until(&views, || is_halted(&views)).await;
    let halt = views.progress().checkpoint(USERS).unwrap().halted.unwrap();
    assert_eq!(halt.offset, next);
    assert!(halt.reason.contains("it is not the log that they were filled from"), "{}", halt.reason);
    // A retry finds the same.
    assert!(views.writer().resume(USERS).await.unwrap());
    until(&views, || is_halted(&views)).await;
    running.stop().await;
}

async fn a_wait_ends_when_the_views_pass_the_position(stage: Stage) {
    let (mut log, mut story, views) = play(&stage).await;
    let elsewhere = stage.views().await;
    let nobody = Position::at(USERS, 1_000_000);
    assert_eq!(views.progress().wait(&nobody, Instant::now()).await, Err(NotYetVisible));
    let running = Running::start(log.follow(), &views, 100);
    for name in ["carl", "dora", "emil"] {
        story.register(name);
        let position = log.write(&mut story).await;
        views.progress().wait(&position, deadline()).await.unwrap();
        assert!(views.user_by_name(name).await.unwrap().is_some());
        if matches!(stage.at(), read_model::ViewsAt::Postgres { .. }) {
            elsewhere.progress().wait(&position, deadline()).await.unwrap();
        }
    }
    running.stop().await;
}

async fn a_place_is_confirmed_while_the_projection_stands_at_its_end(stage: Stage) {
    let (log, _, views) = play(&stage).await;
    let running = Running::start(log.follow(), &views, 100);
    let places: Vec<_> = StreamPartition::followed(1).collect();
    let health = |place| {
        let now = time::OffsetDateTime::now_utc().into();
        views.progress().health(place, now, Duration::from_secs(5))
    };
    until(&views, || places.iter().all(|place| health(*place) == Health::Confirmed)).await;
    until(&views, || running.status.ready().is_ok()).await;
    assert!(running.status.places().iter().all(|place| place.has_met_end));
    let first = views.progress().checkpoint(USERS).unwrap().confirmed_at;
    until(&views, || views.progress().checkpoint(USERS).unwrap().confirmed_at > first).await;
    running.stop().await;
}

/// Cuts every connection: those that apply, those that read and those that listen.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_away_is_gone_on_with() {
    crate::stage::on_postgres(|stage| async move {
        let (mut log, mut story, views) = play(&stage).await;
        let elsewhere = stage.views().await;
        let running = Running::start(log.follow(), &views, 100);
        for name in ["carl", "dora", "emil"] {
            stage
                .tamper(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()",
                )
                .await;
            story.register(name);
            let position = log.write(&mut story).await;
            views.progress().wait(&position, deadline()).await.unwrap();
            elsewhere.progress().wait(&position, deadline()).await.unwrap();
            until(&views, || running.status.ready().is_ok()).await;
        }
        running.stop().await;
    })
    .await;
}

async fn f09_views_of_an_older_format_are_filled_anew(stage: Stage) {
    let (log, _, views) = play(&stage).await;
    project(log.follow(), &views, 100).await;
    let expected = picture::of(&views).await;
    drop(views);
    stage.tamper("ALTER TABLE users DROP COLUMN phone").await;
    stage.tamper("UPDATE formats SET format = 1").await;
    let refused = ReadModel::open(&stage.at()).await.map(drop).unwrap_err();
    assert!(
        matches!(refused, read_model::Error::OlderViews { found: 1, .. }),
        "a reader leaves them: {refused}"
    );
    let views = stage.views().await;
    assert!(views.user_by_name("bob").await.unwrap().is_none(), "they are empty at first");
    project(log.follow(), &views, 100).await;
    assert_eq!(picture::of(&views).await, expected);
}

async fn views_of_a_newer_format_are_refused_by_their_number(stage: Stage) {
    drop(stage.fresh().await);
    stage.tamper("UPDATE formats SET format = 1000").await;
    let newer = read_model::ReadModel::open(&stage.at()).await.map(drop).unwrap_err();
    assert!(matches!(newer, read_model::Error::Newer { found: 1000, .. }), "{newer}");
}
