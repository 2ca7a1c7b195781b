//! Mutations of what describes a user: the profile, and the group they are in.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use domain::id::UserId;
use domain::policy;
use domain::refusal::Code;
use domain::user::{Action, Command, profile};

use super::patch::patch;
use super::payload::UserPayload;
use super::payload_names::{ChangeGroup, UpdateProfile};
use super::retry::UserRetryFields;
use crate::error::{ApiError, MutationError, into_payload};
use crate::ids::group_id;
use crate::schema::context::submission;
use crate::submission::Submission;

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
    #[graphql(flatten)]
    retry: UserRetryFields,
}

/// Moves an approved user to another group.
#[derive(InputObject)]
pub(crate) struct ChangeGroupInput {
    /// The approved user.
    user_id: ID,
    /// The group to be in; an open one.
    group_id: ID,
    #[graphql(flatten)]
    retry: UserRetryFields,
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
    ) -> Option<Result<UserPayload<UpdateProfile>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let id = submission.authorizer.require(Action::UpdateProfile, &input.user_id)?;
            let command = Command::UpdateProfile(profile::UpdateProfile {
                first_name: patch(input.first_name),
                last_name: patch(input.last_name),
                phone: patch(input.phone),
                email: patch(input.email),
            });
            let completed = submission
                .send_to_user(id, command, input.retry.into())
                .await
                .map_err(|error| hide_other_holders(&submission, id, error))?;
            Ok(UserPayload::after(&submission, &completed, id).await)
        })
        .await
    }

    /// Moves an approved user to another group. For administrators.
    async fn change_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ChangeGroupInput,
    ) -> Option<Result<UserPayload<ChangeGroup>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let id = submission.authorizer.require(Action::ChangeGroup, &input.user_id)?;
            let group_id = group_id(&input.group_id)?;
            let completed = submission
                .send_to_user(id, Command::ChangeGroup(profile::ChangeGroup { group_id }), input.retry.into())
                .await?;
            Ok(UserPayload::after(&submission, &completed, id).await)
        })
        .await
    }
}

/// Only administrators may know that somebody else has an address. Other callers hear that they can't use it, and the
/// audit log tells administrators why.
fn hide_other_holders(submission: &Submission<'_>, id: UserId, error: MutationError) -> MutationError {
    let actor = submission.caller.actor();
    let MutationError::Refused(mut refusals) = error else { return error };
    if policy::may_administer(&actor) || !refusals.iter().any(|refusal| refusal.code == Code::EmailTaken) {
        return MutationError::Refused(refusals);
    }
    submission.authorizer.record_refusal("UpdateProfile", id, actor.name(), &refusals);
    for refusal in refusals.iter_mut().filter(|refusal| refusal.code == Code::EmailTaken) {
        refusal.code = Code::NotApplicable;
        "This address can't be used here; an administrator can help.".clone_into(&mut refusal.message);
    }
    MutationError::Refused(refusals)
}
