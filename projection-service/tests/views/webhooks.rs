//! Webhooks as the views show them, and the deliveries that are kept beside them.

use domain::decision_context::Prepared;
use domain::group::GroupRef;
use domain::id::{DeliveryId, WebhookId};
use domain::patch::Patch;
use domain::timestamp::Timestamp;
use domain::webhook::{
    Command, ContentType, CreateWebhook, EditWebhook, EventTypes, ReplayWebhook, RotateSecret,
};
use log_model::{Position, Stream, StreamPartition};
use read_model::deliveries_page::Outstanding;
use read_model::webhook_deliveries::{Attempt, DeliveryState, NewDelivery, WebhookMove};
use read_model::webhooks::WebhookRow;
use read_model::{ReadModel, Window};
use uuid::Uuid;

use crate::rig::{Log, project};
use crate::stage::{Stage, on_both};
use crate::story::{Story, group_of, id_of};

on_both! {
    a_webhook_is_shown_as_its_events_say
    one_event_of_a_user_waits_and_the_others_are_queued
    what_is_given_up_is_tried_again_in_its_place
    who_does_not_hold_a_webhook_changes_nothing
    a_webhook_that_begins_anew_sends_in_order
}

pub(crate) const PLACE: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);

fn prepared(number: u8) -> Prepared {
    Prepared::WebhookSecret { sealed: format!("s1.sealed{number}"), after: Some(Position::at(PLACE, 4)) }
}

fn create() -> Command {
    let url = "https://example.com/hook".to_owned();
    Command::CreateWebhook(CreateWebhook { name: "Orders".to_owned(), url, ..CreateWebhook::default() })
}

async fn a_webhook_is_shown_as_its_events_say(stage: Stage) {
    let (mut log, mut story) = (Log::open(stage.directory.path()).await, Story::new());
    story.new_group("acme");
    story.webhook("Orders", &create(), prepared(1));
    let edit = EditWebhook {
        url: Patch::Set("https://example.com/new".to_owned()),
        types: Patch::Set(vec!["muster.user.*".to_owned()]),
        group_id: Patch::Set(group_of("acme")),
        content_type: Patch::Set("application/json".to_owned()),
    };
    story.webhook("Orders", &Command::EditWebhook(edit), None);
    let rotate = |seconds| Command::RotateWebhookSecret(RotateSecret { overlap_seconds: Some(seconds) });
    story.webhook("Orders", &rotate(60), prepared(2));
    story.webhook("Orders", &rotate(60), prepared(3));
    story.webhook("Orders", &Command::PauseWebhook, None);
    let from = Some(Timestamp::from_micros(7));
    story.webhook("Orders", &Command::ReplayWebhook(ReplayWebhook { after: None, from }), None);
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 100).await;

    let id = WebhookId::named("Orders");
    let row = views.webhook(id).await.unwrap().unwrap();
    let group = GroupRef { id: group_of("acme"), name: "acme".to_owned() };
    assert_eq!((row.name.as_str(), row.url.as_str()), ("Orders", "https://example.com/new"));
    assert_eq!((row.types.as_slice(), row.group.clone()), (&["muster.user.*".to_owned()][..], Some(group)));
    assert_eq!((row.content_type, row.paused, row.version), (ContentType::Json, true, 6));
    assert_eq!((row.created_version, row.enabled_version, row.begin_version), (1, 2, 6));
    assert_eq!((row.begin_after.clone(), row.begin_from), (Position::new(), from));
    assert_eq!((row.secret, row.old_secret), (4, Some(3)));
    let secrets: Vec<_> = views.webhook_secrets(id).await.unwrap();
    let shown: Vec<_> = secrets.iter().map(|secret| (secret.number, secret.sealed.as_str())).collect();
    assert_eq!(shown, [(4, "s1.sealed3"), (3, "s1.sealed2")], "no more than two");

    story.webhook("Orders", &Command::DeleteWebhook, None);
    log.write(&mut story).await;
    project(log.follow(), &views, 100).await;
    assert_eq!(views.webhook(id).await.unwrap(), None);
    assert!(views.webhook_secrets(id).await.unwrap().is_empty());
    story.webhook("Orders", &create(), prepared(4));
    log.write(&mut story).await;
    project(log.follow(), &views, 100).await;
    let again = views.webhook(id).await.unwrap().unwrap();
    assert_eq!((again.version, again.created_version, again.secret, again.group), (8, 8, 8, None));
    assert_eq!(views.webhooks_page(&Window::first(10, None)).await.unwrap().edges.len(), 1);
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

/// A webhook that process `a` holds and has begun.
pub(crate) async fn begun(views: &ReadModel) -> WebhookRow {
    let webhook = WebhookRow {
        id: WebhookId::named("Orders"),
        name: "Orders".to_owned(),
        url: String::new(),
        types: EventTypes::default(),
        group: None,
        content_type: ContentType::Json,
        paused: false,
        deleted: false,
        version: 1,
        created_version: 1,
        enabled_version: 1,
        begin_version: 1,
        begin_after: Position::new(),
        begin_from: None,
        secret: 1,
        old_secret: None,
        old_secret_until: None,
        created_at: at(0),
    };
    assert!(views.take_webhook(webhook.id, "a").await.unwrap());
    assert!(views.begin_webhook(&webhook, "a", &[PLACE], at(0)).await.unwrap());
    webhook
}

pub(crate) fn event(user: &str, offset: u64) -> NewDelivery {
    let id = Uuid::from_u128(offset.into());
    NewDelivery {
        id: DeliveryId::of(WebhookId::named("Orders"), id),
        event_id: id.to_string(),
        event_type: "muster.user.approved".to_owned(),
        event_time: at(i64::try_from(offset).unwrap()),
        user: id_of(user),
        place: PLACE,
        offset,
        body: format!("{{\"offset\":{offset}}}"),
    }
}

/// Reads events of these users, at the offsets from `from` on, as process `worker`.
pub(crate) async fn read(views: &ReadModel, worker: &str, from: u64, users: &[&str]) -> bool {
    let events: Vec<_> = (from..).zip(users).map(|(offset, user)| event(user, offset)).collect();
    let to = from + users.len() as u64;
    let moved = WebhookMove { place: PLACE, from, to, has_begun: true };
    views
        .enqueue_deliveries((WebhookId::named("Orders"), 1), worker, events, vec![moved], at(100))
        .await
        .unwrap()
}

/// Offsets of what is due.
pub(crate) async fn due(views: &ReadModel, now: i64) -> Vec<String> {
    let due = views.due_deliveries(WebhookId::named("Orders"), at(now), &[], 100).await.unwrap();
    due.into_iter().map(|delivery| delivery.body).collect()
}

pub(crate) fn bodies(offsets: &[u64]) -> Vec<String> {
    offsets.iter().map(|offset| format!("{{\"offset\":{offset}}}")).collect()
}

/// Records the end of an attempt, as process `worker`.
pub(crate) async fn settle(
    views: &ReadModel,
    worker: &str,
    user: &str,
    offset: u64,
    error: Option<&str>,
    due_at: Option<i64>,
) -> bool {
    let attempt = Attempt {
        id: event(user, offset).id,
        user: id_of(user),
        at: at(100),
        status: Some(if error.is_some() { 500 } else { 204 }),
        error: error.map(str::to_owned),
        due_at: due_at.map(at),
    };
    views.settle_deliveries(WebhookId::named("Orders"), worker, vec![attempt], at(100)).await.unwrap()
}

async fn one_event_of_a_user_waits_and_the_others_are_queued(stage: Stage) {
    let views = stage.fresh().await;
    let webhook = begun(&views).await;
    assert!(read(&views, "a", 0, &["alice", "bob", "alice", "alice", "bob"]).await);
    assert_eq!(due(&views, 100).await, bodies(&[0, 1]));
    let but = views.due_deliveries(webhook.id, at(100), &[id_of("alice")], 100).await.unwrap();
    assert_eq!(but.len(), 1);

    // Alice's fails and is due later; bob's arrives, and his next one is due at once.
    assert!(settle(&views, "a", "alice", 0, Some("500"), Some(200)).await);
    assert!(settle(&views, "a", "bob", 1, None, None).await);
    assert_eq!(due(&views, 100).await, bodies(&[4]));
    assert!(read(&views, "a", 5, &["alice", "carol"]).await);
    assert_eq!(due(&views, 100).await, bodies(&[4, 6]));
    assert_eq!(due(&views, 200).await, bodies(&[4, 6, 0]));
    assert_eq!(
        due(&views, 50).await,
        bodies(&[4, 6]),
        "a first attempt is due also after the clock was set back"
    );
    let outstanding = views.outstanding(webhook.id).await.unwrap();
    assert_eq!((outstanding.events, outstanding.oldest, outstanding.is_failing), (6, Some(at(0)), true));
    let first = views.first_outstanding(webhook.id).await.unwrap();
    assert_eq!(first, [(PLACE, 0)]);

    let cursor = views.webhook_cursor(webhook.id).await.unwrap().unwrap();
    assert_eq!((cursor.last_success_at, cursor.last_error), (Some(at(100)), None));
    let page = |states: &'static [DeliveryState]| {
        let views = views.clone();
        async move {
            let page = views.deliveries_page(webhook.id, states, &Window::first(3, None)).await.unwrap();
            page.edges.into_iter().map(|edge| edge.row.event_time.micros() / 1_000_000).collect::<Vec<_>>()
        }
    };
    assert_eq!(page(&[]).await, [6, 5, 4], "the newest event first");
    assert_eq!(page(&[DeliveryState::Delivered]).await, [1]);
    assert!(views.forget_deliveries(at(101)).await.unwrap());
    assert_eq!(
        page(&[DeliveryState::Delivered]).await,
        [0_i64; 0],
        "what arrived is forgotten after a while"
    );
}

async fn what_is_given_up_is_tried_again_in_its_place(stage: Stage) {
    let views = stage.fresh().await;
    let webhook = begun(&views).await;
    assert!(read(&views, "a", 0, &["alice", "alice", "alice"]).await);
    assert!(settle(&views, "a", "alice", 0, Some("500"), None).await);
    assert_eq!(due(&views, 100).await, bodies(&[1]), "the next one goes on");
    assert_eq!(views.outstanding(webhook.id).await.unwrap().dead, 1);
    let dead = event("alice", 0).id;
    assert!(views.retry_delivery(webhook.id, dead, at(100)).await.unwrap());
    assert_eq!(due(&views, 100).await, bodies(&[1]), "one at a time");
    assert!(settle(&views, "a", "alice", 1, None, None).await);
    assert_eq!(due(&views, 100).await, bodies(&[0]), "the oldest first");
    assert!(settle(&views, "a", "alice", 0, None, None).await);
    assert_eq!(due(&views, 100).await, bodies(&[2]));
    assert!(!views.retry_delivery(webhook.id, dead, at(100)).await.unwrap(), "it has arrived");
    // One that waits for its next attempt is due at once.
    assert!(settle(&views, "a", "alice", 2, Some("500"), Some(900)).await);
    assert_eq!(due(&views, 100).await, bodies(&[]));
    assert!(views.retry_delivery(webhook.id, event("alice", 2).id, at(100)).await.unwrap());
    assert_eq!(due(&views, 100).await, bodies(&[2]));
}

async fn who_does_not_hold_a_webhook_changes_nothing(stage: Stage) {
    let views = stage.fresh().await;
    let webhook = begun(&views).await;
    assert!(!views.take_webhook(webhook.id, "b").await.unwrap(), "it is held");
    assert!(!read(&views, "b", 0, &["alice"]).await);
    assert!(!views.begin_webhook(&webhook, "b", &[PLACE], at(0)).await.unwrap());
    assert!(read(&views, "a", 0, &["alice"]).await);
    assert!(!read(&views, "a", 0, &["alice"]).await, "the checkpoint has moved");

    views.forget_webhook_worker("a").await.unwrap();
    assert!(views.take_webhook(webhook.id, "b").await.unwrap());
    assert!(!settle(&views, "a", "alice", 0, None, None).await, "the old holder is too late");
    assert_eq!(due(&views, 100).await, bodies(&[0]));
    assert!(settle(&views, "b", "alice", 0, None, None).await);
    assert_eq!(due(&views, 100).await, bodies(&[]));
}

async fn a_webhook_that_begins_anew_sends_in_order(stage: Stage) {
    let views = stage.fresh().await;
    let webhook = begun(&views).await;
    assert!(read(&views, "a", 0, &["alice", "alice", "alice"]).await);
    assert!(settle(&views, "a", "alice", 0, None, None).await);
    assert!(settle(&views, "a", "alice", 1, Some("500"), Some(900)).await);

    // Nothing changes where it has begun already; resumed, it tries at once.
    let resumed = WebhookRow { version: 2, enabled_version: 2, ..webhook.clone() };
    assert!(views.begin_webhook(&resumed, "a", &[PLACE], at(100)).await.unwrap());
    assert_eq!(due(&views, 100).await, bodies(&[1]));
    let replayed = WebhookRow { version: 3, begin_version: 3, ..resumed.clone() };
    assert!(views.begin_webhook(&replayed, "a", &[PLACE], at(100)).await.unwrap());
    assert_eq!(views.outstanding(webhook.id).await.unwrap().events, 0, "it is read again");
    assert!(read(&views, "a", 0, &["alice", "alice", "alice"]).await);
    assert_eq!(due(&views, 100).await, bodies(&[0]), "also what had arrived");

    // Another webhook of the same name owes nothing of what the first one did.
    let renewed =
        WebhookRow { version: 9, created_version: 9, begin_version: 9, enabled_version: 9, ..replayed };
    let renewed = WebhookRow { begin_after: Position::at(PLACE, 7), ..renewed };
    assert!(views.begin_webhook(&renewed, "a", &[PLACE], at(100)).await.unwrap());
    assert_eq!(views.outstanding(webhook.id).await.unwrap(), Outstanding::default());
    let checkpoints = views.webhook_checkpoints(webhook.id).await.unwrap();
    assert_eq!((checkpoints.len(), checkpoints[0].next), (1, 8));
}
