//! The changed fields of an event: old → new. Secrets show neither value.
//!
//! Fields have the names of the API. Where a user has several of a kind, the field is a path, such as
//! `agentRules.nightly.pollInterval`.

use std::collections::BTreeSet;

use domain::group;
use domain::user::Event;
use domain::user::profile::Personal;
use read_model::audit::FieldChange;
use read_model::users::UserRow;
use serde_json::{Map, Value};

pub(super) fn of_user(event: &Event, before: Option<&UserRow>, after: &UserRow) -> Vec<FieldChange> {
    match event {
        Event::Registered(registered) => {
            let mut changes = vec![FieldChange::new("username", None, Some(registered.username.clone()))];
            changes.extend(personal(&Personal::default(), &registered.personal));
            changes.extend(state(before, after));
            changes
        }
        Event::Approved(_)
        | Event::Rejected(_)
        | Event::Reconsidered(_)
        | Event::Suspended(_)
        | Event::Reactivated(_)
        | Event::Deleted(_) => state(before, after),
        Event::ProfileUpdated(updated) => personal(&updated.personal.old, &updated.personal.new),
        Event::EmailChanged(moved) => personal(&moved.personal.old, &moved.personal.new),
        Event::GroupChanged(moved) => {
            let old = moved.group.old.as_ref().map(|group| group.name.clone());
            vec![FieldChange::new("group", old, Some(moved.group.new.name.clone()))]
        }
        Event::PasswordReset(_) | Event::PasswordChanged(_) => {
            let must = |row: Option<&UserRow>| Some(row?.must_change_password.to_string());
            let mut changes = vec![FieldChange::new("password", None, None)];
            changes.extend(text("mustChangePassword", must(before), must(Some(after))));
            changes
        }
        Event::UfaConfigEdited(edited) => {
            fields("", &object(&edited.config.old), &object(&edited.config.new))
        }
        Event::AgentRuleAdded(added) => {
            let prefix = format!("agentRules.{}.", added.rule.name);
            fields(&prefix, &Map::new(), &object(&added.rule))
        }
        Event::AgentRuleEdited(edited) => {
            let prefix = format!("agentRules.{}.", edited.rule.new.name);
            fields(&prefix, &object(&edited.rule.old), &object(&edited.rule.new))
        }
        Event::AgentRuleRemoved(removed) => gone("agentRules", &removed.name),
        Event::MailboxCreated(created) => {
            let field = format!("mailboxes.{}", created.name);
            let mut changes = vec![FieldChange::new(field.clone(), None, Some(created.name.clone()))];
            changes.extend(text(&format!("{field}.description"), None, created.description.clone()));
            changes
        }
        Event::MailboxDeleted(deleted) => gone("mailboxes", &deleted.name),
        Event::AuthTokenIssued(issued) => {
            let prefix = format!("authTokens.{}.", issued.name);
            let mut changes = fields(&prefix, &Map::new(), &object(issued));
            changes.push(FieldChange::new(format!("{prefix}secret"), None, None));
            changes
        }
        Event::AuthTokenRevoked(revoked) => gone("authTokens", &revoked.name),
        Event::RoleGranted(_) | Event::RoleRevoked(_) => {
            text("roles", before.map(roles), Some(roles(after))).into_iter().collect()
        }
    }
}

pub(super) fn of_group(event: &group::Event) -> Vec<FieldChange> {
    let contact = |old: &group::Contact, new: &group::Contact| {
        let phone = text("phone", old.phone.clone(), new.phone.clone());
        phone.into_iter().chain(text("email", old.email.clone(), new.email.clone()))
    };
    match event {
        group::Event::Created(created) => {
            let mut changes = vec![FieldChange::new("name", None, Some(created.name.clone()))];
            changes.extend(text("description", None, created.description.clone()));
            changes.extend(contact(&group::Contact::default(), &created.personal));
            changes
        }
        group::Event::Edited(edited) => {
            let description = edited.description.as_ref();
            let description = description.and_then(|it| text("description", it.old.clone(), it.new.clone()));
            description.into_iter().chain(contact(&edited.personal.old, &edited.personal.new)).collect()
        }
        group::Event::Closed(_) => {
            vec![FieldChange::new("closed", Some("false".into()), Some("true".into()))]
        }
        group::Event::Reopened(_) => {
            vec![FieldChange::new("closed", Some("true".into()), Some("false".into()))]
        }
        group::Event::Deleted(_) => {
            vec![FieldChange::new("deleted", Some("false".into()), Some("true".into()))]
        }
    }
}

/// The changes of status, reason and group.
fn state(before: Option<&UserRow>, after: &UserRow) -> Vec<FieldChange> {
    let state = |row: &UserRow| row.state.name().to_owned();
    let group = |row: &UserRow| row.group.as_ref().map(|group| group.name.clone());
    let reason = |row: &UserRow| row.state_reason.clone();
    [
        text("state", before.map(state), Some(state(after))),
        text("stateReason", before.and_then(reason), reason(after)),
        text("group", before.and_then(group), group(after)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn personal(old: &Personal, new: &Personal) -> Vec<FieldChange> {
    fields("", &object(old), &object(new))
}

fn roles(row: &UserRow) -> String {
    row.roles.iter().map(domain::actor::Role::name).collect::<Vec<_>>().join(", ")
}

fn gone(list: &str, name: &str) -> Vec<FieldChange> {
    vec![FieldChange::new(format!("{list}.{name}"), Some(name.to_owned()), None)]
}

fn text(field: &str, old: Option<String>, new: Option<String>) -> Option<FieldChange> {
    (old != new).then(|| FieldChange::new(field, old, new))
}

/// The fields in which two objects differ.
fn fields(prefix: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<FieldChange> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differing = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    differing
        .map(|name| {
            FieldChange::new(format!("{prefix}{name}"), old.get(name).map(shown), new.get(name).map(shown))
        })
        .collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The fields of a value under their names in events, which are those of the API.
fn object(value: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}
