//! Webhooks: one row a webhook.

use domain::id::WebhookId;
use domain::timestamp::Timestamp;
use domain::webhook::{Event, EventTypes};
use log_model::Position;
use read_model::webhooks::WebhookRow;

/// The row after the event. `None` for an event of a webhook that was never created.
pub(crate) fn fold(
    before: Option<WebhookRow>,
    event: &Event,
    id: WebhookId,
    sequence: u64,
    time: Timestamp,
) -> Option<WebhookRow> {
    let mut row = match event {
        Event::Created(created) => WebhookRow {
            id,
            name: created.name.clone(),
            url: created.url.clone(),
            types: created.types.clone(),
            group: created.group.clone(),
            content_type: created.content_type,
            paused: false,
            deleted: false,
            version: sequence,
            created_version: sequence,
            enabled_version: sequence,
            begin_version: sequence,
            begin_after: created.after.clone(),
            begin_from: None,
            secret: sequence,
            old_secret: None,
            old_secret_until: None,
            created_at: time,
        },
        _ => before?,
    };
    row.version = sequence;
    match event {
        Event::Created(_) | Event::DeliveryRetried(_) => {}
        Event::Edited(edited) => {
            if let Some(url) = &edited.url {
                row.url.clone_from(&url.new);
                // Another receiver may be there where the old one is gone.
                row.enabled_version = sequence;
            }
            if let Some(types) = &edited.types {
                row.types.clone_from(&types.new);
            }
            if let Some(group) = &edited.group {
                row.group.clone_from(&group.new);
            }
            if let Some(content_type) = &edited.content_type {
                row.content_type = content_type.new;
            }
        }
        Event::Paused(_) => row.paused = true,
        Event::Resumed(_) => {
            row.paused = false;
            row.enabled_version = sequence;
        }
        Event::SecretRotated(rotated) => {
            row.old_secret = rotated.overlap_until.map(|_| row.secret);
            row.old_secret_until = rotated.overlap_until;
            row.secret = sequence;
        }
        Event::Replayed(replayed) => {
            row.begin_version = sequence;
            row.begin_after = replayed.after.clone().unwrap_or_default();
            row.begin_from = replayed.from;
        }
        Event::Deleted(_) => row = emptied(row),
    }
    Some(row)
}

/// The row of a deleted webhook. Its name and version stay, because later events of the name continue the numbers.
fn emptied(row: WebhookRow) -> WebhookRow {
    WebhookRow {
        url: String::new(),
        types: EventTypes::default(),
        group: None,
        begin_after: Position::new(),
        begin_from: None,
        deleted: true,
        ..row
    }
}
