//! Names, phone, address and group.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use domain::id::UserId;
use domain::policy;
use domain::refusal::Code;
use domain::user::{Command, profile};

use super::patch;
use super::payload::{ChangeGroup, UpdateProfile, UserPayload};
use crate::error::api::{Fault, Stop, settle};
use crate::submission::{Errand, With, group};

/// Changes names, phone and address. Absent means keep, null means clear.
#[derive(InputObject)]
pub(crate) struct UpdateProfileInput {
    /// The user: the caller, or anybody for an administrator.
    user_id: ID,
    /// First name, up to 100 characters.
    first_name: MaybeUndefined<String>,
    /// Last name, up to 100 characters.
    last_name: MaybeUndefined<String>,
    /// Phone number, up to 32 of + 0-9 ( ) - and spaces.
    phone: MaybeUndefined<String>,
    /// E-mail address, up to 254 characters.
    email: MaybeUndefined<String>,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// Moves an approved user to another group.
#[derive(InputObject)]
pub(crate) struct ChangeGroupInput {
    /// The approved user.
    user_id: ID,
    /// The group to be in; an open one.
    group_id: ID,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

#[derive(Default)]
pub(super) struct ProfileMutations;

#[Object]
impl ProfileMutations {
    /// Changes names, phone and address: one's own, or any user's for an administrator.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: UpdateProfileInput,
    ) -> Result<UserPayload<UpdateProfile>, Fault> {
        settle(update(&Errand::of(ctx), input).await)
    }

    /// Moves an approved user to another group. For administrators.
    async fn change_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ChangeGroupInput,
    ) -> Result<UserPayload<ChangeGroup>, Fault> {
        settle(change_group(&Errand::of(ctx), &input).await)
    }
}

async fn update(errand: &Errand<'_>, input: UpdateProfileInput) -> Result<UserPayload<UpdateProfile>, Stop> {
    let id = errand.looks_after("UpdateProfile", &input.user_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let command = Command::UpdateProfile(profile::UpdateProfile {
        first_name: patch(input.first_name),
        last_name: patch(input.last_name),
        phone: patch(input.phone),
        email: patch(input.email),
    });
    let done = errand.ask_user(id, command, with).await.map_err(|stop| without_names(errand, id, stop))?;
    Ok(UserPayload::new(errand.user(&done, id).await))
}

/// Only administrators hear that somebody else has an address. Others hear that they can't, and administrators see why.
fn without_names(errand: &Errand<'_>, id: UserId, stop: Stop) -> Stop {
    let actor = errand.caller.actor();
    let Stop::Refused(mut refusals) = stop else { return stop };
    if policy::may_administer(&actor) || !refusals.iter().any(|refusal| refusal.code == Code::EmailTaken) {
        return Stop::Refused(refusals);
    }
    errand.refused("UpdateProfile", id, actor.name(), &refusals);
    for refusal in refusals.iter_mut().filter(|refusal| refusal.code == Code::EmailTaken) {
        refusal.code = Code::NotApplicable;
        "This address can't be used here; an administrator can help.".clone_into(&mut refusal.message);
    }
    Stop::Refused(refusals)
}

async fn change_group(
    errand: &Errand<'_>,
    input: &ChangeGroupInput,
) -> Result<UserPayload<ChangeGroup>, Stop> {
    let id = errand.administers("ChangeGroup", &input.user_id)?;
    let group_id = group(&input.group_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let done = errand.ask_user(id, Command::ChangeGroup(profile::ChangeGroup { group_id }), with).await?;
    Ok(UserPayload::new(errand.user(&done, id).await))
}
