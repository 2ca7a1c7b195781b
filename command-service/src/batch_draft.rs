//! Decides the commands of one batch, each on top of the ones before it, and collects what the batch writes.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use domain::address::{self, ReleaseDecision, ReservationReply};
use domain::aggregate::Aggregate;
use domain::command::{Answer, Ask, Command};
use domain::decision_context::DecisionContext;
use domain::deployment::{self, Initialised};
use domain::group::{Group, KnownGroup};
use domain::id::{UserId, WebhookId};
use domain::policy::{self, Denial};
use domain::refusal::{Code, Refusal};
use domain::timestamp::Timestamp;
use domain::user::{self, User};
use domain::webhook::{self, MOST_WEBHOOKS, Webhook};
use event_log::Record;
use log_model::Stream;

use crate::address_draft::AddressDraft;
use crate::decision_base::DecisionBase;
use crate::decision_input::{DecisionInput, digest, envelope};
use crate::ledger::{Ledger, LedgerChanges};
use crate::outcome::CommandOutcome;
use crate::tracked_aggregate::{GROUP_RECORDS, TrackedAggregate, USER_RECORDS, WEBHOOK_RECORDS};

/// What a batch has decided so far. None of it is committed.
#[derive(Default)]
pub(crate) struct BatchDraft {
    changes: LedgerChanges,
    records: Vec<(Stream, Record)>,
}

impl BatchDraft {
    /// Decides one command on top of what this batch has decided before.
    ///
    /// All commands of a batch are decided on the same state. If the batch in flight is committed meanwhile, its changes
    /// only move from `in_flight` into the ledger.
    pub(crate) fn decide(
        &mut self,
        base: DecisionBase<'_>,
        command: &Command,
        group: Option<KnownGroup>,
        now: Timestamp,
    ) -> CommandOutcome {
        let context = DecisionContext { now, group, prepared: command.prepared.clone(), limits: base.limits };
        let input = DecisionInput::new(command, context, base.ledger.key);
        match &command.ask {
            Ask::User { id, expected_version, command: asked } => {
                let mut user = self.user(base, *id);
                let outcome = match policy::may(&command.actor, asked.action(), *id, user.aggregate.roles()) {
                    Ok(()) => self.decide_user(base, &mut user, &input, asked, *expected_version),
                    Err(Denial::Forbidden) => CommandOutcome::Answered(Answer::Forbidden),
                    Err(Denial::Refused(refusal)) => {
                        CommandOutcome::Answered(Answer::Refused(refusal.into()))
                    }
                };
                put_back(&mut self.changes.users, *id, user);
                outcome
            }
            Ask::Group { .. } | Ask::Webhook { .. } | Ask::Barrier { .. }
                if !policy::may_administer(&command.actor) =>
            {
                CommandOutcome::Answered(Answer::Forbidden)
            }
            // The claim that a barrier asks for was committed before this batch was begun.
            Ask::Barrier { .. } => CommandOutcome::Written { version: 0, first_event: None },
            Ask::Group { id, expected_version, command: asked } => {
                let mut group = (self.changes.groups.remove(id))
                    .or_else(|| base.group(*id))
                    .unwrap_or_else(|| TrackedAggregate::new(Group::default()));
                let outcome = match group.decide(&input, asked, *expected_version) {
                    Ok(decision) => group.write(&input, &decision, &GROUP_RECORDS, &mut self.records),
                    Err(outcome) => outcome,
                };
                put_back(&mut self.changes.groups, *id, group);
                outcome
            }
            Ask::Webhook { id, expected_version, command: asked } => {
                self.decide_webhook(base, *id, &input, asked, *expected_version)
            }
            Ask::ReserveAddress { address, reservation, holder, over } => {
                of_address(self.addresses(base).reserve(*address, *reservation, *holder, *over))
            }
            Ask::ReleaseAddress { id, address, reservation, to, insists } => {
                let mut user = self.user(base, *id);
                let addresses = self.addresses(base);
                let is_void = reservation.is_some_and(|reservation| addresses.is_void(reservation));
                // A used reservation is not on its way any more, so there is no reason to wait for it.
                let insists =
                    *insists || reservation.is_some_and(|reservation| addresses.is_used(reservation));
                let to = (*to, &command.actor);
                let decision =
                    address::release(&user.aggregate, *address, *reservation, is_void, to, insists, now);
                let reply = self.release(base, &mut user, &input, decision);
                put_back(&mut self.changes.users, *id, user);
                of_address(reply)
            }
        }
    }

    fn decide_user(
        &mut self,
        base: DecisionBase<'_>,
        user: &mut TrackedAggregate<User>,
        input: &DecisionInput<'_>,
        asked: &user::Command,
        expected_version: Option<u64>,
    ) -> CommandOutcome {
        let decision = match user.decide(input, asked, expected_version) {
            Ok(decision) => decision,
            Err(outcome) => return outcome,
        };
        let (reservation, now) = (input.command.reservation, input.context.now);
        match self.addresses(base).change_holder(&user.aggregate, decision.events(), reservation, now) {
            Ok(()) => user.write(input, &decision, &USER_RECORDS, &mut self.records),
            Err(address) => of_address(ReservationReply::ReservationNeeded(address)),
        }
    }

    fn decide_webhook(
        &mut self,
        base: DecisionBase<'_>,
        id: WebhookId,
        input: &DecisionInput<'_>,
        asked: &webhook::Command,
        expected_version: Option<u64>,
    ) -> CommandOutcome {
        let mut webhook = (self.changes.webhooks.remove(&id))
            .or_else(|| base.webhook(id))
            .unwrap_or_else(|| TrackedAggregate::new(Webhook::default()));
        let outcome = match webhook.decide(input, asked, expected_version) {
            Ok(_) if !webhook.aggregate.exists() && self.webhooks(base) >= MOST_WEBHOOKS => {
                let message = format!("There are {MOST_WEBHOOKS} webhooks already, and no more are allowed.");
                CommandOutcome::Answered(Answer::Refused(Refusal::new(Code::TooMany, message).into()))
            }
            Ok(decision) => webhook.write(input, &decision, &WEBHOOK_RECORDS, &mut self.records),
            Err(outcome) => outcome,
        };
        put_back(&mut self.changes.webhooks, id, webhook);
        outcome
    }

    /// How many webhooks there are, those of this batch included.
    fn webhooks(&self, base: DecisionBase<'_>) -> usize {
        let in_flight = base.in_flight.map(|changes| &changes.webhooks);
        let newest = base.ledger.webhooks.keys().chain(in_flight.into_iter().flatten().map(|(id, _)| id));
        let ids: HashSet<WebhookId> = newest.chain(self.changes.webhooks.keys()).copied().collect();
        let exists = |id: &WebhookId| {
            let changed = self.changes.webhooks.get(id).map(|tracked| tracked.aggregate.exists());
            changed.unwrap_or_else(|| base.webhook(*id).is_some_and(|tracked| tracked.aggregate.exists()))
        };
        ids.iter().filter(|id| exists(id)).count()
    }

    /// Writes what a user's release of an address needs.
    fn release(
        &mut self,
        base: DecisionBase<'_>,
        user: &mut TrackedAggregate<User>,
        input: &DecisionInput<'_>,
        decision: ReleaseDecision,
    ) -> ReservationReply {
        let now = input.context.now;
        match decision {
            ReleaseDecision::Held => ReservationReply::Held,
            ReleaseDecision::Undecided => ReservationReply::Undecided,
            ReleaseDecision::Free { relinquished, void } => {
                if let Some(reservation) = void {
                    self.addresses(base).make_void(reservation, now);
                }
                if let Some(decision) = relinquished {
                    let changed =
                        self.addresses(base).change_holder(&user.aggregate, decision.events(), None, now);
                    changed.expect("a user who gives an address away takes none");
                    user.write(input, &decision, &USER_RECORDS, &mut self.records);
                }
                ReservationReply::Free
            }
        }
    }

    /// Takes the user, as this batch has left them, out of the draft. To be put back.
    fn user(&mut self, base: DecisionBase<'_>, id: UserId) -> TrackedAggregate<User> {
        (self.changes.users.remove(&id))
            .or_else(|| base.user(id))
            .unwrap_or_else(|| TrackedAggregate::new(User::new(id)))
    }

    fn addresses<'a>(&'a mut self, base: DecisionBase<'a>) -> AddressDraft<'a> {
        AddressDraft {
            committed: &base.ledger.addresses,
            users: &base.ledger.users,
            in_flight: base.in_flight.map(|changes| &changes.addresses),
            changes: &mut self.changes.addresses,
            records: &mut self.records,
        }
    }

    /// Records who the first administrator is in the deployment's own stream, unless it is recorded already.
    pub(crate) fn initialise(
        &mut self,
        ledger: &Ledger,
        command: &Command,
        first: &Initialised,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let before = ledger.deployment();
        let partitions = first.partitions.unwrap_or(1);
        let Some(event) = deployment::initialise(before, first.user_id, &first.username, partitions)? else {
            return Ok(());
        };
        let event = deployment::Event::from(event);
        let sequence = ledger.deployment_version + 1;
        let envelope = envelope(command, deployment::SUBJECT, &digest(&command.ask), sequence, now);
        self.records.push((Stream::GroupEvents, envelope.record(event.wire_name(), event.to_json())));
        Ok(())
    }

    /// The records to write, and the changes for the ledger once they are committed.
    pub(crate) fn finish(mut self) -> (Vec<(Stream, Record)>, LedgerChanges) {
        self.changes.user_events =
            self.records.iter().filter(|(stream, _)| *stream == Stream::UserEvents).count();
        (self.records, self.changes)
    }
}

/// Puts an aggregate back into the draft. One without events is dropped, so that refused commands cost no memory.
fn put_back<K: Hash + Eq, A: Aggregate>(
    changed: &mut HashMap<K, TrackedAggregate<A>>,
    id: K,
    tracked: TrackedAggregate<A>,
) {
    if tracked.aggregate.version() > 0 {
        changed.insert(id, tracked);
    }
}

fn of_address(reply: ReservationReply) -> CommandOutcome {
    CommandOutcome::Answered(Answer::OfAddress(reply))
}
