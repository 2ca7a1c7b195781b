//! What one partition holds, folded from the log; and what follows from a command, on top of what its batch decided before.

use std::collections::HashMap;
use std::hash::Hash;

use domain::actor::Roles;
use domain::address::{self, Asked};
use domain::aggregate::{Aggregate, Decision, Facts, Limits, Secret};
use domain::command::{Answer, Ask, Command};
use domain::deployment::{self, Initialised};
use domain::group::{self, Group, Known};
use domain::id::{GroupId, UserId};
use domain::policy::{self, Denial};
use domain::position::{Place, Position, Stream};
use domain::refusal::{Code, Refusal};
use domain::timestamp::Timestamp;
use domain::user::{self, User};
use event_log::record::{Envelope, Stamp};
use event_log::{Record, Recorded};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::addresses::{self, Addresses, InBatch};
use crate::remembered::{Mark, Remembered, Seen, asked};
use crate::resident::Residents;

/// Everything that a partition's owner knows. Only what is committed is in it.
pub(crate) struct Ledger {
    users: Residents,
    groups: HashMap<GroupId, Slot<Group>>,
    deployment: Option<Initialised>,
    deployment_version: u64,
    addresses: Addresses,
    committed: Position,
}

/// An aggregate and the commands that it has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot<A> {
    pub(crate) aggregate: A,
    pub(crate) remembered: Remembered,
}

/// What a batch has decided so far and nobody has committed yet.
pub(crate) struct Draft<'a> {
    ledger: &'a Ledger,
    limits: Limits,
    changes: Changes,
    records: Vec<(Stream, Record)>,
}

/// What a batch changes in the ledger once it is committed.
#[derive(Default)]
pub(crate) struct Changes {
    users: HashMap<UserId, Slot<User>>,
    groups: HashMap<GroupId, Slot<Group>>,
    addresses: addresses::Changes,
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

impl Ledger {
    /// Nothing yet, of one of so many partitions.
    pub(crate) fn of(partition: u32, partitions: u32) -> Self {
        Self {
            users: Residents::default(),
            groups: HashMap::new(),
            deployment: None,
            deployment_version: 0,
            addresses: Addresses::of(partition, partitions),
            committed: Position::new(),
        }
    }

    /// Takes in a record of the log.
    pub(crate) fn replay(&mut self, recorded: &Recorded) -> Result<(), String> {
        self.cover(recorded.place, recorded.offset);
        if recorded.record.is_claim() {
            return Ok(());
        }
        let record = &recorded.record;
        if recorded.place.stream == Stream::Claims {
            return self.addresses.replay(record);
        }
        let text = |error: &dyn std::error::Error| error.to_string();
        let stamp = record.stamp().map_err(|error| text(&error))?;
        let name = record.wire_name().map_err(|error| text(&error))?;
        let body = record.body.as_deref().unwrap_or_default();
        if stamp.subject == deployment::SUBJECT {
            let deployment::Event::Initialised(first) =
                deployment::Event::from_json(name, body).map_err(|error| text(&error))?;
            self.deployment.get_or_insert(first);
            self.deployment_version = stamp.sequence;
        } else if recorded.place.stream == Stream::GroupEvents {
            let id: GroupId = stamp.subject.parse().map_err(|error| text(&error))?;
            let event = group::Event::from_json(name, body).map_err(|error| text(&error))?;
            self.groups.entry(id).or_insert_with(|| Slot::new(Group::default())).evolve(&event, &stamp);
        } else {
            let id: UserId = stamp.subject.parse().map_err(|error| text(&error))?;
            let event = user::Event::from_json(name, body).map_err(|error| text(&error))?;
            self.users.awake(id).evolve(&event, &stamp);
        }
        Ok(())
    }

    /// Takes in that everything up to the claim was replayed.
    pub(crate) fn replayed(&mut self) {
        self.users.each(|user| self.addresses.replayed(user));
    }

    /// Begins a batch.
    pub(crate) fn draft(&self, limits: Limits) -> Draft<'_> {
        Draft { ledger: self, limits, changes: Changes::default(), records: Vec::new() }
    }

    /// Takes in what a batch changed, now that it is committed up to `position`.
    pub(crate) fn commit(&mut self, changes: Changes, position: &Position) {
        for (id, slot) in changes.users {
            self.users.rest(id, &slot);
        }
        self.groups.extend(changes.groups);
        self.addresses.commit(changes.addresses);
        for (place, offset) in position.iter() {
            self.cover(place, offset);
        }
    }

    /// Answers name this position to those who wait for views, so places that no view follows are not in it.
    fn cover(&mut self, place: Place, offset: u64) {
        if place.stream.is_followed() {
            self.committed.cover(place, offset);
        }
    }

    /// Takes in that nothing else was committed up to `position`.
    pub(crate) fn confirmed(&mut self, position: &Position) {
        self.commit(Changes::default(), position);
    }

    /// Whether somebody has seen more of this owner's places than it has read itself. A marker may stand behind the
    /// last record, so one offset more is no sign of another writer.
    pub(crate) fn is_behind(&self, seen: &Position) -> bool {
        seen.iter().any(|(place, offset)| self.committed.covered(place).is_some_and(|own| offset > own + 1))
    }

    /// Everything committed that this owner knows of.
    pub(crate) fn committed(&self) -> &Position {
        &self.committed
    }

    /// Number of users that were ever registered.
    pub(crate) fn users(&self) -> usize {
        self.users.len()
    }

    /// Who initialised the deployment.
    pub(crate) fn deployment(&self) -> Option<&Initialised> {
        self.deployment.as_ref()
    }

    /// What a user holds; `None` for one who was never registered.
    pub(crate) fn roles(&self, id: UserId) -> Option<Roles> {
        self.users.wake(id)?.aggregate.account().map(|account| account.roles)
    }
}

impl Draft<'_> {
    /// Decides one command on top of what this batch decided before.
    pub(crate) fn decide(&mut self, command: &Command, group: Option<Known>, now: Timestamp) -> Outcome {
        let facts = Facts { now, group, made: command.made.clone(), limits: self.limits };
        let asking = Asking { command, subject: command.ask.subject(), digest: digest(&command.ask), facts };
        match &command.ask {
            Ask::User { id, expected_version, command: asked } => {
                let mut slot = self.user(*id);
                let outcome = match policy::may(&command.actor, asked, *id, slot.aggregate.roles()) {
                    Ok(()) => self.decide_user(&mut slot, &asking, asked, *expected_version),
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
                let mut slot = take(&mut self.changes.groups, &self.ledger.groups, id)
                    .unwrap_or_else(|| Slot::new(Group::default()));
                let outcome = match slot.ask(&asking, asked, *expected_version) {
                    Ok(decision) => slot.write(&asking, &decision, &GROUP_RECORDS, &mut self.records),
                    Err(outcome) => outcome,
                };
                keep(&mut self.changes.groups, *id, slot);
                outcome
            }
            Ask::Claim { address, claim, holder, over } => {
                of_address(self.addresses().claim(*address, *claim, *holder, *over))
            }
            Ask::LetGo { id, address, claim, to, insists } => {
                let mut slot = self.user(*id);
                let is_void = claim.is_some_and(|claim| self.addresses().is_void(claim));
                let to = (*to, &command.actor);
                let asked = address::let_go(&slot.aggregate, *address, *claim, is_void, to, *insists, now);
                let reply = match asked {
                    Asked::Held => address::Reply::Held,
                    Asked::Undecided => address::Reply::Undecided,
                    Asked::Free { gives_way, void } => {
                        if let Some(claim) = void {
                            self.addresses().make_void(claim, now);
                        }
                        if let Some(decision) = gives_way {
                            let followed =
                                self.addresses().follow(&slot.aggregate, decision.events(), None, now);
                            followed.expect("whoever gives an address away takes none");
                            slot.write(&asking, &decision, &USER_RECORDS, &mut self.records);
                        }
                        address::Reply::Free
                    }
                };
                keep(&mut self.changes.users, *id, slot);
                of_address(reply)
            }
        }
    }

    fn decide_user(
        &mut self,
        slot: &mut Slot<User>,
        asking: &Asking<'_>,
        asked: &user::Command,
        expected_version: Option<u64>,
    ) -> Outcome {
        let decision = match slot.ask(asking, asked, expected_version) {
            Ok(decision) => decision,
            Err(outcome) => return outcome,
        };
        let (claim, now) = (asking.command.claim, asking.facts.now);
        match self.addresses().follow(&slot.aggregate, decision.events(), claim, now) {
            Ok(()) => slot.write(asking, &decision, &USER_RECORDS, &mut self.records),
            Err(address) => of_address(address::Reply::ClaimNeeded(address)),
        }
    }

    /// The user as this batch has left them.
    fn user(&mut self, id: UserId) -> Slot<User> {
        (self.changes.users.remove(&id))
            .or_else(|| self.ledger.users.wake(id))
            .unwrap_or_else(|| Slot::new(User::nobody(id)))
    }

    fn addresses(&mut self) -> InBatch<'_> {
        InBatch {
            known: &self.ledger.addresses,
            changes: &mut self.changes.addresses,
            records: &mut self.records,
        }
    }

    /// Records in the deployment's own stream who the first administrator is, unless it is recorded.
    pub(crate) fn initialise(
        &mut self,
        command: &Command,
        first: &Initialised,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let before = self.ledger.deployment();
        let Some(event) = deployment::initialise(before, first.user_id, &first.username)? else {
            return Ok(());
        };
        let event = deployment::Event::from(event);
        let sequence = self.ledger.deployment_version + 1;
        let envelope = envelope(command, deployment::SUBJECT, &digest(&command.ask), sequence, now);
        self.records
            .push((Stream::GroupEvents, Record::event(&envelope, event.wire_name(), event.to_json())));
        Ok(())
    }

    /// What to write, and what to take into the ledger once that is committed.
    pub(crate) fn finish(self) -> (Vec<(Stream, Record)>, Changes) {
        (self.records, self.changes)
    }
}

/// A command with what is derived from it once.
struct Asking<'a> {
    command: &'a Command,
    subject: String,
    digest: String,
    facts: Facts,
}

/// How the events of an aggregate become records.
struct ToRecords<E> {
    stream: Stream,
    encode: fn(&E) -> (&'static str, Vec<u8>),
}

const USER_RECORDS: ToRecords<user::Event> =
    ToRecords { stream: Stream::UserEvents, encode: |event| (event.wire_name(), event.to_json()) };
const GROUP_RECORDS: ToRecords<group::Event> =
    ToRecords { stream: Stream::GroupEvents, encode: |event| (event.wire_name(), event.to_json()) };

impl<A: Aggregate> Slot<A> {
    pub(crate) fn new(aggregate: A) -> Self {
        Self { aggregate, remembered: Remembered::default() }
    }

    fn evolve(&mut self, event: &A::Event, stamp: &Stamp<'_>) {
        self.aggregate.evolve(event, stamp.time);
        let asked = asked(stamp.actor, stamp.command_digest);
        self.remembered.note(stamp.command_id, asked, stamp.id, stamp.time, stamp.sequence);
    }

    /// What follows from a command that was not done before; or else what it comes to.
    fn ask(
        &self,
        asking: &Asking<'_>,
        what: &A::Command,
        expected_version: Option<u64>,
    ) -> Result<Decision<A::Event>, Outcome> {
        let refuse =
            |code, message: &str| Err(Outcome::Answered(Answer::Refused(Refusal::new(code, message).into())));
        let asked = asked(&asking.command.actor.id_text(), &asking.digest);
        match self.remembered.look_up(&asking.command.id, asked) {
            Seen::New => {}
            Seen::Done(done) => {
                return Err(Outcome::Repeated { version: done.version, first_event: done.first_event });
            }
            Seen::Reused => return refuse(Code::CommandIdReused, "Another command was sent under this id."),
        }
        if expected_version.is_some_and(|expected| expected != self.aggregate.version()) {
            return refuse(Code::StaleVersion, "This has changed since you saw it.");
        }
        let decision = self.aggregate.decide(what, &asking.facts);
        decision.map_err(|refusals| Outcome::Answered(Answer::Refused(refusals)))
    }

    /// Adds the records of a decision and moves on.
    fn write(
        &mut self,
        asking: &Asking<'_>,
        decision: &Decision<A::Event>,
        to_records: &ToRecords<A::Event>,
        records: &mut Vec<(Stream, Record)>,
    ) -> Outcome {
        let mut first_event = None;
        for event in decision.events() {
            let sequence = self.aggregate.version() + 1;
            let envelope =
                envelope(asking.command, &asking.subject, &asking.digest, sequence, asking.facts.now);
            first_event.get_or_insert(envelope.id);
            let (name, body) = (to_records.encode)(event);
            records.push((to_records.stream, Record::event(&envelope, name, body)));
            self.evolve(event, &envelope.stamp());
        }
        for secret in decision.secrets() {
            let record = match secret {
                Secret::Put(id, credential) => {
                    let body = serde_json::to_vec(credential).expect("a credential is plain data");
                    Record::keyed(id.to_string(), Some(body))
                }
                Secret::Remove(id) => Record::keyed(id.to_string(), None),
            };
            records.push((Stream::Credentials, record));
        }
        Outcome::Written { version: self.aggregate.version(), first_event }
    }
}

/// The slot as this batch has left it, else a copy of the committed one.
fn take<K: Hash + Eq, A: Clone>(
    changed: &mut HashMap<K, Slot<A>>,
    committed: &HashMap<K, Slot<A>>,
    id: &K,
) -> Option<Slot<A>> {
    changed.remove(id).or_else(|| committed.get(id).cloned())
}

/// Keeps the slot for the rest of the batch. What never was is not kept: refused commands cost no memory.
fn keep<K: Hash + Eq, A: Aggregate>(changed: &mut HashMap<K, Slot<A>>, id: K, slot: Slot<A>) {
    if slot.aggregate.version() > 0 {
        changed.insert(id, slot);
    }
}

fn of_address(reply: address::Reply) -> Outcome {
    Outcome::Answered(Answer::OfAddress(reply))
}

fn envelope(command: &Command, subject: &str, digest: &str, sequence: u64, time: Timestamp) -> Envelope {
    Envelope {
        id: Uuid::now_v7(),
        time,
        subject: subject.to_owned(),
        sequence,
        command_id: command.id.clone(),
        command_digest: digest.to_owned(),
        correlation_id: command.correlation_id.clone(),
        actor: String::new(),
        actor_name: String::new(),
        actor_role: None,
        client: command.client.clone(),
        traceparent: command.traceparent.clone(),
    }
    .asked_by(&command.actor)
}

/// Hex SHA-256 of what was asked as JSON: nothing of what the gateway made for it is in it.
fn digest(ask: &Ask) -> String {
    let json = serde_json::to_vec(ask).expect("what is asked is plain data");
    hex::encode(Sha256::digest(json))
}
