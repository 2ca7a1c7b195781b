//! Mutations of groups: create, edit, close, reopen.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use domain::aggregate::Aggregate;
use domain::decision_context::{DecisionContext, Limits};
use domain::group::{self, Command};
use domain::id::GroupId;
use domain::names::GroupName;

use super::patch::patch;
use super::payload::GroupPayload;
use super::payload_names::{CloseGroup, CreateGroup, EditGroup, ReopenGroup};
use super::retry::{GroupRetryFields, RetryFields};
use crate::clock::now;
use crate::error::{ApiError, into_payload};
use crate::ids::group_id;
use crate::schema::context::submission;

/// Makes a group.
#[derive(InputObject)]
pub(crate) struct CreateGroupInput {
    /// The name, for ever: 2 to 64 of a-z 0-9 . _ -, starting with a letter or digit; capital letters become small.
    name: String,
    /// What it is for, up to 500 characters.
    description: Option<String>,
    /// Phone number of whoever answers for it.
    phone: Option<String>,
    /// E-mail address of whoever answers for it.
    email: Option<String>,
    #[graphql(flatten)]
    retry: RetryFields,
}

/// Changes what describes a group. Absent means keep, null means clear.
#[derive(InputObject)]
pub(crate) struct EditGroupInput {
    /// The group.
    group_id: ID,
    /// What it is for, up to 500 characters.
    description: MaybeUndefined<String>,
    /// Phone number of whoever answers for it.
    phone: MaybeUndefined<String>,
    /// E-mail address of whoever answers for it.
    email: MaybeUndefined<String>,
    #[graphql(flatten)]
    retry: GroupRetryFields,
}

/// Lets a group take no new members.
#[derive(InputObject)]
pub(crate) struct CloseGroupInput {
    /// The group.
    group_id: ID,
    #[graphql(flatten)]
    retry: GroupRetryFields,
}

/// Lets a group take new members again.
#[derive(InputObject)]
pub(crate) struct ReopenGroupInput {
    /// The group.
    group_id: ID,
    #[graphql(flatten)]
    retry: GroupRetryFields,
}

#[derive(Default)]
pub(super) struct GroupMutations;

#[Object]
impl GroupMutations {
    /// Makes a group. For administrators.
    async fn create_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: CreateGroupInput,
    ) -> Option<Result<GroupPayload<CreateGroup>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("CreateGroup", None)?;
            let name = GroupName::parse(&input.name);
            let command = Command::CreateGroup(group::CreateGroup {
                name: input.name,
                description: input.description,
                phone: input.phone,
                email: input.email,
            });
            let Ok(name) = name else {
                // Without a valid name there is no id and no owner, but the rules about the fields apply anyway.
                let context =
                    DecisionContext { now: now(), group: None, prepared: None, limits: Limits::default() };
                let refusals = group::Group::default().decide(&command, &context).err().unwrap_or_default();
                return Err(refusals.into());
            };
            let id = GroupId::of(&name);
            let completed = submission.send_to_group(id, command, input.retry.into()).await?;
            Ok(GroupPayload::after(&submission, &completed, id).await)
        })
        .await
    }

    /// Changes what describes a group. For administrators.
    async fn edit_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: EditGroupInput,
    ) -> Option<Result<GroupPayload<EditGroup>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("EditGroup", Some(&input.group_id))?;
            let id = group_id(&input.group_id)?;
            let command = Command::EditGroup(group::EditGroup {
                description: patch(input.description),
                phone: patch(input.phone),
                email: patch(input.email),
            });
            let completed = submission.send_to_group(id, command, input.retry.into()).await?;
            Ok(GroupPayload::after(&submission, &completed, id).await)
        })
        .await
    }

    /// Lets a group take no new members. For administrators.
    async fn close_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: CloseGroupInput,
    ) -> Option<Result<GroupPayload<CloseGroup>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("CloseGroup", Some(&input.group_id))?;
            let id = group_id(&input.group_id)?;
            let completed = submission.send_to_group(id, Command::CloseGroup, input.retry.into()).await?;
            Ok(GroupPayload::after(&submission, &completed, id).await)
        })
        .await
    }

    /// Lets a group take new members again. For administrators.
    async fn reopen_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ReopenGroupInput,
    ) -> Option<Result<GroupPayload<ReopenGroup>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("ReopenGroup", Some(&input.group_id))?;
            let id = group_id(&input.group_id)?;
            let completed = submission.send_to_group(id, Command::ReopenGroup, input.retry.into()).await?;
            Ok(GroupPayload::after(&submission, &completed, id).await)
        })
        .await
    }
}
