//! Mutations of approved users: suspend, reactivate, delete.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::user::UserStatus;
use domain::user::{Action, Command, lifecycle};

use super::payload::UserPayload;
use super::payload_names::{ReactivateUser, SuspendUser};
use super::retry::UserRetryFields;
use crate::error::{ApiError, UserError, into_payload};
use crate::schema::context::submission;

/// Lets an active user in nowhere until reactivated.
#[derive(InputObject)]
pub(crate) struct SuspendUserInput {
    /// The active user; not the caller.
    user_id: ID,
    /// Why; kept and shown, up to 500 characters.
    reason: String,
    #[graphql(flatten)]
    retry: UserRetryFields,
}

/// Takes a suspension back.
#[derive(InputObject)]
pub(crate) struct ReactivateUserInput {
    /// The suspended user.
    user_id: ID,
    #[graphql(flatten)]
    retry: UserRetryFields,
}

/// Ends a user for good; the name stays taken.
#[derive(InputObject)]
pub(crate) struct DeleteUserInput {
    /// The user; not the caller.
    user_id: ID,
    #[graphql(flatten)]
    retry: UserRetryFields,
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
    ) -> Option<Result<UserPayload<SuspendUser>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let id = submission.authorizer.require(Action::SuspendUser, &input.user_id)?;
            let command = Command::SuspendUser(lifecycle::SuspendUser { reason: input.reason });
            let completed = submission.send_to_user(id, command, input.retry.into()).await?;
            if submission.gateway.sessions.end_all(id).await.is_err() {
                // They are invalid all the same while the user is suspended, and the reactivation ends them first.
                tracing::warn!("The sessions of a suspended user were not ended yet.");
            }
            Ok(UserPayload::after(&submission, &completed, id).await)
        })
        .await
    }

    /// Takes a suspension back. For administrators.
    async fn reactivate_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ReactivateUserInput,
    ) -> Option<Result<UserPayload<ReactivateUser>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let id = submission.authorizer.require(Action::ReactivateUser, &input.user_id)?;
            if submission
                .gateway
                .views
                .user(id)
                .await?
                .is_some_and(|user| user.state == UserStatus::Suspended)
            {
                // A session that began before the views showed the suspension must not become valid again.
                submission.gateway.sessions.end_all(id).await?;
            }
            let completed = submission.send_to_user(id, Command::ReactivateUser, input.retry.into()).await?;
            Ok(UserPayload::after(&submission, &completed, id).await)
        })
        .await
    }

    /// Ends a user for good; the name stays taken. For administrators.
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: DeleteUserInput,
    ) -> Option<Result<DeleteUserPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let id = submission.authorizer.require(Action::DeleteUser, &input.user_id)?;
            submission.send_to_user(id, Command::DeleteUser, input.retry.into()).await?;
            Ok(DeleteUserPayload { user_errors: Vec::new(), deleted_user_id: Some(ID::from(id)) })
        })
        .await
    }
}
