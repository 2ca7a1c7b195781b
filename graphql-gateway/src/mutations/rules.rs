//! Mutations of agent rules: add, edit, remove.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::id::{RuleId, UserId};
use domain::refusal::{Code, Refusal};
use domain::user::{Action, Command, rules};

use super::payload::RulePayload;
use super::payload_names::{AddAgentRule, EditAgentRule};
use super::retry::UserRetryFields;
use super::rule_changes::AgentRuleChangesInput;
use super::rule_inputs::AgentRuleInput;
use crate::error::{ApiError, UserError, into_payload};
use crate::ids::parse_id;
use crate::schema::context::submission;

/// Gives a user's file agent one more thing to do.
#[derive(InputObject)]
pub(crate) struct AddAgentRuleInput {
    /// Whose: the caller's, or anybody's for an administrator.
    user_id: ID,
    /// The rule.
    rule: AgentRuleInput,
    #[graphql(flatten)]
    retry: UserRetryFields,
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
    #[graphql(flatten)]
    retry: UserRetryFields,
}

/// Takes one thing to do from a user's file agent.
#[derive(InputObject)]
pub(crate) struct RemoveAgentRuleInput {
    /// Whose: the caller's, or anybody's for an administrator.
    user_id: ID,
    /// The rule.
    rule_id: ID,
    #[graphql(flatten)]
    retry: UserRetryFields,
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
    ) -> Option<Result<RulePayload<AddAgentRule>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let user = submission.authorizer.require(Action::AddAgentRule, &input.user_id)?;
            let rule = rules::AddAgentRule::from(input.rule);
            let rule_id = RuleId::of(user, &rule.name);
            let completed =
                submission.send_to_user(user, Command::AddAgentRule(rule), input.retry.into()).await?;
            Ok(RulePayload::after(&submission, &completed, rule_id).await)
        })
        .await
    }

    /// Changes one thing that a user's file agent does: one's own, or any user's for an administrator.
    async fn edit_agent_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: EditAgentRuleInput,
    ) -> Option<Result<RulePayload<EditAgentRule>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let user = submission.authorizer.require(Action::EditAgentRule, &input.user_id)?;
            let rule_id = rule_id(&input.rule_id)?;
            let completed = submission
                .send_to_user(user, Command::EditAgentRule(input.changes.edit(rule_id)), input.retry.into())
                .await?;
            Ok(RulePayload::after(&submission, &completed, rule_id).await)
        })
        .await
    }

    /// Takes one thing to do from a user's file agent: one's own, or any user's for an administrator.
    async fn remove_agent_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: RemoveAgentRuleInput,
    ) -> Option<Result<RemoveAgentRulePayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let user: UserId = submission.authorizer.require(Action::RemoveAgentRule, &input.user_id)?;
            let rule_id = rule_id(&input.rule_id)?;
            submission
                .send_to_user(
                    user,
                    Command::RemoveAgentRule(rules::RemoveAgentRule { rule_id }),
                    input.retry.into(),
                )
                .await?;
            Ok(RemoveAgentRulePayload { user_errors: Vec::new(), removed_rule_id: Some(ID::from(rule_id)) })
        })
        .await
    }
}

fn rule_id(text: &str) -> Result<RuleId, Refusal> {
    parse_id(text, "ruleId", Code::UnknownRule, "The user has no such rule.")
}
