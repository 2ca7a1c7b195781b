//! The GraphQL mutations: a file per subject, an input and a payload per mutation.
//!
//! Each mutation checks what the caller may do, makes a command of its input, sends it, and answers with what the
//! views show afterwards. The rules themselves are in `domain`; the owner of the user or group applies them.

mod agent;
mod delivery_retry;
mod group_deletion;
mod groups;
mod lifecycle;
mod mailboxes;
mod onboarding;
mod password;
mod patch;
mod payload;
mod payload_names;
mod profile;
mod retry;
mod roles;
mod rule_changes;
mod rule_inputs;
mod rules;
mod session;
mod sessions;
mod temporary_password;
mod tokens;
mod webhook_payloads;
mod webhooks;

use async_graphql::MergedObject;

/// Everything that can be asked to change. Every payload has `userErrors`; when it is empty the command was accepted.
#[derive(MergedObject, Default)]
pub(crate) struct Mutation(
    onboarding::OnboardingMutations,
    session::SessionMutations,
    sessions::SessionEndings,
    password::PasswordMutations,
    profile::ProfileMutations,
    lifecycle::LifecycleMutations,
    groups::GroupMutations,
    group_deletion::GroupDeletion,
    roles::RoleMutations,
    agent::AgentMutations,
    rules::RuleMutations,
    mailboxes::MailboxMutations,
    tokens::TokenMutations,
    webhooks::WebhookMutations,
    delivery_retry::DeliveryRetry,
);
