//! An aggregate together with its recent commands: recognises repeated commands, decides new ones, and evolves.

use domain::aggregate::{Aggregate, CredentialChange, Decision};
use domain::command::Answer;
use domain::group;
use domain::refusal::{Code, Refusal};
use domain::user;
use domain::webhook;
use event_log::Record;
use event_log::envelope::Stamp;
use log_model::Stream;

use crate::decision_input::DecisionInput;
use crate::dedup::{Lookup, RecentCommands};
use crate::fingerprint::FingerprintKey;
use crate::outcome::CommandOutcome;

/// An aggregate and the commands it has executed lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrackedAggregate<A> {
    pub(crate) aggregate: A,
    pub(crate) recent: RecentCommands,
}

/// How the events of an aggregate become records.
pub(crate) struct RecordEncoding<E> {
    stream: Stream,
    /// Wire name and JSON of an event.
    encode: fn(&E) -> (&'static str, Vec<u8>),
}

pub(crate) const USER_RECORDS: RecordEncoding<user::Event> =
    RecordEncoding { stream: Stream::UserEvents, encode: |event| (event.wire_name(), event.to_json()) };
pub(crate) const GROUP_RECORDS: RecordEncoding<group::Event> =
    RecordEncoding { stream: Stream::GroupEvents, encode: |event| (event.wire_name(), event.to_json()) };
pub(crate) const WEBHOOK_RECORDS: RecordEncoding<webhook::Event> =
    RecordEncoding { stream: Stream::GroupEvents, encode: |event| (event.wire_name(), event.to_json()) };

impl<A: Aggregate> TrackedAggregate<A> {
    pub(crate) fn new(aggregate: A) -> Self {
        Self { aggregate, recent: RecentCommands::default() }
    }

    /// Applies an event and remembers its command.
    pub(crate) fn evolve(&mut self, event: &A::Event, stamp: &Stamp<'_>, key: FingerprintKey) {
        self.aggregate.evolve(event, stamp.time);
        let command = key.command_id(stamp.command_id);
        let request = key.request(stamp.actor, stamp.command_digest);
        self.recent.record(command, request, stamp.id, stamp.time, stamp.sequence);
    }

    /// What follows from a command. `Err` is the outcome of one that is repeated or refused.
    pub(crate) fn decide(
        &self,
        input: &DecisionInput<'_>,
        command: &A::Command,
        expected_version: Option<u64>,
    ) -> Result<Decision<A::Event>, CommandOutcome> {
        let refuse = |code, message: &str| {
            Err(CommandOutcome::Answered(Answer::Refused(Refusal::new(code, message).into())))
        };
        match self.recent.look_up(input.command_fingerprint(), input.request_fingerprint()) {
            Lookup::New => {}
            Lookup::Done(done) => {
                return Err(CommandOutcome::Repeated {
                    version: done.version,
                    first_event: done.first_event,
                });
            }
            Lookup::IdReused => {
                return refuse(Code::CommandIdReused, "Another command was sent under this id.");
            }
        }
        if expected_version.is_some_and(|expected| expected != self.aggregate.version()) {
            return refuse(Code::StaleVersion, "This has changed since you saw it.");
        }
        let decision = self.aggregate.decide(command, &input.context);
        decision.map_err(|refusals| CommandOutcome::Answered(Answer::Refused(refusals)))
    }

    /// Applies a decision and adds its records: the events, and the credentials in a stream of their own
    /// (docs/adr/0005-secrets-stay-at-the-gateway.md).
    pub(crate) fn write(
        &mut self,
        input: &DecisionInput<'_>,
        decision: &Decision<A::Event>,
        encoding: &RecordEncoding<A::Event>,
        records: &mut Vec<(Stream, Record)>,
    ) -> CommandOutcome {
        let mut first_event = None;
        for event in decision.events() {
            let envelope = input.envelope(self.aggregate.version() + 1);
            first_event.get_or_insert(envelope.id);
            let (name, body) = (encoding.encode)(event);
            records.push((encoding.stream, envelope.record(name, body)));
            self.evolve(event, &envelope.stamp(), input.key);
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
        CommandOutcome::Written { version: self.aggregate.version(), first_event }
    }
}
