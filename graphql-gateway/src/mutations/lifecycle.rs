//! Suspending, reactivating, deleting: where a user stands after the way in.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::user::UserStatus;
use domain::user::{Command, lifecycle};

use super::payload::{ReactivateUser, SuspendUser, UserPayload};
use crate::error::api::{Fault, Stop, UserError, settle};
use crate::submission::{Errand, With};

/// Lets an active user in nowhere until reactivated.
#[derive(InputObject)]
pub(crate) struct SuspendUserInput {
    /// The active user; not the caller.
    user_id: ID,
    /// Why; kept and shown, up to 500 characters.
    reason: String,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// Takes a suspension back.
#[derive(InputObject)]
pub(crate) struct ReactivateUserInput {
    /// The suspended user.
    user_id: ID,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// Ends a user for good; the name stays taken.
#[derive(InputObject)]
pub(crate) struct DeleteUserInput {
    /// The user; not the caller.
    user_id: ID,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// What became of the deletion.
#[derive(SimpleObject)]
pub(crate) struct DeleteUserPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The user who is gone.
    deleted_user_id: Option<ID>,
}

impl From<Vec<UserError>> for DeleteUserPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, deleted_user_id: None }
    }
}

#[derive(Default)]
pub(super) struct LifecycleMutations;

#[Object]
impl LifecycleMutations {
    /// Lets an active user in nowhere until reactivated; sessions and tokens stop within a second. For administrators.
    async fn suspend_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: SuspendUserInput,
    ) -> Result<UserPayload<SuspendUser>, Fault> {
        settle(suspend(&Errand::of(ctx), input).await)
    }

    /// Takes a suspension back. For administrators.
    async fn reactivate_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ReactivateUserInput,
    ) -> Result<UserPayload<ReactivateUser>, Fault> {
        settle(reactivate(&Errand::of(ctx), &input).await)
    }

    /// Ends a user for good; the name stays taken. For administrators.
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: DeleteUserInput,
    ) -> Result<DeleteUserPayload, Fault> {
        settle(delete(&Errand::of(ctx), &input).await)
    }
}

async fn suspend(errand: &Errand<'_>, input: SuspendUserInput) -> Result<UserPayload<SuspendUser>, Stop> {
    let id = errand.administers("SuspendUser", &input.user_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let command = Command::SuspendUser(lifecycle::SuspendUser { reason: input.reason });
    let done = errand.ask_user(id, command, with).await?;
    if errand.gateway.sessions().end_all(id).await.is_err() {
        // The suspension holds all the same, and the reactivation ends them before it takes that back.
        tracing::warn!("The sessions of a suspended user were not ended yet.");
    }
    Ok(UserPayload::new(errand.user(&done, id).await))
}

async fn reactivate(
    errand: &Errand<'_>,
    input: &ReactivateUserInput,
) -> Result<UserPayload<ReactivateUser>, Stop> {
    let id = errand.administers("ReactivateUser", &input.user_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    if errand.gateway.user(id).await?.is_some_and(|user| user.state == UserStatus::Suspended) {
        // One that began before the views showed the suspension must not wake up.
        errand.gateway.sessions().end_all(id).await?;
    }
    let done = errand.ask_user(id, Command::ReactivateUser, with).await?;
    Ok(UserPayload::new(errand.user(&done, id).await))
}

async fn delete(errand: &Errand<'_>, input: &DeleteUserInput) -> Result<DeleteUserPayload, Stop> {
    let id = errand.administers("DeleteUser", &input.user_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    errand.ask_user(id, Command::DeleteUser, with).await?;
    Ok(DeleteUserPayload { user_errors: Vec::new(), deleted_user_id: Some(ID::from(id)) })
}
