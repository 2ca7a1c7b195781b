//! The given-when-then language of the specs, and the values that they share.

use std::fmt::Debug;

use crate::actor::{Actor, Role, Roles};
use crate::aggregate::{Aggregate, CredentialChange, Decision};
use crate::decision_context::{DecisionContext, Limits, Prepared};
use crate::group::{GroupRef, KnownGroup};
use crate::id::{GroupId, UserId};
use crate::names::GroupName;
use crate::names::Username;
use crate::refusal::{Code, Refusals};
use crate::timestamp::Timestamp;
use crate::user::User;

/// A user with these events.
pub(crate) fn given<E: Into<crate::user::Event>>(events: impl IntoIterator<Item = E>) -> Given<User> {
    let mut user = User::new(alice());
    for event in events {
        user.evolve(&event.into(), noon());
    }
    Given { aggregate: user, context: context() }
}

/// A user without events.
pub(crate) fn given_nothing() -> Given<User> {
    given([] as [crate::user::Event; 0])
}

/// An aggregate and the context in which it decides a command.
pub(crate) struct Given<A> {
    pub(crate) aggregate: A,
    pub(crate) context: DecisionContext,
}

impl<A: Aggregate> Given<A> {
    /// Sets the group that the command names.
    pub(crate) fn and_group(mut self, group: KnownGroup) -> Self {
        self.context.group = Some(group);
        self
    }

    /// Sets what the gateway prepared for the command.
    pub(crate) fn and_prepared(mut self, prepared: Prepared) -> Self {
        self.context.prepared = Some(prepared);
        self
    }

    /// Sets the limits of the deployment.
    pub(crate) fn and_limits(mut self, limits: Limits) -> Self {
        self.context.limits = limits;
        self
    }

    /// Decides the command.
    pub(crate) fn when(self, command: impl Into<A::Command>) -> When<A::Event> {
        When(self.aggregate.decide(&command.into(), &self.context))
    }
}

/// The outcome of a command.
#[derive(Debug)]
pub(crate) struct When<E>(pub(crate) Result<Decision<E>, Refusals>);

impl<E: Debug + PartialEq> When<E> {
    /// Expects exactly these events.
    #[track_caller]
    pub(crate) fn then(self, events: impl IntoIterator<Item = impl Into<E>>) -> Decision<E> {
        let decision = self.0.expect("the command is accepted");
        let expected: Vec<E> = events.into_iter().map(Into::into).collect();
        assert_eq!(decision.events(), expected);
        decision
    }

    /// Expects that the command is accepted and changes nothing.
    #[track_caller]
    pub(crate) fn then_nothing(self) {
        let decision = self.0.expect("the command is accepted");
        assert!(decision.is_empty(), "{decision:?}");
    }

    /// Expects exactly these refusals: a code and the path of a field, as `a.b`. The path is empty for none.
    #[track_caller]
    pub(crate) fn then_refused<'a>(self, expected: impl IntoIterator<Item = (Code, &'a str)>) {
        let refusals = self.0.expect_err("the command is refused");
        let refusals: Vec<_> =
            refusals.iter().map(|refusal| (refusal.code, refusal.field.join("."))).collect();
        let expected: Vec<_> = expected.into_iter().map(|(code, field)| (code, field.to_owned())).collect();
        assert_eq!(refusals, expected);
    }
}

impl<E> Decision<E> {
    /// The changes of credentials as texts: the key, and what becomes of it.
    pub(crate) fn credential_texts(&self) -> Vec<String> {
        self.credential_changes()
            .iter()
            .map(|change| match change {
                CredentialChange::Put(id, credential) => {
                    format!("put {id} {:?} v{}", credential.kind, credential.version)
                }
                CredentialChange::Remove(id) => format!("remove {id}"),
            })
            .collect()
    }
}

pub(crate) fn alice() -> UserId {
    UserId::of(&Username::parse("alice").unwrap())
}

pub(crate) fn noon() -> Timestamp {
    Timestamp::parse("2026-01-01T12:00:00Z").unwrap()
}

pub(crate) fn tomorrow() -> Timestamp {
    Timestamp::parse("2026-01-02T12:00:00Z").unwrap()
}

pub(crate) fn group(name: &str) -> GroupRef {
    GroupRef { id: GroupId::of(&GroupName::parse(name).unwrap()), name: name.to_owned() }
}

pub(crate) fn open(name: &str) -> KnownGroup {
    KnownGroup { group: group(name), closed: false }
}

pub(crate) fn closed(name: &str) -> KnownGroup {
    KnownGroup { group: group(name), closed: true }
}

pub(crate) fn temporary() -> Prepared {
    Prepared::TemporaryPassword { digest: "00".repeat(32), expires_at: tomorrow() }
}

pub(crate) fn administrator(name: &str) -> Actor {
    let id = UserId::of(&Username::parse(name).unwrap());
    Actor::User { id, name: name.to_owned(), roles: Roles::BASE.with(Role::Administrator) }
}

fn context() -> DecisionContext {
    DecisionContext { now: noon(), group: None, prepared: None, limits: Limits::default() }
}
