//! What can be asked to change: one input and one payload per mutation, a file per subject.

mod agent;
mod group_deletion;
mod groups;
mod lifecycle;
mod mailboxes;
mod onboarding;
mod password;
mod payload;
mod profile;
mod roles;
mod rule_inputs;
mod rules;
mod session;
mod tokens;

use async_graphql::{MaybeUndefined, MergedObject};
use domain::patch::Patch;

/// Everything that can be asked to change. Every payload has `userErrors`; when it is empty the command was accepted.
#[derive(MergedObject, Default)]
pub(crate) struct Mutation(
    onboarding::OnboardingMutations,
    session::SessionMutations,
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
);

/// Absent means keep, null means clear.
fn patch<T>(value: MaybeUndefined<T>) -> Patch<T> {
    match value {
        MaybeUndefined::Undefined => Patch::Keep,
        MaybeUndefined::Null => Patch::Clear,
        MaybeUndefined::Value(value) => Patch::Set(value),
    }
}
