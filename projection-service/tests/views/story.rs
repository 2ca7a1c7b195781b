//! A history decided by the rules: commands in, records out.

use std::collections::HashMap;
use std::time::Duration;

use domain::actor::{Actor, Client, Role, Roles};
use domain::aggregate::{Aggregate, CredentialChange, Decision};
use domain::decision_context::{DecisionContext, Limits, Prepared};
use domain::deployment::{self, Initialised};
use domain::group::{self, CreateGroup, Group};
use domain::id::{GroupId, UserId, WebhookId};
use domain::names::GroupName;
use domain::names::Username;
use domain::refusal::Refusals;
use domain::testing;
use domain::timestamp::Timestamp;
use domain::user::onboarding::{ApproveUser, RegisterUser};
use domain::user::{self, User};
use domain::webhook::{self, Webhook};
use domain::{access, credential};
use event_log::envelope::Envelope;
use event_log::{Batch, Record};
use log_model::{RecordDigest, Stream, StreamPartition};
use uuid::Uuid;

/// A history in the making.
pub(crate) struct Story {
    users: HashMap<UserId, User>,
    groups: HashMap<GroupId, Group>,
    webhooks: HashMap<WebhookId, Webhook>,
    now: Timestamp,
    told: u64,
    /// Records for the writer, in order.
    pub(crate) events: Vec<(Stream, Record)>,
    /// Access records.
    pub(crate) notes: Vec<Record>,
}

pub(crate) fn id_of(name: &str) -> UserId {
    UserId::of(&Username::parse(name).unwrap())
}

pub(crate) fn group_of(name: &str) -> GroupId {
    GroupId::of(&GroupName::parse(name).unwrap())
}

pub(crate) fn admin() -> Actor {
    let roles = Roles::BASE.with(Role::Administrator);
    Actor::User { id: id_of("ada"), name: "ada".to_owned(), roles }
}

pub(crate) fn temporary() -> Prepared {
    let expires_at = Timestamp::parse("2026-01-02T12:00:00Z").unwrap();
    Prepared::TemporaryPassword { digest: "00".repeat(32), expires_at }
}

impl Story {
    pub(crate) fn new() -> Self {
        let now = Timestamp::parse("2026-01-01T12:00:00Z").unwrap();
        Self {
            users: HashMap::new(),
            groups: HashMap::new(),
            webhooks: HashMap::new(),
            now,
            told: 0,
            events: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The records since the last call.
    pub(crate) fn batch(&mut self) -> Batch {
        Batch { records: std::mem::take(&mut self.events) }
    }

    pub(crate) fn later(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    /// The clock goes back.
    pub(crate) fn earlier(&mut self, seconds: u64) {
        self.now = self.now - Duration::from_secs(seconds);
    }

    pub(crate) fn version(&self, name: &str) -> u64 {
        self.users[&id_of(name)].version()
    }

    /// The version of a user of whom nothing may have been told; 0 then.
    pub(crate) fn maybe_version(&self, name: &str) -> u64 {
        self.users.get(&id_of(name)).map_or(0, Aggregate::version)
    }

    /// A command to a user.
    pub(crate) fn user(
        &mut self,
        name: &str,
        command: &user::Command,
        prepared: impl Into<Option<Prepared>>,
    ) {
        self.attempt(name, command, prepared.into()).unwrap_or_else(|no| panic!("{command:?}: {no:?}"));
    }

    /// A command to a user that the rules may refuse.
    pub(crate) fn attempt(
        &mut self,
        name: &str,
        command: &user::Command,
        prepared: Option<Prepared>,
    ) -> Result<(), Refusals> {
        let id = id_of(name);
        self.later(1);
        let group = command.group().and_then(|group| self.groups.get(&group)?.known(group));
        let context = DecisionContext { now: self.now, group, prepared, limits: Limits::default() };
        let user = self.users.entry(id).or_insert_with(|| User::new(id));
        let decision = user.decide(command, &context)?;
        let base = user.version();
        for event in decision.events() {
            user.evolve(event, context.now);
        }
        let named = |event: &user::Event| (event.wire_name(), event.to_json());
        self.record(Stream::UserEvents, &id.to_string(), base, &decision, named);
        self.credentials(decision.credential_changes());
        Ok(())
    }

    /// A command to a webhook.
    pub(crate) fn webhook(
        &mut self,
        name: &str,
        command: &webhook::Command,
        prepared: impl Into<Option<Prepared>>,
    ) {
        let id = WebhookId::named(name);
        self.later(1);
        let group = command.group().and_then(|group| self.groups.get(&group)?.known(group));
        let context =
            DecisionContext { now: self.now, group, prepared: prepared.into(), limits: Limits::default() };
        let webhook = self.webhooks.entry(id).or_default();
        let decision = webhook.decide(command, &context).unwrap();
        let base = webhook.version();
        for event in decision.events() {
            webhook.evolve(event, context.now);
        }
        let named = |event: &webhook::Event| (event.wire_name(), event.to_json());
        self.record(Stream::GroupEvents, &id.to_string(), base, &decision, named);
        self.credentials(decision.credential_changes());
    }

    fn credentials(&mut self, changes: &[CredentialChange]) {
        for secret in changes {
            let (key, body) = match secret {
                CredentialChange::Put(key, credential) => {
                    (key, Some(serde_json::to_vec(credential).unwrap()))
                }
                CredentialChange::Remove(key) => (key, None),
            };
            self.events.push((Stream::Credentials, Record::keyed(key.to_string(), body)));
        }
    }

    pub(crate) fn group(&mut self, name: &str, command: &group::Command) {
        self.group_with(name, command, None);
    }

    /// Deletes a closed group that is known to be empty.
    pub(crate) fn delete_group(&mut self, name: &str) {
        let version = self.groups[&group_of(name)].version();
        self.group_with(name, &group::Command::DeleteGroup, Some(Prepared::Emptied { version }));
    }

    fn group_with(&mut self, name: &str, command: &group::Command, prepared: Option<Prepared>) {
        let id = group_of(name);
        self.later(1);
        let group = self.groups.entry(id).or_default();
        let context = DecisionContext { now: self.now, group: None, prepared, limits: Limits::default() };
        let decision = group.decide(command, &context).unwrap();
        let base = group.version();
        for event in decision.events() {
            group.evolve(event, context.now);
        }
        let named = |event: &group::Event| (event.wire_name(), event.to_json());
        self.record(Stream::GroupEvents, &id.to_string(), base, &decision, named);
    }

    pub(crate) fn new_group(&mut self, name: &str) {
        let command = CreateGroup { name: name.to_owned(), ..CreateGroup::default() };
        self.group(name, &group::Command::CreateGroup(command));
    }

    pub(crate) fn initialised(&mut self, name: &str) {
        let event = deployment::Event::from(Initialised {
            user_id: id_of(name),
            username: name.to_owned(),
            partitions: Some(1),
        });
        let envelope = self.envelope(deployment::SUBJECT, 1, &Actor::System);
        let record = envelope.record(event.wire_name(), event.to_json());
        self.events.push((Stream::GroupEvents, record));
    }

    /// An operator skips a record.
    pub(crate) fn skipped(&mut self, place: StreamPartition, offset: u64, record: &Record) {
        let digest = RecordDigest::of(record);
        let skipped = deployment::skip(&Actor::System, (place, offset), digest, "a stray").unwrap();
        let event = deployment::Event::from(skipped);
        let envelope = self.envelope(deployment::SUBJECT, 2, &Actor::System);
        let record = envelope.record(event.wire_name(), event.to_json());
        self.events.push((Stream::GroupEvents, record));
    }

    /// A user registers, with names made from the username.
    pub(crate) fn register(&mut self, name: &str) {
        let command = RegisterUser {
            first_name: format!("First {name}"),
            last_name: format!("Last {name}"),
            email: format!("{name}@mail.example"),
            phone: Some("+49 30 1".to_owned()),
            ..testing::registration(name)
        };
        self.user(name, &user::Command::RegisterUser(command), None);
    }

    pub(crate) fn approve(&mut self, name: &str, group: &str) {
        let command = ApproveUser { group_id: group_of(group) };
        self.user(name, &user::Command::ApproveUser(command), temporary());
    }

    pub(crate) fn note(&mut self, subject: &str, actor: &Actor, event: impl Into<access::Event>) {
        self.later(1);
        let event = event.into();
        let envelope = self.envelope(subject, 0, actor);
        self.notes.push(envelope.record(event.wire_name(), event.to_json()));
    }

    /// A valid record with an unknown event.
    pub(crate) fn unknown_event(&mut self, name: &str) -> (Stream, Record) {
        let envelope = self.envelope(&id_of(name).to_string(), self.version(name) + 1, &admin());
        (Stream::UserEvents, envelope.record("muster.user.teleported", b"{}".to_vec()))
    }

    fn record<E>(
        &mut self,
        stream: Stream,
        subject: &str,
        base: u64,
        decision: &Decision<E>,
        named: impl Fn(&E) -> (&'static str, Vec<u8>),
    ) {
        for (event, sequence) in decision.events().iter().zip(base + 1..) {
            let (name, body) = named(event);
            let envelope = self.envelope(subject, sequence, &admin());
            self.events.push((stream, envelope.record(name, body)));
        }
    }

    fn envelope(&mut self, subject: &str, sequence: u64, actor: &Actor) -> Envelope {
        self.told += 1;
        // UUIDv7 with this story's time, so that entries of one instant keep their order.
        let micros = u128::from(self.now.micros().unsigned_abs());
        let id = Uuid::from_u128(((micros / 1_000) << 80) | (7 << 76) | u128::from(self.told));
        Envelope {
            id,
            time: self.now,
            subject: subject.to_owned(),
            sequence,
            command_id: format!("command-{}", self.told),
            command_digest: "00".repeat(32),
            correlation_id: format!("request-{}", self.told),
            actor: String::new(),
            actor_name: String::new(),
            actor_role: None,
            client: Client { address: Some("192.0.2.7".to_owned()), agent: Some("test".to_owned()) },
            traceparent: None,
        }
        .asked_by(actor)
    }
}

/// A chosen password.
pub(crate) fn chosen(checked: u64) -> Prepared {
    Prepared::ChosenPassword { phc: "$argon2id$canary".to_owned(), checked }
}

/// The secret of a token.
pub(crate) fn token_secret() -> Prepared {
    Prepared::TokenSecret { digest: "11".repeat(32) }
}

/// Every scope that a token may have.
pub(crate) fn scopes() -> Vec<credential::Scope> {
    // The user is no administrator, who alone may have a token that reads events.
    credential::Scope::ALL.into_iter().filter(|scope| *scope != credential::Scope::Events).collect()
}
