//! A stage for specs of the checker: one partition, written as an owner would.

use std::sync::Arc;

use domain::aggregate::Aggregate;
use domain::command::{Ask, Command};
use domain::decision_context::{DecisionContext, Limits, Prepared};
use domain::group::{self, Group, GroupRef, KnownGroup};
use domain::id::{GroupId, UserId};
use domain::names::GroupName;
use domain::names::Username;
use domain::patch::Patch;
use domain::testing;
use domain::timestamp::Timestamp;
use domain::user::{self, User, agent, lifecycle, password};
use event_log::chain::Chain;
use event_log::envelope::Envelope;
use event_log::{Record, Recorded};
use log_model::{Stream, StreamPartition};
use uuid::Uuid;

use super::{Kind, check};
use crate::history::{Attempt, Outcome};

/// One partition, written as an owner would.
pub(super) struct World {
    pub(super) now: u64,
    pub(super) user: User,
    group: Group,
    chains: [Chain; 2],
    pub(super) history: Vec<Attempt>,
    pub(super) records: Vec<Recorded>,
}

const NAME: &str = "alice";

impl World {
    /// A group, and one user in it, at version 3.
    pub(super) fn new() -> Self {
        let user = UserId::of(&Username::parse(NAME).unwrap());
        let mut world = Self {
            now: 0,
            user: User::new(user),
            group: Group::default(),
            chains: [Chain::default(); 2],
            history: Vec::new(),
            records: Vec::new(),
        };
        world.claim();
        let create = group::CreateGroup { name: "staff".to_owned(), ..group::CreateGroup::default() };
        let ask =
            Ask::Group { id: staff(), expected_version: None, command: group::Command::CreateGroup(create) };
        world.accept(&command("group", ask));
        world.accept(&world.create());
        world
    }

    pub(super) fn ask(&self, id: &str, what: user::Command) -> Command {
        command(id, Ask::User { id: self.user.id(), expected_version: None, command: what })
    }

    fn create(&self) -> Command {
        self.ask("create", user::Command::CreateUser(testing::creation(NAME, staff())))
    }

    pub(super) fn suspend(&self, id: &str) -> Command {
        self.ask(id, user::Command::SuspendUser(lifecycle::SuspendUser { reason: "for a while".to_owned() }))
    }

    pub(super) fn reset(&self, id: &str) -> Command {
        self.ask(id, user::Command::ResetPassword(password::ResetPassword::default()))
    }

    pub(super) fn edit(&self, id: &str, jobs: i32) -> Command {
        let edit = agent::EditUfaConfig { max_jobs: Patch::Set(jobs), ..agent::EditUfaConfig::default() };
        self.ask(id, user::Command::EditUfaConfig(edit))
    }

    /// Somebody hears this.
    pub(super) fn told(&mut self, command: &Command, outcome: Outcome) {
        let command = Arc::new(command.clone());
        self.history.push(Attempt { command, asked: self.now + 1, answered: self.now + 2, outcome });
        self.now += 2;
    }

    /// It is written, and somebody hears so.
    pub(super) fn accept(&mut self, command: &Command) {
        self.write(command);
        let version = match &command.ask {
            Ask::User { .. } => self.user.version(),
            Ask::Group { .. } => self.group.version(),
            other => panic!("nobody asks {other:?} here"),
        };
        self.told(command, Outcome::Accepted { version, repeated: false });
    }

    /// It is written as the rules say.
    pub(super) fn write(&mut self, command: &Command) {
        let group = GroupRef { id: staff(), name: "staff".to_owned() };
        let group = Some(KnownGroup { group, closed: false });
        let now = Timestamp::from_micros(0);
        let facts =
            DecisionContext { now, group, prepared: command.prepared.clone(), limits: Limits::default() };
        match &command.ask {
            Ask::User { command: asked, .. } => {
                for event in self.user.decide(asked, &facts).unwrap().events() {
                    self.user.evolve(event, now);
                    let version = self.user.version();
                    self.record(Stream::UserEvents, command, version, event.wire_name(), event.to_json());
                }
            }
            Ask::Group { command: asked, .. } => {
                for event in self.group.decide(asked, &facts).unwrap().events() {
                    self.group.evolve(event, now);
                    let version = self.group.version();
                    self.record(Stream::GroupEvents, command, version, event.wire_name(), event.to_json());
                }
            }
            other => panic!("nobody asks {other:?} here"),
        }
    }

    pub(super) fn record(
        &mut self,
        stream: Stream,
        command: &Command,
        sequence: u64,
        name: &str,
        body: Vec<u8>,
    ) {
        let envelope = Envelope {
            id: Uuid::now_v7(),
            time: Timestamp::from_micros(0),
            subject: command.ask.subject(),
            sequence,
            command_id: command.id.clone(),
            command_digest: format!("{:?}", command.ask),
            correlation_id: command.correlation_id.clone(),
            actor: String::new(),
            actor_name: String::new(),
            actor_role: None,
            client: command.client.clone(),
            traceparent: None,
        };
        self.push(stream, envelope.asked_by(&command.actor).record(name, body));
    }

    pub(super) fn claim(&mut self) {
        self.push(
            Stream::UserEvents,
            Record::claim(Uuid::nil(), &Timestamp::from_micros(0).to_string(), "one"),
        );
    }

    fn push(&mut self, stream: Stream, mut record: Record) {
        let chain = &mut self.chains[usize::from(stream == Stream::GroupEvents)];
        if record.is_claim() {
            chain.advance(&record);
        } else {
            chain.seal(&mut record);
        }
        let offset = self.records.len() as u64;
        self.records.push(Recorded { place: StreamPartition::new(stream, 0), offset, record });
    }

    /// Gives every record its place in the chain again, for tests of what the chain does not show.
    pub(super) fn seal_again(&mut self) {
        self.chains = [Chain::default(); 2];
        for recorded in std::mem::take(&mut self.records) {
            let mut record = recorded.record;
            record.headers.retain(|(name, _)| *name != log_model::record::CHAIN);
            self.push(recorded.place.stream, record);
        }
    }

    pub(super) fn found(&self) -> Vec<Kind> {
        let violations = check(&self.history, &self.records, 1);
        violations.into_iter().map(|violation| violation.kind).collect()
    }
}

fn staff() -> GroupId {
    GroupId::of(&GroupName::parse("staff").unwrap())
}

pub(super) fn command(id: &str, ask: Ask) -> Command {
    let prepared =
        Prepared::TemporaryPassword { digest: "00".to_owned(), expires_at: Timestamp::from_micros(1) };
    Command {
        id: id.to_owned(),
        correlation_id: id.to_owned(),
        prepared: Some(prepared),
        ..testing::command(ask)
    }
}
