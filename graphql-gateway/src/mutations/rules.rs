//! Agent rules: adding, editing, removing what a user's file agent does.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, SimpleObject};
use domain::id::{RuleId, UserId};
use domain::refusal::Code;
use domain::user::{Command, rules};

use super::patch;
use super::payload::{AddAgentRule, EditAgentRule, RulePayload};
use super::rule_inputs::{DownloadRuleInput, EditDownloadRuleInput, EditUploadRuleInput, UploadRuleInput};
use crate::error::api::{Fault, Stop, UserError, settle};
use crate::submission::{Errand, With, id};

/// A new rule: exactly one of its kinds.
#[derive(OneofObject)]
pub(crate) enum AgentRuleInput {
    /// Files go from the agent to the platform.
    Upload(UploadRuleInput),
    /// Files go from a mailbox to the agent.
    Download(DownloadRuleInput),
}

/// Gives a user's file agent one more thing to do.
#[derive(InputObject)]
pub(crate) struct AddAgentRuleInput {
    /// Whose: the caller's, or anybody's for an administrator.
    user_id: ID,
    /// The rule.
    rule: AgentRuleInput,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// Changes of a rule: exactly one of its kinds, and that the rule's own.
#[derive(OneofObject)]
pub(crate) enum AgentRuleChangesInput {
    /// Of an upload.
    Upload(EditUploadRuleInput),
    /// Of a download.
    Download(EditDownloadRuleInput),
}

/// Changes one thing that a user's file agent does.
#[derive(InputObject)]
pub(crate) struct EditAgentRuleInput {
    /// Whose: the caller's, or anybody's for an administrator.
    user_id: ID,
    /// The rule.
    rule_id: ID,
    /// What changes.
    changes: AgentRuleChangesInput,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// Takes one thing to do from a user's file agent.
#[derive(InputObject)]
pub(crate) struct RemoveAgentRuleInput {
    /// Whose: the caller's, or anybody's for an administrator.
    user_id: ID,
    /// The rule.
    rule_id: ID,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct RemoveAgentRulePayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The agent rule that is gone.
    removed_rule_id: Option<ID>,
}

impl From<Vec<UserError>> for RemoveAgentRulePayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, removed_rule_id: None }
    }
}

#[derive(Default)]
pub(super) struct RuleMutations;

#[Object]
impl RuleMutations {
    /// Gives a user's file agent one more thing to do: one's own, or any user's for an administrator.
    async fn add_agent_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: AddAgentRuleInput,
    ) -> Result<RulePayload<AddAgentRule>, Fault> {
        settle(add(&Errand::of(ctx), input).await)
    }

    /// Changes one thing that a user's file agent does: one's own, or any user's for an administrator.
    async fn edit_agent_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: EditAgentRuleInput,
    ) -> Result<RulePayload<EditAgentRule>, Fault> {
        settle(edit(&Errand::of(ctx), input).await)
    }

    /// Takes one thing to do from a user's file agent: one's own, or any user's for an administrator.
    async fn remove_agent_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: RemoveAgentRuleInput,
    ) -> Result<RemoveAgentRulePayload, Fault> {
        settle(remove(&Errand::of(ctx), &input).await)
    }
}

async fn add(errand: &Errand<'_>, input: AddAgentRuleInput) -> Result<RulePayload<AddAgentRule>, Stop> {
    let user = errand.looks_after("AddAgentRule", &input.user_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let rule: rules::AddAgentRule = match input.rule {
        AgentRuleInput::Upload(rule) => rule.into(),
        AgentRuleInput::Download(rule) => rule.into(),
    };
    let rule_id = RuleId::of(user, &rule.name);
    let done = errand.ask_user(user, Command::AddAgentRule(rule), with).await?;
    Ok(RulePayload::new(errand.shown(&done, errand.gateway.views.rule(rule_id)).await))
}

async fn edit(errand: &Errand<'_>, input: EditAgentRuleInput) -> Result<RulePayload<EditAgentRule>, Stop> {
    let user = errand.looks_after("EditAgentRule", &input.user_id)?;
    let rule_id = rule(&input.rule_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let command = match input.changes {
        AgentRuleChangesInput::Upload(changes) => rules::EditAgentRule {
            rule_id,
            active: patch(changes.active),
            poll_interval: patch(changes.poll_interval),
            subscribers: patch(changes.subscribers),
            changes: rules::Changes::Upload(rules::UploadChanges {
                match_pattern: patch(changes.match_pattern),
                regex: patch(changes.regex),
                upload_format: patch(changes.upload_format),
                metadata: patch(
                    changes.metadata.map_value(|entries| entries.into_iter().map(Into::into).collect()),
                ),
                ack_mode: patch(changes.ack_mode.map_value(Into::into)),
            }),
        },
        AgentRuleChangesInput::Download(changes) => rules::EditAgentRule {
            rule_id,
            active: patch(changes.active),
            poll_interval: patch(changes.poll_interval),
            subscribers: patch(changes.subscribers),
            changes: rules::Changes::Download(rules::DownloadChanges {
                mailbox: patch(changes.mailbox),
                deliver_policy: patch(changes.deliver_policy.map_value(Into::into)),
                start_time: patch(changes.start_time.map_value(Into::into)),
                download_path: patch(changes.download_path),
                max_files: patch(changes.max_files),
            }),
        },
    };
    let done = errand.ask_user(user, Command::EditAgentRule(command), with).await?;
    Ok(RulePayload::new(errand.shown(&done, errand.gateway.views.rule(rule_id)).await))
}

async fn remove(errand: &Errand<'_>, input: &RemoveAgentRuleInput) -> Result<RemoveAgentRulePayload, Stop> {
    let user: UserId = errand.looks_after("RemoveAgentRule", &input.user_id)?;
    let rule_id = rule(&input.rule_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    errand.ask_user(user, Command::RemoveAgentRule(rules::RemoveAgentRule { rule_id }), with).await?;
    Ok(RemoveAgentRulePayload { user_errors: Vec::new(), removed_rule_id: Some(ID::from(rule_id)) })
}

fn rule(text: &ID) -> Result<RuleId, Stop> {
    Ok(id(text, "ruleId", Code::UnknownRule, "The user has no such rule.")?)
}
