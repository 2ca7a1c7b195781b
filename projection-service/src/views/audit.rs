//! The audit log: one entry a record, with the changed fields.

mod access;
mod changes;
mod webhook_changes;

use domain::actor::Role;
use domain::id::EntryId;
use domain::{access as noted, deployment, group, user, webhook};
use event_log::envelope::Envelope;
use log_model::StreamPartition;
use read_model::audit::{AuditRow, FieldChange, Outcome, Target};
use read_model::groups::GroupRow;
use read_model::users::UserRow;
use read_model::webhooks::WebhookRow;

/// The entry of a user's event.
pub(crate) fn of_user(
    event: &user::Event,
    before: Option<&UserRow>,
    after: &UserRow,
    envelope: &Envelope,
    at: (StreamPartition, u64),
) -> AuditRow {
    AuditRow {
        target_name: Some(after.username.clone()),
        changes: changes::of_user(event, before, after),
        ..entry(event.wire_name(), envelope, at)
    }
}

/// The entry of a group's event.
pub(crate) fn of_group(
    event: &group::Event,
    after: &GroupRow,
    envelope: &Envelope,
    at: (StreamPartition, u64),
) -> AuditRow {
    AuditRow {
        target_name: Some(after.name.clone()),
        changes: changes::of_group(event),
        ..entry(event.wire_name(), envelope, at)
    }
}

/// The entry of a webhook's event.
pub(crate) fn of_webhook(
    event: &webhook::Event,
    after: &WebhookRow,
    envelope: &Envelope,
    at: (StreamPartition, u64),
) -> AuditRow {
    AuditRow {
        target_name: Some(after.name.clone()),
        changes: webhook_changes::of_webhook(event),
        ..entry(event.wire_name(), envelope, at)
    }
}

/// The entry of a deployment's event.
pub(crate) fn of_deployment(
    event: &deployment::Event,
    envelope: &Envelope,
    at: (StreamPartition, u64),
) -> AuditRow {
    let entry = entry(event.wire_name(), envelope, at);
    match event {
        deployment::Event::Initialised(first) => AuditRow {
            target: Target::parse(&first.user_id.to_string()),
            target_name: Some(first.username.clone()),
            changes: vec![FieldChange::new("administrator", None, Some(first.username.clone()))],
            ..entry
        },
        deployment::Event::RecordSkipped(skipped) => {
            let record = format!("{} offset {}", skipped.place, skipped.offset);
            let changes =
                [("record", record), ("digest", skipped.digest.clone()), ("reason", skipped.reason.clone())];
            let change = |(field, value): (&str, String)| FieldChange::new(field, None, Some(value));
            AuditRow { changes: changes.map(change).into(), ..entry }
        }
    }
}

/// The entry of an access record.
pub(crate) fn of_access(event: &noted::Event, envelope: &Envelope, at: (StreamPartition, u64)) -> AuditRow {
    access::entry(event, entry(event.wire_name(), envelope, at))
}

fn entry(action: &str, envelope: &Envelope, (place, offset): (StreamPartition, u64)) -> AuditRow {
    let role = envelope.actor_role.as_deref();
    let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    AuditRow {
        id: EntryId::from_uuid(envelope.id),
        time: envelope.time,
        ordered_at: envelope.time,
        actor_id: envelope.actor.parse().ok(),
        actor_name: envelope.actor_name.clone(),
        actor_role: Role::ALL.into_iter().find(|known| role == Some(known.name())),
        action: action.to_owned(),
        target: Target::parse(&envelope.subject),
        target_name: None,
        outcome: Outcome::Allowed,
        changes: Vec::new(),
        client: envelope.client.clone(),
        command_id: text(&envelope.command_id),
        correlation_id: text(&envelope.correlation_id),
        place,
        offset,
    }
}
