//! The changed fields of a webhook's events, under their names in the API.

use domain::group::GroupRef;
use domain::webhook::{ContentType, Event, EventTypes};
use read_model::audit::FieldChange;

pub(super) fn of_webhook(event: &Event) -> Vec<FieldChange> {
    let flag = |field: &str, new: bool| {
        vec![FieldChange::new(field, Some((!new).to_string()), Some(new.to_string()))]
    };
    match event {
        Event::Created(created) => {
            let mut changes = vec![
                FieldChange::new("name", None, Some(created.name.clone())),
                FieldChange::new("url", None, Some(created.url.clone())),
            ];
            changes.extend(types(None, &created.types));
            changes.extend(group(None, created.group.as_ref()));
            changes.push(FieldChange::new("contentType", None, Some(media_type(created.content_type))));
            // Neither value is shown.
            changes.push(FieldChange::new("secret", None, None));
            changes
        }
        Event::Edited(edited) => {
            let url = edited.url.as_ref();
            let url = url.map(|url| FieldChange::new("url", Some(url.old.clone()), Some(url.new.clone())));
            let types = edited.types.as_ref().and_then(|it| types(Some(&it.old), &it.new));
            let group = edited.group.as_ref().and_then(|it| group(it.old.as_ref(), it.new.as_ref()));
            let content_type = edited.content_type.as_ref().map(|it| {
                FieldChange::new("contentType", Some(media_type(it.old)), Some(media_type(it.new)))
            });
            url.into_iter().chain(types).chain(group).chain(content_type).collect()
        }
        Event::Paused(_) => flag("paused", true),
        Event::Resumed(_) => flag("paused", false),
        Event::SecretRotated(_) => vec![FieldChange::new("secret", None, None)],
        Event::Replayed(replayed) => {
            let after = replayed.after.as_ref().map(ToString::to_string);
            let from = replayed.from.map(|from| from.to_string());
            let shown = [("after", after), ("from", from)];
            let given = shown.into_iter().filter(|(_, value)| value.is_some());
            given.map(|(field, value)| FieldChange::new(field, None, value)).collect()
        }
        Event::DeliveryRetried(retried) => {
            vec![FieldChange::new("deliveryId", None, Some(retried.delivery_id.to_string()))]
        }
        Event::Deleted(_) => flag("deleted", true),
    }
}

fn types(old: Option<&EventTypes>, new: &EventTypes) -> Option<FieldChange> {
    let text = |types: &EventTypes| types.as_slice().join(", ");
    let shown = |types: &EventTypes| Some(text(types)).filter(|text| !text.is_empty());
    let (old, new) = (old.and_then(shown), shown(new));
    (old != new).then(|| FieldChange::new("types", old, new))
}

fn group(old: Option<&GroupRef>, new: Option<&GroupRef>) -> Option<FieldChange> {
    let name = |group: &GroupRef| group.name.clone();
    (old != new).then(|| FieldChange::new("group", old.map(name), new.map(name)))
}

fn media_type(content_type: ContentType) -> String {
    content_type.as_str().to_owned()
}
