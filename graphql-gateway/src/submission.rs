//! The way of one command: to its owner, and back when the views show what it did.

use std::sync::Arc;

use domain::command::{Answer, Ask, Command};
use domain::decision_context::Prepared;
use domain::id::{GroupId, UserId, WebhookId};
use domain::refusal::Refusal;
use domain::{group, user, webhook};
use log_model::{Position, Stream, StreamPartition};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::authorization::Authorizer;
use crate::caller::Caller;
use crate::error::{ApiError, MutationError};
use crate::gateway::Gateway;
use crate::ids::command_id;

/// Sends the commands of one mutation.
pub(crate) struct Submission<'a> {
    pub(crate) gateway: &'a Arc<Gateway>,
    pub(crate) caller: &'a Caller,
    pub(crate) authorizer: Authorizer<'a>,
    /// How long the caller waits for an answer.
    pub(crate) deadline: Instant,
}

/// The owner's yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Version of the user, group or webhook after the command's last event.
    pub(crate) version: u64,
    /// Views that cover this position show what the command did.
    pub(crate) position: Position,
    /// Whether the same command had been accepted before.
    pub(crate) repeated: bool,
}

/// A command that was accepted and awaited in the views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Completed {
    /// Version of the user or group after the command's last event.
    pub(crate) version: u64,
    /// Whether the views show what the command did.
    pub(crate) visible: Result<(), ApiError>,
    repeated: bool,
}

impl Completed {
    /// A generated secret, for the one answer that shows it. `None` when the command was repeated: then the secret
    /// was not used.
    pub(crate) fn secret(&self, secret: &SecretString) -> Option<String> {
        self.unless_repeated(secret).map(|secret| secret.expose_secret().to_owned())
    }

    /// Something else that was made for the command, with the same condition.
    pub(crate) fn unless_repeated<T>(&self, value: T) -> Option<T> {
        (!self.repeated).then_some(value)
    }
}

/// What accompanies a command.
#[derive(Debug, Default)]
pub(crate) struct CommandOptions {
    /// The client's id of the command, unchecked.
    pub(crate) command_id: Option<String>,
    /// The version of the user or group that the client saw.
    pub(crate) expected_version: Option<u64>,
    /// What the gateway made for the command.
    pub(crate) prepared: Option<Prepared>,
}

impl CommandOptions {
    /// With something that the gateway made for the command.
    pub(crate) fn prepared(mut self, prepared: Prepared) -> Self {
        self.prepared = Some(prepared);
        self
    }
}

impl<'a> Submission<'a> {
    pub(crate) fn new(gateway: &'a Arc<Gateway>, caller: &'a Caller) -> Self {
        let authorizer = Authorizer { caller, recorder: &gateway.recorder };
        let deadline = Instant::now() + gateway.config.command_deadline;
        Self { gateway, caller, authorizer, deadline }
    }

    /// Sends a command to a user and waits until the views show what it did.
    pub(crate) async fn send_to_user(
        &self,
        id: UserId,
        command: user::Command,
        options: CommandOptions,
    ) -> Result<Completed, MutationError> {
        let ask = Ask::User { id, expected_version: options.expected_version, command };
        self.send(ask, options).await
    }

    /// Sends a command to a group and waits until the views show what it did.
    pub(crate) async fn send_to_group(
        &self,
        id: GroupId,
        command: group::Command,
        options: CommandOptions,
    ) -> Result<Completed, MutationError> {
        let ask = Ask::Group { id, expected_version: options.expected_version, command };
        self.send(ask, options).await
    }

    /// Sends a command to a webhook and waits until the views show what it did.
    pub(crate) async fn send_to_webhook(
        &self,
        id: WebhookId,
        command: webhook::Command,
        options: CommandOptions,
    ) -> Result<Completed, MutationError> {
        let ask = Ask::Webhook { id, expected_version: options.expected_version, command };
        self.send(ask, options).await
    }

    async fn send(&self, ask: Ask, options: CommandOptions) -> Result<Completed, MutationError> {
        let command = self.command_with(ask, options)?;
        let Accepted { version, position, repeated } = self.submit_command(command, self.deadline).await?;
        let visible = self.wait_until_visible(&position).await;
        Ok(Completed { version, visible, repeated })
    }

    /// Sends a command that must be accepted, without waiting for the views.
    pub(crate) async fn submit_command(
        &self,
        command: Command,
        deadline: Instant,
    ) -> Result<Accepted, MutationError> {
        let (name, subject) = (command.ask.name(), command.ask.subject());
        match self.gateway.commands.submit(command, deadline).await? {
            Answer::Accepted { version, position, repeated } => Ok(Accepted { version, position, repeated }),
            Answer::Refused(refusals) => Err(refusals.into()),
            Answer::Forbidden => Err(self.authorizer.deny(name, Some(&subject)).into()),
            Answer::OfAddress(_) => Err(unresolved_reservation()),
        }
    }

    /// Sends a command and returns the owner's answer, without waiting for the views.
    pub(crate) async fn submit(&self, ask: Ask, options: CommandOptions) -> Result<Answer, MutationError> {
        let command = self.command_with(ask, options)?;
        Ok(self.gateway.commands.submit(command, self.deadline).await?)
    }

    fn command_with(&self, ask: Ask, options: CommandOptions) -> Result<Command, Refusal> {
        let id = command_id(options.command_id.as_deref())?;
        let seen = self.position_seen(&ask);
        Ok(self.build_command(id, ask, options.prepared, seen))
    }

    /// The caller's command under this id.
    pub(crate) fn build_command(
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

    /// How far the views have read the stream partitions that the command is decided from. The owner decides only once
    /// it knows as much, so its answer never contradicts what the caller saw.
    pub(crate) fn position_seen(&self, ask: &Ask) -> Position {
        let groups = StreamPartition::new(Stream::GroupEvents, 0);
        let partitions = self.gateway.partitions;
        let users = |partition| StreamPartition::new(Stream::UserEvents, partition);
        let decided_from: Vec<_> = match ask {
            // The present holder of an e-mail address may be in any partition.
            Ask::User { command, .. } if command.may_take_address() => {
                (0..partitions).map(users).chain([groups]).collect()
            }
            Ask::User { command, .. } => {
                let groups = command.group().map(|_| groups);
                [users(ask.route_key().partition(partitions))].into_iter().chain(groups).collect()
            }
            Ask::Group { .. } | Ask::Webhook { .. } | Ask::Barrier { .. } => vec![groups],
            Ask::ReserveAddress { .. } | Ask::ReleaseAddress { .. } => Vec::new(),
        };
        let mut seen = Position::new();
        for partition in decided_from {
            let checkpoint = self.gateway.views.progress().checkpoint(partition);
            if let Some(last) = checkpoint.and_then(|checkpoint| checkpoint.next.checked_sub(1)) {
                seen.cover(partition, last);
            }
        }
        seen
    }

    /// Waits until the views cover a position, for `--read-your-writes` at most.
    pub(crate) async fn wait_until_visible(&self, position: &Position) -> Result<(), ApiError> {
        let until = self.deadline.min(Instant::now() + self.gateway.config.read_your_writes);
        self.gateway.views.progress().wait(position, until).await.map_err(|_| ApiError::NotYetVisible)
    }
}

/// Logs a bug: the route resolves reservations of e-mail addresses, so none should come back from it.
pub(crate) fn unresolved_reservation() -> MutationError {
    tracing::error!("a command came back before its address was settled");
    ApiError::Internal.into()
}
