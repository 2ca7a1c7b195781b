//! The UFA config: what a user's file agent does in general.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::user::{Command, agent};

use super::patch;
use crate::error::api::{Fault, Stop, UserError, settle};
use crate::schema::agent::UfaConfig;
use crate::schema::user::User;
use crate::submission::{Errand, With};

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
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct EditUfaConfigPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The user afterwards.
    user: Option<Result<User, Fault>>,
    /// The config afterwards.
    ufa_config: Option<Result<UfaConfig, Fault>>,
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
    ) -> Result<EditUfaConfigPayload, Fault> {
        settle(edit(&Errand::of(ctx), input).await)
    }
}

async fn edit(errand: &Errand<'_>, input: EditUfaConfigInput) -> Result<EditUfaConfigPayload, Stop> {
    let id = errand.looks_after("EditUfaConfig", &input.user_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let command = Command::EditUfaConfig(agent::EditUfaConfig {
        debug: patch(input.debug),
        log_file: patch(input.log_file),
        heartbeat_interval: patch(input.heartbeat_interval),
        config_interval: patch(input.config_interval),
        max_jobs: patch(input.max_jobs),
    });
    let done = errand.ask_user(id, command, with).await?;
    let user = errand.user(&done, id).await;
    let ufa_config = user.as_ref().map(|user| user.as_ref().map(User::config).map_err(Clone::clone));
    Ok(EditUfaConfigPayload { user_errors: Vec::new(), user, ufa_config })
}
