//! The mutation of the UFA config.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::user::{Action, Command, agent};

use super::patch::patch;
use super::payload::read_back;
use super::retry::UserRetryFields;
use crate::error::{ApiError, UserError, into_payload};
use crate::schema::agent::UfaConfig;
use crate::schema::context::submission;
use crate::schema::user::User;

/// Changes what a user's file agent does in general. Absent means keep; only `logFile` can be cleared by null.
#[derive(InputObject)]
pub(crate) struct EditUfaConfigInput {
    /// Whose: the caller's, or anybody's for an administrator.
    user_id: ID,
    /// Whether the agent logs in detail.
    debug: MaybeUndefined<bool>,
    /// Where the agent logs, up to 4096 characters; empty for its own default.
    log_file: MaybeUndefined<String>,
    /// Seconds between two heartbeats, 5 to 86400.
    heartbeat_interval: MaybeUndefined<i32>,
    /// Seconds between two looks at this config, 5 to 86400.
    config_interval: MaybeUndefined<i32>,
    /// Most transfers at a time, 1 to 10000.
    max_jobs: MaybeUndefined<i32>,
    #[graphql(flatten)]
    retry: UserRetryFields,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct EditUfaConfigPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The user afterwards.
    user: Option<Result<User, ApiError>>,
    /// The config afterwards.
    ufa_config: Option<Result<UfaConfig, ApiError>>,
}

impl From<Vec<UserError>> for EditUfaConfigPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, user: None, ufa_config: None }
    }
}

#[derive(Default)]
pub(super) struct AgentMutations;

#[Object]
impl AgentMutations {
    /// Changes what a user's file agent does in general: one's own, or any user's for an administrator.
    async fn edit_ufa_config(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: EditUfaConfigInput,
    ) -> Option<Result<EditUfaConfigPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let id = submission.authorizer.require(Action::EditUfaConfig, &input.user_id)?;
            let command = Command::EditUfaConfig(agent::EditUfaConfig {
                debug: patch(input.debug),
                log_file: patch(input.log_file),
                heartbeat_interval: patch(input.heartbeat_interval),
                config_interval: patch(input.config_interval),
                max_jobs: patch(input.max_jobs),
            });
            let completed = submission.send_to_user(id, command, input.retry.into()).await?;
            let user = read_back(&completed, submission.gateway.views.user(id)).await;
            let ufa_config = user.as_ref().map(|user| user.as_ref().map(User::config).map_err(Clone::clone));
            Ok(EditUfaConfigPayload { user_errors: Vec::new(), user, ufa_config })
        })
        .await
    }
}
