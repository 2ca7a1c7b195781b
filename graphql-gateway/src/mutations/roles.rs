//! Mutations of the rights of users: grant, revoke.

use async_graphql::{Context, ID, InputObject, Object};
use domain::user::{Action, Command, roles};

use super::payload::UserPayload;
use super::payload_names::{GrantRole, RevokeRole};
use super::retry::UserRetryFields;
use crate::error::{ApiError, into_payload};
use crate::schema::context::submission;
use crate::schema::role::Role;

/// Gives an active user a right.
#[derive(InputObject)]
pub(crate) struct GrantRoleInput {
    /// The active user.
    user_id: ID,
    /// Which right.
    role: Role,
    #[graphql(flatten)]
    retry: UserRetryFields,
}

/// Takes a right from an active user.
#[derive(InputObject)]
pub(crate) struct RevokeRoleInput {
    /// The active user; not the caller.
    user_id: ID,
    /// Which right; not USER, which everybody holds.
    role: Role,
    #[graphql(flatten)]
    retry: UserRetryFields,
}

#[derive(Default)]
pub(super) struct RoleMutations;

#[Object]
impl RoleMutations {
    /// Gives an active user a right. For administrators.
    async fn grant_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: GrantRoleInput,
    ) -> Option<Result<UserPayload<GrantRole>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let id = submission.authorizer.require(Action::GrantRole, &input.user_id)?;
            let command = Command::GrantRole(roles::GrantRole { role: input.role.into() });
            let completed = submission.send_to_user(id, command, input.retry.into()).await?;
            Ok(UserPayload::after(&submission, &completed, id).await)
        })
        .await
    }

    /// Takes a right from an active user; it holds everywhere within a second. For administrators.
    async fn revoke_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: RevokeRoleInput,
    ) -> Option<Result<UserPayload<RevokeRole>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let id = submission.authorizer.require(Action::RevokeRole, &input.user_id)?;
            let command = Command::RevokeRole(roles::RevokeRole { role: input.role.into() });
            let completed = submission.send_to_user(id, command, input.retry.into()).await?;
            Ok(UserPayload::after(&submission, &completed, id).await)
        })
        .await
    }
}
