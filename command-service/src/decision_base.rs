//! What a batch is decided on: the committed ledger, and the changes of the batch in flight on top of it.

use domain::decision_context::Limits;
use domain::group::Group;
use domain::id::{GroupId, UserId, WebhookId};
use domain::user::User;
use domain::webhook::Webhook;

use crate::ledger::{Ledger, LedgerChanges};
use crate::tracked_aggregate::TrackedAggregate;

/// The state below a batch.
#[derive(Clone, Copy)]
pub(crate) struct DecisionBase<'a> {
    /// Everything committed.
    pub(crate) ledger: &'a Ledger,
    /// The changes of the batch in flight, which count as if they were committed.
    pub(crate) in_flight: Option<&'a LedgerChanges>,
    pub(crate) limits: Limits,
}

impl<'a> DecisionBase<'a> {
    /// A committed ledger with nothing in flight and the default limits.
    pub(crate) fn committed(ledger: &'a Ledger) -> Self {
        Self { ledger, in_flight: None, limits: Limits::default() }
    }

    /// The user, unless there is no event of them.
    pub(crate) fn user(&self, id: UserId) -> Option<TrackedAggregate<User>> {
        let changed = self.in_flight.and_then(|changes| changes.users.get(&id));
        changed.cloned().or_else(|| self.ledger.users.load(id))
    }

    /// The group, unless there is no event of it.
    pub(crate) fn group(&self, id: GroupId) -> Option<TrackedAggregate<Group>> {
        let changed = self.in_flight.and_then(|changes| changes.groups.get(&id));
        changed.or_else(|| self.ledger.groups.get(&id)).cloned()
    }

    /// The webhook, unless there is no event of it.
    pub(crate) fn webhook(&self, id: WebhookId) -> Option<TrackedAggregate<Webhook>> {
        let changed = self.in_flight.and_then(|changes| changes.webhooks.get(&id));
        changed.or_else(|| self.ledger.webhooks.get(&id)).cloned()
    }
}
