//! The aggregate: decide what follows from a command, evolve with each event. A decision is events and credentials.

use crate::credential::{Credential, CredentialId, Kind};
use crate::decision_context::DecisionContext;
use crate::refusal::Refusals;
use crate::timestamp::Timestamp;

/// Something with a history of its own that takes one command at a time.
pub trait Aggregate {
    /// What can be asked of it.
    type Command;
    /// What can have happened to it.
    type Event;

    /// Number of events so far; it is the sequence number of the last one.
    fn version(&self) -> u64;

    /// What follows from the command, or why it is refused. A pure function of its arguments.
    fn decide(
        &self,
        command: &Self::Command,
        context: &DecisionContext,
    ) -> Result<Decision<Self::Event>, Refusals>;

    /// Applies the next event. `at` is the time of its record.
    fn evolve(&mut self, event: &Self::Event, at: Timestamp);
}

/// What follows from a command: events in order, and the changes of credentials that go with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<E> {
    base: u64,
    events: Vec<E>,
    credential_changes: Vec<CredentialChange>,
}

/// A change of a user's credentials. Credentials are kept apart from events (ADR 0005).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialChange {
    /// The credential is now this.
    Put(CredentialId, Credential),
    /// The credential is gone.
    Remove(CredentialId),
}

impl<E> Decision<E> {
    /// An empty decision of an aggregate at `version`.
    pub fn after(version: u64) -> Self {
        Self { base: version, events: Vec::new(), credential_changes: Vec::new() }
    }

    /// Adds an event.
    #[must_use]
    pub fn event(mut self, event: impl Into<E>) -> Self {
        self.events.push(event.into());
        self
    }

    /// Adds the event, if there is one.
    #[must_use]
    pub fn maybe(mut self, event: Option<impl Into<E>>) -> Self {
        self.events.extend(event.map(Into::into));
        self
    }

    /// Adds a credential that comes with the last event. Its version is that event's sequence number.
    #[must_use]
    pub fn put(mut self, id: CredentialId, kind: Kind) -> Self {
        let version = self.base + self.events.len() as u64;
        self.credential_changes.push(CredentialChange::Put(id, Credential { kind, version }));
        self
    }

    /// Stores a credential anew without an event. It keeps its version.
    #[must_use]
    pub fn restore(mut self, id: CredentialId, credential: Credential) -> Self {
        self.credential_changes.push(CredentialChange::Put(id, credential));
        self
    }

    /// Removes a credential.
    #[must_use]
    pub fn remove(mut self, id: CredentialId) -> Self {
        self.credential_changes.push(CredentialChange::Remove(id));
        self
    }

    /// The sequence number that the next event gets.
    pub fn next_sequence(&self) -> u64 {
        self.base + self.events.len() as u64 + 1
    }

    /// The events, in order.
    pub fn events(&self) -> &[E] {
        &self.events
    }

    /// The changes of credentials, in order.
    pub fn credential_changes(&self) -> &[CredentialChange] {
        &self.credential_changes
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.credential_changes.is_empty()
    }
}
