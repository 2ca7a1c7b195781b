//! An aggregate with the commands that it has done: decides what is new, and moves on.

use domain::aggregate::{Aggregate, CredentialChange, Decision};
use domain::command::{Answer, Command};
use domain::decision_context::DecisionContext;
use domain::group;
use domain::refusal::{Code, Refusal};
use domain::timestamp::Timestamp;
use domain::user;
use event_log::Record;
use event_log::envelope::{Envelope, Stamp};
use log_model::Stream;
use uuid::Uuid;

use crate::draft::Outcome;
use crate::remembered::{Key, Remembered, Seen};

/// An aggregate and the commands that it has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot<A> {
    pub(crate) aggregate: A,
    pub(crate) remembered: Remembered,
}

/// A command with what is derived from it once.
pub(crate) struct Asking<'a> {
    pub(crate) command: &'a Command,
    pub(crate) subject: String,
    pub(crate) digest: String,
    pub(crate) context: DecisionContext,
    /// By which the aggregate knows commands again.
    pub(crate) key: Key,
}

/// How the events of an aggregate become records.
pub(crate) struct ToRecords<E> {
    stream: Stream,
    encode: fn(&E) -> (&'static str, Vec<u8>),
}

pub(crate) const USER_RECORDS: ToRecords<user::Event> =
    ToRecords { stream: Stream::UserEvents, encode: |event| (event.wire_name(), event.to_json()) };
pub(crate) const GROUP_RECORDS: ToRecords<group::Event> =
    ToRecords { stream: Stream::GroupEvents, encode: |event| (event.wire_name(), event.to_json()) };

impl<A: Aggregate> Slot<A> {
    pub(crate) fn new(aggregate: A) -> Self {
        Self { aggregate, remembered: Remembered::default() }
    }

    pub(crate) fn evolve(&mut self, event: &A::Event, stamp: &Stamp<'_>, key: Key) {
        self.aggregate.evolve(event, stamp.time);
        let (command, asked) = (key.command(stamp.command_id), key.asked(stamp.actor, stamp.command_digest));
        self.remembered.note(command, asked, stamp.id, stamp.time, stamp.sequence);
    }

    /// What follows from a command that was not done before; or else what it comes to.
    pub(crate) fn ask(
        &self,
        asking: &Asking<'_>,
        what: &A::Command,
        expected_version: Option<u64>,
    ) -> Result<Decision<A::Event>, Outcome> {
        let refuse =
            |code, message: &str| Err(Outcome::Answered(Answer::Refused(Refusal::new(code, message).into())));
        let asked = asking.key.asked(&asking.command.actor.id_text(), &asking.digest);
        match self.remembered.look_up(asking.key.command(&asking.command.id), asked) {
            Seen::New => {}
            Seen::Done(done) => {
                return Err(Outcome::Repeated { version: done.version, first_event: done.first_event });
            }
            Seen::Reused => return refuse(Code::CommandIdReused, "Another command was sent under this id."),
        }
        if expected_version.is_some_and(|expected| expected != self.aggregate.version()) {
            return refuse(Code::StaleVersion, "This has changed since you saw it.");
        }
        let decision = self.aggregate.decide(what, &asking.context);
        decision.map_err(|refusals| Outcome::Answered(Answer::Refused(refusals)))
    }

    /// Adds the records of a decision and moves on.
    pub(crate) fn write(
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
                envelope(asking.command, &asking.subject, &asking.digest, sequence, asking.context.now);
            first_event.get_or_insert(envelope.id);
            let (name, body) = (to_records.encode)(event);
            records.push((to_records.stream, envelope.record(name, body)));
            self.evolve(event, &envelope.stamp(), asking.key);
        }
        for secret in decision.credential_changes() {
            let record = match secret {
                CredentialChange::Put(id, credential) => {
                    let body = serde_json::to_vec(credential).expect("a credential is plain data");
                    Record::keyed(id.to_string(), Some(body))
                }
                CredentialChange::Remove(id) => Record::keyed(id.to_string(), None),
            };
            records.push((Stream::Credentials, record));
        }
        Outcome::Written { version: self.aggregate.version(), first_event }
    }
}

pub(crate) fn envelope(
    command: &Command,
    subject: &str,
    digest: &str,
    sequence: u64,
    time: Timestamp,
) -> Envelope {
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
