//! The way of one command: may the caller ask it, to its owner, and back when the views show it.

use std::str::FromStr;
use std::sync::Arc;

use async_graphql::{Context, ID};
use domain::access::{CommandDenied, CommandRefused};
use domain::actor::Actor;
use domain::command::{self, Answer, Ask, Command};
use domain::decision_context::Prepared;
use domain::id::{GroupId, UserId};
use domain::refusal::{Code, Refusal, Refusals};
use domain::{access, group, policy, user};
use log_model::{Position, Stream, StreamPartition};
use read_model::audit::Target;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use uuid::Uuid;

use crate::access_records::Note;
use crate::caller::Caller;
use crate::clock::now;
use crate::error::api::{Fault, Stop};
use crate::gateway::{Gateway, asked};
use crate::schema::user::User;

/// One mutation on its way.
pub(crate) struct Errand<'a> {
    pub(crate) gateway: &'a Arc<Gateway>,
    pub(crate) caller: &'a Caller,
    /// Until when the caller waits.
    pub(crate) deadline: Instant,
}

/// What an owner said yes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Version of the user or group after the command's last event.
    pub(crate) version: u64,
    /// What a view must have seen to show it.
    pub(crate) position: Position,
    /// Whether it had been accepted before.
    pub(crate) repeated: bool,
}

/// What was asked holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    /// Version of the user or group after the command's last event.
    pub(crate) version: u64,
    /// Whether the views show it.
    pub(crate) seen: Result<(), Fault>,
    repeated: bool,
}

impl Done {
    /// A made secret, for the one answer that shows it: a repeated command has made none.
    pub(crate) fn secret(&self, secret: &SecretString) -> Option<String> {
        (!self.repeated).then(|| secret.expose_secret().to_owned())
    }

    /// Something else that a repeated command did not make.
    pub(crate) fn unless_repeated<T>(&self, value: T) -> Option<T> {
        (!self.repeated).then_some(value)
    }
}

impl<'a> Errand<'a> {
    pub(crate) fn of(ctx: &Context<'a>) -> Self {
        let gateway = ctx.data_unchecked::<Arc<Gateway>>();
        let deadline = Instant::now() + gateway.config.command_deadline;
        Self { gateway, caller: ctx.data_unchecked::<Caller>(), deadline }
    }

    /// Whether the caller may ask what administrators ask. `target` is what it is about.
    pub(crate) fn administrator(&self, command: &str, target: Option<&str>) -> Result<(), Fault> {
        let session = self.caller.session()?;
        if policy::may_administer(&session.actor()) { Ok(()) } else { Err(self.denied(command, target)) }
    }

    /// The user whom an administrator asks something of.
    pub(crate) fn administers(&self, command: &str, user_id: &ID) -> Result<UserId, Stop> {
        self.administrator(command, Some(user_id))?;
        Ok(user(user_id)?)
    }

    /// The user whom the caller asks something of: themselves, or anybody when they are an administrator.
    pub(crate) fn looks_after(&self, command: &str, user_id: &ID) -> Result<UserId, Stop> {
        let actor = self.caller.session()?.actor();
        match user(user_id) {
            Ok(id) if policy::may_see(&actor, id) => Ok(id),
            Err(unknown) if policy::may_administer(&actor) => Err(unknown.into()),
            // Whether there is such a user is not theirs to know.
            Ok(_) | Err(_) => Err(self.denied(command, Some(user_id)).into()),
        }
    }

    /// Sends a command to a user and waits until the views show what it did.
    pub(crate) async fn ask_user(
        &self,
        id: UserId,
        command: user::Command,
        with: With<'_>,
    ) -> Result<Done, Stop> {
        let ask = Ask::User { id, expected_version: with.expected_version(), command };
        self.send(ask, with).await
    }

    /// Sends a command to a group and waits until the views show what it did.
    pub(crate) async fn ask_group(
        &self,
        id: GroupId,
        command: group::Command,
        with: With<'_>,
    ) -> Result<Done, Stop> {
        let ask = Ask::Group { id, expected_version: with.expected_version(), command };
        self.send(ask, with).await
    }

    async fn send(&self, ask: Ask, with: With<'_>) -> Result<Done, Stop> {
        let command = self.command(ask, with)?;
        let Accepted { version, position, repeated } = self.accepted(command, self.deadline).await?;
        let seen = self.wait(&position).await;
        Ok(Done { version, seen, repeated })
    }

    /// Sends a command that must be accepted, without waiting for the views.
    pub(crate) async fn accepted(&self, command: Command, deadline: Instant) -> Result<Accepted, Stop> {
        let (name, subject) = (command.ask.name(), command.ask.subject());
        let answer = self.gateway.commands.submit(command, deadline).await.map_err(Fault::from)?;
        match answer {
            Answer::Accepted { version, position, repeated } => Ok(Accepted { version, position, repeated }),
            Answer::Refused(refusals) => Err(refusals.into()),
            Answer::Forbidden => Err(self.denied(name, Some(&subject)).into()),
            Answer::OfAddress(_) => Err(unfinished()),
        }
    }

    /// Sends a command and says what the owner said, without waiting for the views.
    pub(crate) async fn submit(&self, ask: Ask, with: With<'_>) -> Result<Answer, Stop> {
        let command = self.command(ask, with)?;
        Ok(self.gateway.commands.submit(command, self.deadline).await.map_err(Fault::from)?)
    }

    fn command(&self, ask: Ask, with: With<'_>) -> Result<Command, Refusal> {
        let id = command_id(with.command_id)?;
        let seen = self.seen(&ask);
        Ok(self.command_of(id, ask, with.prepared, seen))
    }

    /// The caller's command under this id.
    pub(crate) fn command_of(
        &self,
        id: String,
        ask: Ask,
        prepared: Option<Prepared>,
        seen: Position,
    ) -> Command {
        Command {
            id,
            actor: self.caller.actor(),
            client: self.caller.client.clone(),
            correlation_id: self.caller.correlation_id.clone(),
            traceparent: self.caller.traceparent.clone(),
            ask,
            prepared,
            reservation: None,
            seen,
        }
    }

    /// What the views have shown of the places that the command is decided from.
    pub(crate) fn seen(&self, ask: &Ask) -> Position {
        let groups = StreamPartition::new(Stream::GroupEvents, 0);
        let partitions = self.gateway.log.partitions();
        let users = |partition| StreamPartition::new(Stream::UserEvents, partition);
        let places: Vec<_> = match ask {
            // Whoever holds an address may live anywhere.
            Ask::User { command, .. } if command.may_take_address() => {
                (0..partitions).map(users).chain([groups]).collect()
            }
            Ask::User { command, .. } => {
                let groups = command.group().map(|_| groups);
                [users(ask.route_key().partition(partitions))].into_iter().chain(groups).collect()
            }
            Ask::Group { .. } | Ask::Barrier { .. } => vec![groups],
            Ask::ReserveAddress { .. } | Ask::ReleaseAddress { .. } => Vec::new(),
        };
        let mut seen = Position::new();
        for place in places {
            let shown = self.gateway.views.progress().checkpoint(place);
            if let Some(last) = shown.and_then(|shown| shown.next.checked_sub(1)) {
                seen.cover(place, last);
            }
        }
        seen
    }

    pub(crate) async fn wait(&self, position: &Position) -> Result<(), Fault> {
        let until = self.deadline.min(Instant::now() + self.gateway.config.read_your_writes);
        self.gateway.views.progress().wait(position, until).await.map_err(|_| Fault::NotYetVisible)
    }

    /// The user as the views show them, for the payload of something that was done.
    pub(crate) async fn user(&self, done: &Done, id: UserId) -> Option<Result<User, Fault>> {
        self.shown(done, self.gateway.views.user(id)).await
    }

    /// Something as the views show it, for the payload of something that was done.
    pub(crate) async fn shown<R, T: From<R>>(
        &self,
        done: &Done,
        read: impl Future<Output = Result<Option<R>, read_model::Error>>,
    ) -> Option<Result<T, Fault>> {
        match &done.seen {
            Err(fault) => Some(Err(fault.clone())),
            Ok(()) => read.await.map(|row| row.map(T::from)).map_err(asked).transpose(),
        }
    }

    /// Notes that the caller asked what is not theirs.
    pub(crate) fn denied(&self, command: &str, target: Option<&str>) -> Fault {
        let actor = self.caller.actor();
        // Whoever is denied may have typed anything; the audit log takes ids alone.
        let target = target.and_then(Target::parse).map(|target| target.to_string());
        let event = CommandDenied { command: command.to_owned(), target, count: 1 };
        self.note(actor.id_text(), actor, event.into());
        Fault::Forbidden
    }

    /// Notes a refusal that the caller does not hear of and administrators do.
    pub(crate) fn refused(&self, command: &str, id: UserId, name: &str, refusals: &Refusals) {
        let event = CommandRefused {
            command: command.to_owned(),
            target: Some(id.to_string()),
            target_name: Some(name.to_owned()),
            codes: refusals.iter().map(|refusal| refusal.code.as_str().to_owned()).collect(),
            count: 1,
        };
        self.note(id.to_string(), self.caller.actor(), event.into());
    }

    /// Notes that the caller asks too often. It names nobody, so that any number within a second is one record.
    pub(crate) fn turned_away(&self, command: &str) {
        let actor = self.caller.actor();
        let event = CommandRefused {
            command: command.to_owned(),
            target: None,
            target_name: None,
            codes: vec!["rate_limited".to_owned()],
            count: 1,
        };
        self.note(actor.id_text(), actor, event.into());
    }

    fn note(&self, subject: String, actor: Actor, event: access::Event) {
        self.gateway.notes.take(Note {
            at: now(),
            subject,
            actor,
            client: self.caller.client.clone(),
            correlation_id: self.caller.correlation_id.clone(),
            event,
        });
    }
}

/// What goes with a command beside what is asked.
#[derive(Default)]
pub(crate) struct With<'a> {
    command_id: Option<&'a ID>,
    expected_version: Option<i32>,
    prepared: Option<Prepared>,
}

impl<'a> With<'a> {
    /// The id that the client gave to the command, and the version that it saw.
    pub(crate) fn of(command_id: Option<&'a ID>, expected_version: Option<i32>) -> Self {
        Self { command_id, expected_version, prepared: None }
    }

    /// Something that the gateway made.
    pub(crate) fn prepared(mut self, prepared: Prepared) -> Self {
        self.prepared = Some(prepared);
        self
    }

    /// No user has a negative version, so one that is given never matches.
    pub(crate) fn expected_version(&self) -> Option<u64> {
        self.expected_version.map(|version| u64::try_from(version).unwrap_or(u64::MAX))
    }
}

/// The route brings a command that takes an address to its end; what lies on the way is not for callers.
pub(crate) fn unfinished() -> Stop {
    tracing::error!("a command came back before its address was settled");
    Fault::Internal.into()
}

/// The id that the client gave to its command, else a new one.
pub(crate) fn command_id(given: Option<&ID>) -> Result<String, Refusal> {
    let Some(id) = given else { return Ok(Uuid::now_v7().to_string()) };
    command::check_id(id)?;
    Ok(id.to_string())
}

/// The user whom `userId` names.
pub(crate) fn user(text: &ID) -> Result<UserId, Refusal> {
    id(text, "userId", Code::UnknownUser, "There is no such user.")
}

/// The group that `groupId` names.
pub(crate) fn group(text: &ID) -> Result<GroupId, Refusal> {
    id(text, "groupId", Code::UnknownGroup, "There is no such group.")
}

/// Reads an id. A text that can't be one names nothing, which is what the refusal says.
pub(crate) fn id<T: FromStr>(text: &ID, field: &str, code: Code, message: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::new(code, message).at(field))
}
