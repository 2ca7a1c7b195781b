//! Deleting a group: it is closed, counted once every partition knows that, and deleted if nobody is in it.

use std::time::Duration;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::command::Ask;
use domain::decision_context::Prepared;
use domain::group::Command;
use domain::id::GroupId;
use domain::refusal::{Code, Refusal};
use futures_util::future::try_join_all;
use log_model::Position;
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::api::{Fault, Stop, UserError, settle};
use crate::gateway::asked;
use crate::submission::{self, Accepted, Errand, With};

/// For how long a group that is not deleted after all is tried to be opened again, whatever is left of the deadline.
const REOPENING: Duration = Duration::from_secs(2);
/// No group has it.
const NO_VERSION: u64 = u64::MAX;

/// Takes a group away.
#[derive(InputObject)]
pub(crate) struct DeleteGroupInput {
    /// The group; nobody may be in it.
    group_id: ID,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the group that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct DeleteGroupPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The group that is gone.
    deleted_group_id: Option<ID>,
}

impl From<Vec<UserError>> for DeleteGroupPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, deleted_group_id: None }
    }
}

#[derive(Default)]
pub(super) struct GroupDeletion;

#[Object]
impl GroupDeletion {
    /// Takes away a group that nobody is in; its name is free for a new group then. For administrators.
    ///
    /// The group is closed first, so that nobody enters it while its members are counted. If there are any, it is
    /// opened again and the deletion is refused with `group_not_empty`. A request that breaks off in between may leave
    /// the group closed, and loses nothing: the same command again ends what was begun, or `reopenGroup` undoes it.
    async fn delete_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: DeleteGroupInput,
    ) -> Result<DeleteGroupPayload, Fault> {
        settle(delete(&Errand::of(ctx), &input).await)
    }
}

async fn delete(errand: &Errand<'_>, input: &DeleteGroupInput) -> Result<DeleteGroupPayload, Stop> {
    errand.administrator("DeleteGroup", Some(&input.group_id))?;
    let group = submission::group(&input.group_id)?;
    let id = submission::command_id(input.command_id.as_ref())?;
    let expected_version = With::of(None, input.expected_version).expected_version();
    let deleted = Deletion { errand, group, id, expected_version }.run().await?;
    // A list that is asked for next does not show it any more, or the wait was too long; it is gone either way.
    let _ = errand.wait(&deleted.position).await;
    Ok(DeleteGroupPayload { user_errors: Vec::new(), deleted_group_id: Some(ID::from(group)) })
}

/// One deletion on its way.
struct Deletion<'a> {
    errand: &'a Errand<'a>,
    group: GroupId,
    /// The command's id; its steps have ids that are made from it.
    id: String,
    /// The version that the caller saw, before anything was done.
    expected_version: Option<u64>,
}

impl Deletion<'_> {
    async fn run(&self) -> Result<Accepted, Stop> {
        if let Some(deleted) = self.done_before().await? {
            return Ok(deleted);
        }
        // A member that the views show is reason enough to refuse; that they show none proves nothing yet.
        self.or_reopen(self.nobody_is_shown().await).await?;
        let closed = self.close().await?;
        self.or_reopen(self.nobody_is_in(&closed.position).await).await?;
        let emptied = Prepared::Emptied { version: closed.version };
        self.ask(self.id.clone(), Command::DeleteGroup, None, Some(emptied)).await
    }

    /// The answer of old, if this very command has deleted the group already: nothing is written for it again.
    async fn done_before(&self) -> Result<Option<Accepted>, Stop> {
        // As long as nobody has looked whether the group is empty, this deletes nothing.
        match self.ask(self.id.clone(), Command::DeleteGroup, None, None).await {
            Ok(deleted) => Ok(Some(deleted)),
            Err(Stop::Refused(refusals)) if refusals.iter().all(|no| no.code == Code::GroupNotEmpty) => {
                Ok(None)
            }
            Err(stop) => Err(stop),
        }
    }

    /// A version at which the group is closed, and a position that covers it.
    async fn close(&self) -> Result<Accepted, Stop> {
        let closed = self.ask(self.closing(), Command::CloseGroup, self.expected_version, None).await?;
        if !closed.repeated {
            return Ok(closed);
        }
        // An earlier request has closed it under this id, and may have opened it again before it was refused.
        let again = format!("{} {}", self.closing(), Uuid::now_v7());
        self.ask(again, Command::CloseGroup, self.expected_version.map(|_| closed.version), None).await
    }

    /// Refuses unless nobody is in the group, nor can enter it for as long as it stays closed.
    async fn nobody_is_in(&self, closed: &Position) -> Result<(), Stop> {
        // What the views have read is committed for everybody, so whoever takes a partition over from now on reads it too.
        self.shown(closed).await?;
        let partitions = 0..self.errand.gateway.log.partitions();
        let barriers = partitions.map(|partition| self.barrier(partition, closed));
        for position in try_join_all(barriers).await? {
            self.shown(&position).await?;
        }
        self.nobody_is_shown().await
    }

    /// Everything that a partition has decided before it knew that the group is closed.
    async fn barrier(&self, partition: u32, closed: &Position) -> Result<Position, Stop> {
        let id = format!("{} barrier {partition}", self.id);
        let command = self.errand.command_of(id, Ask::Barrier { partition }, None, closed.clone());
        match self.errand.accepted(command, self.errand.deadline).await {
            Ok(accepted) => Ok(accepted.position),
            // A barrier writes nothing that could hold or not.
            Err(Stop::Failed(Fault::UnknownOutcome)) => Err(unavailable()),
            Err(stop) => Err(stop),
        }
    }

    async fn shown(&self, position: &Position) -> Result<(), Stop> {
        let progress = self.errand.gateway.views.progress();
        progress.wait(position, self.errand.deadline).await.map_err(|_| unavailable())
    }

    async fn nobody_is_shown(&self) -> Result<(), Stop> {
        let message = match self.errand.gateway.views.members_count(self.group).await.map_err(asked)? {
            0 => return Ok(()),
            1 => "A user is in this group.".to_owned(),
            n => format!("{n} users are in this group."),
        };
        Err(Refusal::new(Code::GroupNotEmpty, message).at("groupId").into())
    }

    /// What keeps the group keeps it open as well, also after an earlier request that broke off behind the close.
    async fn or_reopen(&self, checked: Result<(), Stop>) -> Result<(), Stop> {
        if checked.is_err() {
            self.reopen().await;
        }
        checked
    }

    /// Opens the group again if this command has closed it. If that fails it stays closed, as if the request had broken off.
    async fn reopen(&self) {
        let deadline = Instant::now() + REOPENING;
        let send = |id: String, command: Command, expected_version: Option<u64>| {
            self.submit(id, command, expected_version, None, deadline)
        };
        // With this version nothing can be written: under an id that has closed the group it is refused as another
        // command, under one that has not as stale.
        let was_closed = match send(self.closing(), Command::CloseGroup, Some(NO_VERSION)).await {
            Err(Stop::Refused(refusals)) => refusals.iter().any(|no| no.code == Code::CommandIdReused),
            Ok(_) | Err(Stop::Failed(_)) => false,
        };
        if !was_closed {
            return;
        }
        let id = format!("{} reopen {}", self.id, Uuid::now_v7());
        match send(id, Command::ReopenGroup, None).await {
            Ok(reopened) => drop(self.errand.wait(&reopened.position).await),
            Err(_) => {
                tracing::warn!(group = %self.group, "A group that is not deleted after all stays closed.");
            }
        }
    }

    /// Id of the step that closes the group. No client's id has a space in it.
    fn closing(&self) -> String {
        format!("{} close", self.id)
    }

    async fn ask(
        &self,
        id: String,
        command: Command,
        expected_version: Option<u64>,
        prepared: Option<Prepared>,
    ) -> Result<Accepted, Stop> {
        self.submit(id, command, expected_version, prepared, self.errand.deadline).await
    }

    async fn submit(
        &self,
        id: String,
        command: Command,
        expected_version: Option<u64>,
        prepared: Option<Prepared>,
        deadline: Instant,
    ) -> Result<Accepted, Stop> {
        let ask = Ask::Group { id: self.group, expected_version, command };
        let seen = self.errand.seen(&ask);
        self.errand.accepted(self.errand.command_of(id, ask, prepared, seen), deadline).await
    }
}

fn unavailable() -> Stop {
    Fault::Unavailable { retry_after_ms: 1_000 }.into()
}
