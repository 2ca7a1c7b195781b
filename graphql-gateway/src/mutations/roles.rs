//! Rights that are given and taken.

use async_graphql::{Context, ID, InputObject, Object};
use domain::user::{Command, roles};

use super::payload::{GrantRole, RevokeRole, UserPayload};
use crate::error::api::{Fault, Stop, settle};
use crate::schema::user::Role;
use crate::submission::{Errand, With};

/// Gives an active user a right.
#[derive(InputObject)]
pub(crate) struct GrantRoleInput {
    /// The active user.
    user_id: ID,
    /// Which right.
    role: Role,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// Takes a right from an active user.
#[derive(InputObject)]
pub(crate) struct RevokeRoleInput {
    /// The active user; not the caller.
    user_id: ID,
    /// Which right; not USER, which everybody holds.
    role: Role,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
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
    ) -> Result<UserPayload<GrantRole>, Fault> {
        settle(grant(&Errand::of(ctx), &input).await)
    }

    /// Takes a right from an active user; it holds everywhere within a second. For administrators.
    async fn revoke_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: RevokeRoleInput,
    ) -> Result<UserPayload<RevokeRole>, Fault> {
        settle(revoke(&Errand::of(ctx), &input).await)
    }
}

async fn grant(errand: &Errand<'_>, input: &GrantRoleInput) -> Result<UserPayload<GrantRole>, Stop> {
    let id = errand.administers("GrantRole", &input.user_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let command = Command::GrantRole(roles::GrantRole { role: input.role.into() });
    let done = errand.ask_user(id, command, with).await?;
    Ok(UserPayload::new(errand.user(&done, id).await))
}

async fn revoke(errand: &Errand<'_>, input: &RevokeRoleInput) -> Result<UserPayload<RevokeRole>, Stop> {
    let id = errand.administers("RevokeRole", &input.user_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let command = Command::RevokeRole(roles::RevokeRole { role: input.role.into() });
    let done = errand.ask_user(id, command, with).await?;
    Ok(UserPayload::new(errand.user(&done, id).await))
}
