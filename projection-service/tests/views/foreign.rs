//! Views under another log than the one that they were filled from: they halt, and stay as they are.

use log_model::{Stream, StreamPartition};
use read_model::ReadModel;

use crate::picture;
use crate::rig::{Log, Running, deadline, project, until};
use crate::stage::{Stage, on_both};
use crate::story::Story;

on_both! {
    f06_a_log_that_grew_past_the_views_is_not_gone_on_with
    f06_a_log_that_ends_with_another_record_is_not_gone_on_with
    f06_a_log_that_goes_on_is_gone_on_with
}

const USERS: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);

/// A log in a directory of its own, with these users.
async fn with_users(directory: &std::path::Path, names: &[&str]) -> (Log, Story) {
    let (mut log, mut story) = (Log::open(directory).await, Story::new());
    for name in names {
        story.register(name);
    }
    log.write(&mut story).await;
    (log, story)
}

fn reason(views: &ReadModel) -> Option<String> {
    Some(views.progress().checkpoint(USERS)?.halted?.reason)
}

async fn f06_a_log_that_grew_past_the_views_is_not_gone_on_with(stage: Stage) {
    let (log, _) = with_users(stage.directory.path(), &["bob", "carl"]).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 100).await;
    let next = views.progress().checkpoint(USERS).unwrap().next;
    let expected = picture::of(&views).await;

    // An older log, which halts the views because it is shorter. Meanwhile it grows past them.
    let other = tempfile::tempdir().unwrap();
    let (mut older, mut story) = with_users(other.path(), &["bob"]).await;
    let running = Running::start(older.follow(), &views, 100);
    until(&views, || reason(&views).is_some()).await;
    for name in ["dora", "emil", "finn"] {
        story.register(name);
    }
    assert!(older.write(&mut story).await.covered(USERS).unwrap() > next);

    // A retry finds the same, in the running projection and in the next one.
    for _ in 0..2 {
        assert!(views.writer().resume(USERS).await.unwrap());
        until(&views, || reason(&views).is_some()).await;
        let said = reason(&views).unwrap();
        let expected =
            format!("the log has another record at offset {} than the views have seen there", next - 1);
        assert!(said.starts_with(&expected), "{said}");
    }
    running.stop().await;
    assert_eq!(picture::of(&views).await, expected);

    // The right log is gone on with.
    for place in StreamPartition::followed(1) {
        views.writer().resume(place).await.unwrap();
    }
    let running = Running::start(log.follow(), &views, 100);
    views.progress().wait(&log.end().await, deadline()).await.unwrap();
    until(&views, || running.status.ready().is_ok()).await;
    running.stop().await;
}

async fn f06_a_log_that_ends_with_another_record_is_not_gone_on_with(stage: Stage) {
    let (log, _) = with_users(stage.directory.path(), &["bob", "carl"]).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 100).await;
    // As long as the first, so that no record and no end shows the difference.
    let other = tempfile::tempdir().unwrap();
    let (same_length, _) = with_users(other.path(), &["bob", "dora"]).await;
    assert_eq!(same_length.end().await.covered(USERS), log.end().await.covered(USERS));
    let running = Running::start(same_length.follow(), &views, 100);
    until(&views, || reason(&views).is_some()).await;
    assert!(reason(&views).unwrap().contains("it is not the log that they were filled from"));
    running.stop().await;
}

async fn f06_a_log_that_goes_on_is_gone_on_with(stage: Stage) {
    let (mut log, mut story) = with_users(stage.directory.path(), &["bob"]).await;
    let views = stage.fresh().await;
    for name in ["carl", "dora"] {
        // A new projection each time: it begins at its checkpoints.
        project(log.follow(), &views, 1).await;
        story.register(name);
        log.write(&mut story).await;
    }
    project(log.follow(), &views, 100).await;
    assert!(views.user_by_name("dora").await.unwrap().is_some());
    assert!(
        StreamPartition::followed(1).all(|place| views
            .progress()
            .checkpoint(place)
            .unwrap()
            .halted
            .is_none())
    );
    let whole = stage.fresh().await;
    project(log.follow(), &whole, 100).await;
    assert_eq!(picture::of(&views).await, picture::of(&whole).await);
}
