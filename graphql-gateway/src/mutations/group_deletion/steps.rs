//! The steps of a group's deletion: close it, pass a barrier in every partition, count its members, delete it.
//!
//! Why no user can be in a deleted group: `docs/adr/0010-deleting-a-group.md`.

use std::time::Duration;

use domain::command::Ask;
use domain::decision_context::Prepared;
use domain::group::Command;
use domain::id::GroupId;
use domain::refusal::{Code, Refusal};
use futures_util::future::try_join_all;
use log_model::Position;
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::{ApiError, MutationError};
use crate::submission::{Accepted, Submission};

/// Time for reopening a group that is not deleted after all. It may end after the command's deadline.
const REOPENING: Duration = Duration::from_secs(2);
/// A version that no group has.
const NO_VERSION: u64 = u64::MAX;

/// One deletion.
pub(super) struct Deletion<'a> {
    pub(super) submission: &'a Submission<'a>,
    pub(super) group: GroupId,
    /// The command's id. The ids of the steps are derived from it.
    pub(super) id: String,
    /// The version that the caller saw before the first step.
    pub(super) expected_version: Option<u64>,
}

impl Deletion<'_> {
    /// Takes all steps. The answer is that of the last one.
    pub(super) async fn run(&self) -> Result<Accepted, MutationError> {
        if let Some(deleted) = self.find_deleted().await? {
            return Ok(deleted);
        }
        // Members in the views are reason enough to refuse. That there are none proves nothing yet.
        self.reopen_on_error(self.require_no_member_in_views().await).await?;
        let closed = self.close().await?;
        self.reopen_on_error(self.require_empty(&closed.position).await).await?;
        let emptied = Prepared::Emptied { version: closed.version };
        self.step(self.id.clone(), Command::DeleteGroup, None, Some(emptied)).await
    }

    /// The former answer, if this very command has deleted the group already.
    async fn find_deleted(&self) -> Result<Option<Accepted>, MutationError> {
        // Without `Prepared::Emptied` this deletes nothing.
        match self.step(self.id.clone(), Command::DeleteGroup, None, None).await {
            Ok(deleted) => Ok(Some(deleted)),
            Err(MutationError::Refused(refusals))
                if refusals.iter().all(|refusal| refusal.code == Code::GroupNotEmpty) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Closes the group. Returns a version at which it is closed, and a position that covers it.
    async fn close(&self) -> Result<Accepted, MutationError> {
        let closed = self.step(self.close_id(), Command::CloseGroup, self.expected_version, None).await?;
        if !closed.repeated {
            return Ok(closed);
        }
        // An earlier request has closed it under this id, and may have reopened it since.
        let again = format!("{} {}", self.close_id(), Uuid::now_v7());
        self.step(again, Command::CloseGroup, self.expected_version.map(|_| closed.version), None).await
    }

    /// Requires that nobody is in the group, nor can enter it while it stays closed.
    async fn require_empty(&self, closed: &Position) -> Result<(), MutationError> {
        // What the views show is committed, so every later owner of a partition reads it too.
        self.wait_for_views(closed).await?;
        let partitions = 0..self.submission.gateway.partitions;
        let barriers = partitions.map(|partition| self.barrier(partition, closed));
        for position in try_join_all(barriers).await? {
            self.wait_for_views(&position).await?;
        }
        self.require_no_member_in_views().await
    }

    /// Waits until a partition knows that the group is closed. The position covers what it decided before.
    async fn barrier(&self, partition: u32, closed: &Position) -> Result<Position, MutationError> {
        let id = format!("{} barrier {partition}", self.id);
        let command = self.submission.build_command(id, Ask::Barrier { partition }, None, closed.clone());
        match self.submission.submit_command(command, self.submission.deadline).await {
            Ok(accepted) => Ok(accepted.position),
            // A barrier has no effect whose outcome could be unknown.
            Err(MutationError::Failed(ApiError::UnknownOutcome)) => Err(ApiError::UNAVAILABLE.into()),
            Err(error) => Err(error),
        }
    }

    async fn wait_for_views(&self, position: &Position) -> Result<(), MutationError> {
        let progress = self.submission.gateway.views.progress();
        progress.wait(position, self.submission.deadline).await.map_err(|_| ApiError::UNAVAILABLE.into())
    }

    async fn require_no_member_in_views(&self) -> Result<(), MutationError> {
        let message = match self.submission.gateway.views.members_count(self.group).await? {
            0 => return Ok(()),
            1 => "A user is in this group.".to_owned(),
            n => format!("{n} users are in this group."),
        };
        Err(Refusal::new(Code::GroupNotEmpty, message).at("groupId").into())
    }

    /// Reopens the group after an error, because it won't be deleted. An earlier request of this command may have closed it.
    async fn reopen_on_error(&self, checked: Result<(), MutationError>) -> Result<(), MutationError> {
        if checked.is_err() {
            self.reopen().await;
        }
        checked
    }

    /// Reopens the group if this command has closed it. If reopening fails, the group stays closed.
    async fn reopen(&self) {
        let deadline = Instant::now() + REOPENING;
        let step = |id: String, command: Command, expected_version: Option<u64>| {
            self.step_until(id, command, expected_version, None, deadline)
        };
        // Finds out whether this command has closed the group. No group has this version, so nothing is written. If the
        // command has closed it, the owner knows the id with other content; if not, it refuses the version as stale.
        let was_closed = match step(self.close_id(), Command::CloseGroup, Some(NO_VERSION)).await {
            Err(MutationError::Refused(refusals)) => {
                refusals.iter().any(|refusal| refusal.code == Code::CommandIdReused)
            }
            Ok(_) | Err(MutationError::Failed(_)) => false,
        };
        if !was_closed {
            return;
        }
        let id = format!("{} reopen {}", self.id, Uuid::now_v7());
        match step(id, Command::ReopenGroup, None).await {
            Ok(reopened) => drop(self.submission.wait_until_visible(&reopened.position).await),
            Err(_) => {
                tracing::warn!(group = %self.group, "A group that is not deleted after all stays closed.");
            }
        }
    }

    /// Id of the step that closes the group. Ids of clients contain no space, so it is nobody else's.
    fn close_id(&self) -> String {
        format!("{} close", self.id)
    }

    async fn step(
        &self,
        id: String,
        command: Command,
        expected_version: Option<u64>,
        prepared: Option<Prepared>,
    ) -> Result<Accepted, MutationError> {
        self.step_until(id, command, expected_version, prepared, self.submission.deadline).await
    }

    async fn step_until(
        &self,
        id: String,
        command: Command,
        expected_version: Option<u64>,
        prepared: Option<Prepared>,
        deadline: Instant,
    ) -> Result<Accepted, MutationError> {
        let ask = Ask::Group { id: self.group, expected_version, command };
        let seen = self.submission.position_seen(&ask);
        let command = self.submission.build_command(id, ask, prepared, seen);
        self.submission.submit_command(command, deadline).await
    }
}
