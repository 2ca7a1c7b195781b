//! Making, editing, closing and reopening groups.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use domain::aggregate::Aggregate;
use domain::decision_context::{DecisionContext, Limits};
use domain::group::{self, Command};
use domain::id::GroupId;
use domain::names::GroupName;

use super::patch;
use super::payload::{CloseGroup, CreateGroup, EditGroup, GroupPayload, ReopenGroup};
use crate::clock::now;
use crate::error::api::{Fault, Stop, settle};
use crate::submission::{self, Errand, With};

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
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
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
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the group that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// Lets a group take no new members.
#[derive(InputObject)]
pub(crate) struct CloseGroupInput {
    /// The group.
    group_id: ID,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the group that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// Lets a group take new members again.
#[derive(InputObject)]
pub(crate) struct ReopenGroupInput {
    /// The group.
    group_id: ID,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the group that the caller saw; another one is refused.
    expected_version: Option<i32>,
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
    ) -> Result<GroupPayload<CreateGroup>, Fault> {
        settle(create(&Errand::of(ctx), input).await)
    }

    /// Changes what describes a group. For administrators.
    async fn edit_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: EditGroupInput,
    ) -> Result<GroupPayload<EditGroup>, Fault> {
        settle(edit(&Errand::of(ctx), input).await)
    }

    /// Lets a group take no new members. For administrators.
    async fn close_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: CloseGroupInput,
    ) -> Result<GroupPayload<CloseGroup>, Fault> {
        settle(close(&Errand::of(ctx), &input).await)
    }

    /// Lets a group take new members again. For administrators.
    async fn reopen_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ReopenGroupInput,
    ) -> Result<GroupPayload<ReopenGroup>, Fault> {
        settle(reopen(&Errand::of(ctx), &input).await)
    }
}

async fn create(errand: &Errand<'_>, input: CreateGroupInput) -> Result<GroupPayload<CreateGroup>, Stop> {
    errand.administrator("CreateGroup", None)?;
    let with = With::of(input.command_id.as_ref(), None);
    let name = GroupName::parse(&input.name);
    let command = Command::CreateGroup(group::CreateGroup {
        name: input.name,
        description: input.description,
        phone: input.phone,
        email: input.email,
    });
    let Ok(name) = name else {
        // A name that can't be one has no id; what the rules say about all fields is known without an owner.
        let context = DecisionContext { now: now(), group: None, prepared: None, limits: Limits::default() };
        let refusals = group::Group::default().decide(&command, &context).err().unwrap_or_default();
        return Err(refusals.into());
    };
    let id = GroupId::of(&name);
    let done = errand.ask_group(id, command, with).await?;
    Ok(GroupPayload::new(errand.shown(&done, errand.gateway.views.group(id)).await))
}

async fn edit(errand: &Errand<'_>, input: EditGroupInput) -> Result<GroupPayload<EditGroup>, Stop> {
    errand.administrator("EditGroup", Some(&input.group_id))?;
    let id = submission::group(&input.group_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let command = Command::EditGroup(group::EditGroup {
        description: patch(input.description),
        phone: patch(input.phone),
        email: patch(input.email),
    });
    let done = errand.ask_group(id, command, with).await?;
    Ok(GroupPayload::new(errand.shown(&done, errand.gateway.views.group(id)).await))
}

async fn close(errand: &Errand<'_>, input: &CloseGroupInput) -> Result<GroupPayload<CloseGroup>, Stop> {
    errand.administrator("CloseGroup", Some(&input.group_id))?;
    let id = submission::group(&input.group_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let done = errand.ask_group(id, Command::CloseGroup, with).await?;
    Ok(GroupPayload::new(errand.shown(&done, errand.gateway.views.group(id)).await))
}

async fn reopen(errand: &Errand<'_>, input: &ReopenGroupInput) -> Result<GroupPayload<ReopenGroup>, Stop> {
    errand.administrator("ReopenGroup", Some(&input.group_id))?;
    let id = submission::group(&input.group_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let done = errand.ask_group(id, Command::ReopenGroup, with).await?;
    Ok(GroupPayload::new(errand.shown(&done, errand.gateway.views.group(id)).await))
}
