//! Specs of the webhook.

use log_model::{Position, Stream, StreamPartition};

use super::super::commands::{CreateWebhook, EditWebhook, ReplayWebhook, RetryDelivery, RotateSecret};
use super::*;
use crate::id::DeliveryId;
use crate::spec::{Given, closed, given_nothing, group as group_ref, noon, tomorrow};

fn here() -> Position {
    Position::at(StreamPartition::new(Stream::UserEvents, 0), 41)
}

fn webhook(events: impl IntoIterator<Item = Event>) -> Given<Webhook> {
    let mut aggregate = Webhook::default();
    let context = given_nothing().context;
    for event in events {
        aggregate.evolve(&event, context.now);
    }
    Given { aggregate, context }
}

fn with_secret(events: impl IntoIterator<Item = Event>) -> Given<Webhook> {
    webhook(events).and_prepared(Prepared::WebhookSecret { sealed: "s1.x.y".into(), after: Some(here()) })
}

fn create() -> CreateWebhook {
    CreateWebhook {
        name: "Orders".into(),
        url: "https://example.com/hook".into(),
        ..CreateWebhook::default()
    }
}

fn created() -> Event {
    Created {
        name: "Orders".into(),
        url: "https://example.com/hook".into(),
        types: EventTypes::default(),
        group: None,
        content_type: ContentType::CloudEvents,
        after: here(),
    }
    .into()
}

fn rotated(overlap_until: Option<Timestamp>) -> Event {
    SecretRotated { overlap_until }.into()
}

#[test]
fn a_webhook_is_created_under_a_free_name_with_its_secret_apart() {
    let decision = with_secret([]).when(Command::CreateWebhook(create())).then([created()]);
    let id = WebhookId::named("Orders");
    assert_eq!(decision.credential_texts(), [format!("put {id}/secret/1 WebhookSecret(…) v1")]);
    let again = CreateWebhook { name: "  ORDERS ".into(), ..create() };
    assert_eq!(WebhookId::named("orders"), id, "case makes no difference");
    with_secret([created()]).when(Command::CreateWebhook(again)).then_refused([(Code::NameTaken, "name")]);
    webhook([]).when(Command::CreateWebhook(create())).then_refused([(Code::Required, "")]);
}

#[test]
fn every_bad_field_is_named_at_once() {
    let bad = CreateWebhook {
        name: " ".into(),
        url: "example.com".into(),
        types: vec!["muster.user.*".into(), "x".into()],
        group_id: Some(group_ref("staff").id),
        content_type: Some("text/plain".into()),
        after: None,
    };
    with_secret([]).when(Command::CreateWebhook(bad)).then_refused([
        (Code::Required, "name"),
        (Code::InvalidFormat, "url"),
        (Code::UnknownValue, "types.1"),
        (Code::UnknownGroup, "groupId"),
        (Code::UnknownValue, "contentType"),
    ]);
    let bad = EditWebhook {
        url: Patch::Clear,
        types: Patch::Set(vec!["x".into()]),
        group_id: Patch::Set(group_ref("staff").id),
        content_type: Patch::Set(String::new()),
    };
    webhook([created()]).when(Command::EditWebhook(bad)).then_refused([
        (Code::Required, "url"),
        (Code::UnknownValue, "types.0"),
        (Code::UnknownGroup, "groupId"),
        (Code::UnknownValue, "contentType"),
    ]);
}

#[test]
fn an_edit_changes_only_what_it_names() {
    let edit = EditWebhook { group_id: Patch::Set(group_ref("staff").id), ..EditWebhook::default() };
    let group = Some(Change { old: None, new: Some(group_ref("staff")) });
    let edited = Edited { group, ..Edited::default() };
    let given = webhook([created()]).and_group(closed("staff"));
    given.when(Command::EditWebhook(edit)).then([edited.clone()]);
    let clear = EditWebhook { group_id: Patch::Clear, ..EditWebhook::default() };
    let group = Some(Change { old: Some(group_ref("staff")), new: None });
    let cleared = Edited { group, ..Edited::default() };
    webhook([created(), edited.into()]).when(Command::EditWebhook(clear)).then([cleared]);
    webhook([created()]).when(Command::EditWebhook(EditWebhook::default())).then_nothing();
}

#[test]
fn pausing_twice_changes_nothing_and_resuming_is_always_an_event() {
    webhook([created()]).when(Command::PauseWebhook).then([Paused {}]);
    webhook([created(), Paused {}.into()]).when(Command::PauseWebhook).then_nothing();
    webhook([created(), Paused {}.into()]).when(Command::ResumeWebhook).then([Resumed {}]);
    webhook([created()]).when(Command::ResumeWebhook).then([Resumed {}]);
}

#[test]
fn a_rotated_secret_stays_beside_the_new_one_for_a_day_unless_the_caller_says_otherwise() {
    let id = WebhookId::named("Orders");
    let rotate = |seconds| Command::RotateWebhookSecret(RotateSecret { overlap_seconds: seconds });
    let decision = with_secret([created()]).when(rotate(None)).then([rotated(Some(tomorrow()))]);
    assert_eq!(decision.credential_texts(), [format!("put {id}/secret/2 WebhookSecret(…) v2")]);
    let decision = with_secret([created()]).when(rotate(Some(0))).then([rotated(None)]);
    assert_eq!(decision.credential_texts().last(), Some(&format!("remove {id}/secret/1")));
    with_secret([created()])
        .when(rotate(Some(30 * 86_400 + 1)))
        .then_refused([(Code::OutOfRange, "overlapSeconds")]);
}

#[test]
fn no_more_than_two_secrets_are_ever_valid() {
    let id = WebhookId::named("Orders");
    let rotate = Command::RotateWebhookSecret(RotateSecret { overlap_seconds: Some(60) });
    let until = noon() + Duration::from_mins(1);
    let decision =
        with_secret([created(), rotated(Some(tomorrow()))]).when(rotate).then([rotated(Some(until))]);
    let texts = decision.credential_texts();
    assert_eq!(texts, [format!("put {id}/secret/3 WebhookSecret(…) v3"), format!("remove {id}/secret/1")]);
}

#[test]
fn a_replay_begins_at_a_position_or_at_an_instant() {
    let replay = |after: Option<&str>, from| {
        Command::ReplayWebhook(ReplayWebhook { after: after.map(ToOwned::to_owned), from })
    };
    let at = webhook([created()]).and_prepared(Prepared::ReplayAfter { after: here() });
    at.when(replay(Some("x"), None)).then([Replayed { after: Some(here()), from: None }]);
    let since = replay(None, Some(noon()));
    webhook([created()]).when(since).then([Replayed { after: None, from: Some(noon()) }]);
    webhook([created()]).when(replay(None, None)).then_refused([(Code::Required, "after")]);
    webhook([created()]).when(replay(Some("x"), Some(noon()))).then_refused([(Code::NotApplicable, "from")]);
}

#[test]
fn a_deleted_webhook_loses_its_secrets_and_leaves_its_name() {
    let id = WebhookId::named("Orders");
    let two = [created(), rotated(Some(tomorrow()))];
    let decision = webhook(two).when(Command::DeleteWebhook).then([Deleted {}]);
    assert_eq!(
        decision.credential_texts(),
        [format!("remove {id}/secret/2"), format!("remove {id}/secret/1")]
    );
    let again = with_secret([created(), Deleted {}.into()]).when(Command::CreateWebhook(create()));
    let decision = again.then([created()]);
    assert_eq!(decision.credential_texts(), [format!("put {id}/secret/3 WebhookSecret(…) v3")]);
}

#[test]
fn what_does_not_exist_is_not_changed() {
    let delivery_id = DeliveryId::from_uuid(id().uuid());
    for command in [
        Command::EditWebhook(EditWebhook::default()),
        Command::PauseWebhook,
        Command::ResumeWebhook,
        Command::RotateWebhookSecret(RotateSecret::default()),
        Command::ReplayWebhook(ReplayWebhook { after: None, from: Some(noon()) }),
        Command::RetryDelivery(RetryDelivery { delivery_id }),
        Command::DeleteWebhook,
    ] {
        let deleted = with_secret([created(), Deleted {}.into()]);
        deleted.when(command.clone()).then_refused([(Code::UnknownWebhook, "webhookId")]);
        with_secret([]).when(command).then_refused([(Code::UnknownWebhook, "webhookId")]);
    }
}

#[test]
fn a_delivery_that_is_tried_again_is_an_event() {
    let delivery_id = DeliveryId::from_uuid(id().uuid());
    let command = Command::RetryDelivery(RetryDelivery { delivery_id });
    webhook([created()]).when(command).then([DeliveryRetried { delivery_id }]);
}

fn id() -> WebhookId {
    WebhookId::named("Orders")
}
