//! The mutation that deletes a group. Its steps are in [`steps`].

mod steps;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::retry::GroupRetryFields;
use crate::error::{ApiError, UserError, into_payload};
use crate::ids::{command_id, group_id};
use crate::schema::context::submission;
use crate::submission::CommandOptions;
use steps::Deletion;

/// Takes a group away.
#[derive(InputObject)]
pub(crate) struct DeleteGroupInput {
    /// The group; nobody may be in it.
    group_id: ID,
    #[graphql(flatten)]
    retry: GroupRetryFields,
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
    ) -> Option<Result<DeleteGroupPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("DeleteGroup", Some(&input.group_id))?;
            let group = group_id(&input.group_id)?;
            let CommandOptions { command_id: id, expected_version, .. } = input.retry.into();
            let id = command_id(id.as_deref())?;
            let deleted = Deletion { submission: &submission, group, id, expected_version }.run().await?;
            // Lists that are read after the answer should not show the group. If the wait is too long, they soon won't.
            let _visible = submission.wait_until_visible(&deleted.position).await;
            Ok(DeleteGroupPayload { user_errors: Vec::new(), deleted_group_id: Some(ID::from(group)) })
        })
        .await
    }
}
