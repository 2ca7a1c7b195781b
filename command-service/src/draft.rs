//! What follows from the commands of one batch, each decided on top of those before it and of what is committed.

use std::collections::HashMap;
use std::hash::Hash;

use domain::address::{self, ReleaseDecision};
use domain::aggregate::Aggregate;
use domain::command::{Answer, Ask, Command};
use domain::decision_context::{DecisionContext, Limits};
use domain::deployment::{self, Initialised};
use domain::group::{Group, KnownGroup};
use domain::id::{GroupId, UserId};
use domain::policy::{self, Denial};
use domain::refusal::Refusal;
use domain::timestamp::Timestamp;
use domain::user::{self, User};
use event_log::Record;
use log_model::{Position, Stream};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::addresses::{self, InBatch};
use crate::ledger::Ledger;
use crate::remembered::Mark;
use crate::slot::{Asking, GROUP_RECORDS, Slot, USER_RECORDS, envelope};

/// What a batch has decided so far and nobody has committed yet.
#[derive(Default)]
pub(crate) struct Draft {
    changes: Changes,
    records: Vec<(Stream, Record)>,
}

/// What a batch is decided on.
#[derive(Clone, Copy)]
pub(crate) struct Base<'a> {
    /// What is committed.
    pub(crate) ledger: &'a Ledger,
    /// What the batch before changes, while that is being written.
    pub(crate) in_flight: Option<&'a Changes>,
    pub(crate) limits: Limits,
}

/// What a batch changes in the ledger once it is committed.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) users: HashMap<UserId, Slot<User>>,
    pub(crate) groups: HashMap<GroupId, Slot<Group>>,
    pub(crate) addresses: addresses::Changes,
    /// How many user events are written.
    pub(crate) user_events: usize,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Its answer, which needs nothing to be written.
    Answered(Answer),
    /// Accepted once the batch is committed.
    Written {
        /// Version after the command's last event.
        version: u64,
        /// Id of its first event, if it has one.
        first_event: Option<Uuid>,
    },
    /// It was done before.
    Repeated {
        /// Version after the command's last event.
        version: u64,
        /// The first event that was written for it.
        first_event: Mark,
    },
}

/// The answer for whoever needs no position, once what was decided is committed.
impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        let (version, repeated) = match outcome {
            Outcome::Answered(answer) => return answer,
            Outcome::Written { version, .. } => (version, false),
            Outcome::Repeated { version, .. } => (version, true),
        };
        Self::Accepted { version, position: Position::new(), repeated }
    }
}

impl<'a> Base<'a> {
    /// What is committed, with nothing in flight and no limits but the usual ones.
    pub(crate) fn of(ledger: &'a Ledger) -> Self {
        Self { ledger, in_flight: None, limits: Limits::default() }
    }

    fn user(&self, id: UserId) -> Option<Slot<User>> {
        let changed = self.in_flight.and_then(|changes| changes.users.get(&id));
        changed.cloned().or_else(|| self.ledger.users.wake(id))
    }

    fn group(&self, id: GroupId) -> Option<Slot<Group>> {
        let changed = self.in_flight.and_then(|changes| changes.groups.get(&id));
        changed.or_else(|| self.ledger.groups.get(&id)).cloned()
    }
}

impl Draft {
    /// Decides one command on top of what this batch decided before. Every command of a batch has the same base, but that what
    /// was in flight may have been committed meanwhile.
    pub(crate) fn decide(
        &mut self,
        base: Base<'_>,
        command: &Command,
        group: Option<KnownGroup>,
        now: Timestamp,
    ) -> Outcome {
        let context = DecisionContext { now, group, prepared: command.prepared.clone(), limits: base.limits };
        let (subject, digest) = (command.ask.subject(), digest(&command.ask));
        let asking = Asking { command, subject, digest, context, key: base.ledger.key };
        match &command.ask {
            Ask::User { id, expected_version, command: asked } => {
                let mut slot = self.user(base, *id);
                let outcome = match policy::may(&command.actor, asked, *id, slot.aggregate.roles()) {
                    Ok(()) => self.decide_user(base, &mut slot, &asking, asked, *expected_version),
                    Err(Denial::Forbidden) => Outcome::Answered(Answer::Forbidden),
                    Err(Denial::Refused(refusal)) => Outcome::Answered(Answer::Refused(refusal.into())),
                };
                keep(&mut self.changes.users, *id, slot);
                outcome
            }
            Ask::Group { .. } | Ask::Barrier { .. } if !policy::may_administer(&command.actor) => {
                Outcome::Answered(Answer::Forbidden)
            }
            // What it asks for was done before anything of its batch was decided.
            Ask::Barrier { .. } => Outcome::Written { version: 0, first_event: None },
            Ask::Group { id, expected_version, command: asked } => {
                let mut slot = (self.changes.groups.remove(id))
                    .or_else(|| base.group(*id))
                    .unwrap_or_else(|| Slot::new(Group::default()));
                let outcome = match slot.ask(&asking, asked, *expected_version) {
                    Ok(decision) => slot.write(&asking, &decision, &GROUP_RECORDS, &mut self.records),
                    Err(outcome) => outcome,
                };
                keep(&mut self.changes.groups, *id, slot);
                outcome
            }
            Ask::ReserveAddress { address, reservation, holder, over } => {
                of_address(self.addresses(base).reserve(*address, *reservation, *holder, *over))
            }
            Ask::ReleaseAddress { id, address, reservation, to, insists } => {
                let mut slot = self.user(base, *id);
                let is_void =
                    reservation.is_some_and(|reservation| self.addresses(base).is_void(reservation));
                let insists = *insists
                    || reservation.is_some_and(|reservation| self.addresses(base).is_used(reservation));
                let to = (*to, &command.actor);
                let asked =
                    address::release(&slot.aggregate, *address, *reservation, is_void, to, insists, now);
                let reply = match asked {
                    ReleaseDecision::Held => address::ReservationReply::Held,
                    ReleaseDecision::Undecided => address::ReservationReply::Undecided,
                    ReleaseDecision::Free { relinquished, void } => {
                        if let Some(reservation) = void {
                            self.addresses(base).make_void(reservation, now);
                        }
                        if let Some(decision) = relinquished {
                            let followed =
                                self.addresses(base).follow(&slot.aggregate, decision.events(), None, now);
                            followed.expect("whoever gives an address away takes none");
                            slot.write(&asking, &decision, &USER_RECORDS, &mut self.records);
                        }
                        address::ReservationReply::Free
                    }
                };
                keep(&mut self.changes.users, *id, slot);
                of_address(reply)
            }
        }
    }

    fn decide_user(
        &mut self,
        base: Base<'_>,
        slot: &mut Slot<User>,
        asking: &Asking<'_>,
        asked: &user::Command,
        expected_version: Option<u64>,
    ) -> Outcome {
        let decision = match slot.ask(asking, asked, expected_version) {
            Ok(decision) => decision,
            Err(outcome) => return outcome,
        };
        let (reservation, now) = (asking.command.reservation, asking.context.now);
        match self.addresses(base).follow(&slot.aggregate, decision.events(), reservation, now) {
            Ok(()) => slot.write(asking, &decision, &USER_RECORDS, &mut self.records),
            Err(address) => of_address(address::ReservationReply::ReservationNeeded(address)),
        }
    }

    /// The user as this batch has left them.
    fn user(&mut self, base: Base<'_>, id: UserId) -> Slot<User> {
        (self.changes.users.remove(&id)).or_else(|| base.user(id)).unwrap_or_else(|| Slot::new(User::new(id)))
    }

    fn addresses<'a>(&'a mut self, base: Base<'a>) -> InBatch<'a> {
        InBatch {
            known: &base.ledger.addresses,
            in_flight: base.in_flight.map(|changes| &changes.addresses),
            changes: &mut self.changes.addresses,
            records: &mut self.records,
        }
    }

    /// Records in the deployment's own stream who the first administrator is, unless it is recorded.
    pub(crate) fn initialise(
        &mut self,
        ledger: &Ledger,
        command: &Command,
        first: &Initialised,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let before = ledger.deployment();
        let Some(event) = deployment::initialise(before, first.user_id, &first.username)? else {
            return Ok(());
        };
        let event = deployment::Event::from(event);
        let sequence = ledger.deployment_version + 1;
        let envelope = envelope(command, deployment::SUBJECT, &digest(&command.ask), sequence, now);
        self.records.push((Stream::GroupEvents, envelope.record(event.wire_name(), event.to_json())));
        Ok(())
    }

    /// What to write, and what to take into the ledger once that is committed.
    pub(crate) fn finish(mut self) -> (Vec<(Stream, Record)>, Changes) {
        self.changes.user_events =
            self.records.iter().filter(|(stream, _)| *stream == Stream::UserEvents).count();
        (self.records, self.changes)
    }
}

/// Keeps the slot for the rest of the batch. What never was is not kept: refused commands cost no memory.
fn keep<K: Hash + Eq, A: Aggregate>(changed: &mut HashMap<K, Slot<A>>, id: K, slot: Slot<A>) {
    if slot.aggregate.version() > 0 {
        changed.insert(id, slot);
    }
}

fn of_address(reply: address::ReservationReply) -> Outcome {
    Outcome::Answered(Answer::OfAddress(reply))
}

/// Hex SHA-256 of what was asked as JSON: nothing of what the gateway made for it is in it.
fn digest(ask: &Ask) -> String {
    let json = serde_json::to_vec(ask).expect("what is asked is plain data");
    hex::encode(Sha256::digest(json))
}
