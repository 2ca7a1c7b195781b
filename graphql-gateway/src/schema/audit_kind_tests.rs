//! Every action that can stand in the audit log is a value of the enum.

use std::collections::BTreeSet;

use domain::id::{DeliveryId, WebhookId};
use domain::user::Action;
use domain::{access, deployment, group, user, webhook};

use super::*;

/// What the gateway itself denies to those who are no administrators.
const DENIED: [&str; 8] =
    ["EndSessions", "users", "userAsOf", "usersAsOf", "groups", "members", "webhooks", "auditLog"];

fn group_commands() -> [&'static str; 5] {
    use group::Command;
    [
        Command::CreateGroup(group::CreateGroup::default()),
        Command::EditGroup(group::EditGroup::default()),
        Command::CloseGroup,
        Command::ReopenGroup,
        Command::DeleteGroup,
    ]
    .map(|command| command.name())
}

fn webhook_commands() -> [&'static str; 8] {
    use webhook::Command;
    let delivery_id = DeliveryId::of(WebhookId::named("orders"), uuid::Uuid::nil());
    [
        Command::CreateWebhook(webhook::CreateWebhook::default()),
        Command::EditWebhook(webhook::EditWebhook::default()),
        Command::PauseWebhook,
        Command::ResumeWebhook,
        Command::RotateWebhookSecret(webhook::RotateSecret::default()),
        Command::ReplayWebhook(webhook::ReplayWebhook::default()),
        Command::RetryDelivery(webhook::RetryDelivery { delivery_id }),
        Command::DeleteWebhook,
    ]
    .map(|command| command.name())
}

#[test]
fn every_event_every_command_and_everything_that_the_gateway_denies_is_a_kind() {
    // A denied or refused command stands in the log under its own name.
    let hidden = ["muster.access.command_denied", "muster.access.command_refused"];
    let events = [
        user::Event::WIRE_NAMES,
        group::Event::WIRE_NAMES,
        webhook::Event::WIRE_NAMES,
        deployment::Event::WIRE_NAMES,
        access::Event::WIRE_NAMES,
    ];
    let events = events.into_iter().flatten().copied().filter(|name| !hidden.contains(name));
    let commands =
        Action::ALL.iter().map(|action| action.name()).chain(group_commands()).chain(webhook_commands());
    let expected: BTreeSet<&str> = events.chain(commands).chain(DENIED).collect();
    let found: BTreeSet<&str> = AuditEntryKind::items().iter().map(|item| item.value.action()).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_name_follows_from_the_action() {
    for item in AuditEntryKind::items() {
        let action = item.value.action();
        let expected = match action.strip_prefix("muster.") {
            Some(event) => event.trim_start_matches("access.").replace('.', "_").to_uppercase(),
            None => action
                .chars()
                .enumerate()
                .flat_map(|(at, c)| {
                    (at > 0 && c.is_uppercase()).then_some('_').into_iter().chain([c.to_ascii_uppercase()])
                })
                .collect(),
        };
        assert_eq!(item.name, expected);
        assert_eq!(AuditEntryKind::of(action), Some(item.value));
    }
    assert_eq!(AuditEntryKind::of("muster.user.promoted"), None);
}
