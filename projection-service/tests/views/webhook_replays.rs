//! Webhooks that begin anew before they have read everything, and those that leave much behind.

use log_model::Position;
use read_model::ReadModel;
use read_model::webhook_cursors::WebhookCheckpoint;
use read_model::webhooks::WebhookRow;

use crate::stage::{Stage, on_both};
use crate::webhooks::{PLACE, at, begun, bodies, due, read, settle};

on_both! {
    a_replay_passes_over_nothing_that_was_not_read
    a_replay_from_an_instant_passes_over_old_events_only_where_they_were_read
    what_a_deleted_webhook_leaves_is_deleted_in_parts
    many_users_have_their_first_events_wait
}

/// The webhook begins anew, as its next version says. Returns its one checkpoint.
async fn replayed(views: &ReadModel, webhook: &mut WebhookRow, begin: WebhookRow) -> WebhookCheckpoint {
    let version = webhook.version + 1;
    *webhook = WebhookRow { version, begin_version: version, ..begin };
    assert!(views.begin_webhook(webhook, "a", &[PLACE], at(100)).await.unwrap());
    views.webhook_checkpoints(webhook.id).await.unwrap().remove(0)
}

async fn a_replay_passes_over_nothing_that_was_not_read(stage: Stage) {
    let views = stage.fresh().await;
    let mut webhook = begun(&views).await;
    assert!(read(&views, "a", 0, &["alice", "bob", "alice"]).await);
    let ahead = WebhookRow { begin_after: Position::at(PLACE, 9_000), ..webhook.clone() };
    let checkpoint = replayed(&views, &mut webhook, ahead).await;
    assert_eq!((checkpoint.next, checkpoint.not_before), (3, None), "it stays where it was");
    assert_eq!(due(&views, 100).await, bodies(&[0, 1]), "and owes what it owed");
    let behind = WebhookRow { begin_after: Position::at(PLACE, 0), ..webhook.clone() };
    assert_eq!(replayed(&views, &mut webhook, behind).await.next, 1);
    assert_eq!(due(&views, 100).await, bodies(&[0]), "the rest is read again");
}

async fn a_replay_from_an_instant_passes_over_old_events_only_where_they_were_read(stage: Stage) {
    let views = stage.fresh().await;
    let mut webhook = begun(&views).await;
    assert!(read(&views, "a", 0, &["alice", "bob", "alice"]).await);
    let since = |second| Some(at(second));
    let from = WebhookRow { begin_from: since(70), ..webhook.clone() };
    let checkpoint = replayed(&views, &mut webhook, from).await;
    assert_eq!((checkpoint.next, checkpoint.not_before, checkpoint.old_until), (0, since(70), Some(3)));
    assert_eq!(checkpoint.read_until(), 3);
    // Another one before the first has found where it begins: it was read no further than before.
    let from = WebhookRow { begin_from: since(80), ..webhook.clone() };
    let checkpoint = replayed(&views, &mut webhook, from).await;
    assert_eq!((checkpoint.next, checkpoint.not_before, checkpoint.old_until), (0, since(80), Some(3)));
    let after = WebhookRow { begin_from: None, begin_after: Position::at(PLACE, 50), ..webhook.clone() };
    let checkpoint = replayed(&views, &mut webhook, after).await;
    assert_eq!((checkpoint.next, checkpoint.not_before, checkpoint.old_until), (3, None, Some(3)));
}

async fn what_a_deleted_webhook_leaves_is_deleted_in_parts(stage: Stage) {
    let views = stage.fresh().await;
    let webhook = begun(&views).await;
    for from in 0..6 {
        assert!(read(&views, "a", from * 1_000, &["alice"; 1_000]).await);
    }
    assert!(views.forget_webhook(webhook.id, 2).await.unwrap());
    assert_eq!(views.outstanding(webhook.id).await.unwrap().events, 6_000, "nothing of what is held");
    views.give_webhook_up(webhook.id, "a").await.unwrap();
    assert!(views.forget_webhook(webhook.id, 1).await.unwrap());
    assert_eq!(views.outstanding(webhook.id).await.unwrap().events, 6_000, "nothing of a later webhook");
    assert!(!views.forget_webhook(webhook.id, 2).await.unwrap());
    let left = views.outstanding(webhook.id).await.unwrap().events;
    assert!((1..6_000).contains(&left), "a part: {left} are left");
    assert!(views.webhook_cursor(webhook.id).await.unwrap().is_some());
    assert!(views.forget_webhook(webhook.id, 2).await.unwrap());
    assert_eq!(views.webhook_cursor(webhook.id).await.unwrap(), None);
    assert_eq!(views.outstanding(webhook.id).await.unwrap().events, 0);
    assert!(views.webhook_checkpoints(webhook.id).await.unwrap().is_empty());
}

async fn many_users_have_their_first_events_wait(stage: Stage) {
    let views = stage.fresh().await;
    begun(&views).await;
    let names: Vec<String> = (0..200).map(|number| format!("user{number:03}")).collect();
    let users: Vec<&str> = names.iter().chain(&names).map(String::as_str).collect();
    assert!(read(&views, "a", 0, &users).await);
    assert_eq!(due(&views, 100).await, bodies(&(0..100).collect::<Vec<_>>()), "a hundred are asked for");
    for (offset, name) in (0..).zip(&names) {
        assert!(settle(&views, "a", name, offset, None, None).await);
    }
    assert_eq!(due(&views, 100).await, bodies(&(200..300).collect::<Vec<_>>()));
}
