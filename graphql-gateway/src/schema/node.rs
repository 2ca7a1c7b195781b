//! Looks up anything that has an id by that id alone.

use std::borrow::Cow;
use std::str::FromStr;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    Context, ContextSelectionSet, ID, Interface, OutputType, Positioned, ServerResult, Value,
};

use domain::id::{EntryId, GroupId, MailboxId, RuleId, TokenId, UfaConfigId, UserId, WebhookId};
use domain::policy;

use super::agent::{Mailbox, UfaConfig};
use super::audit::AuditEntry;
use super::context::{caller, gateway, may_see_group};
use super::group::Group;
use super::rule::{AgentRule, DownloadRule, UploadRule};
use super::token::AuthToken;
use super::user::User;
use super::webhook::Webhook;
use crate::error::ApiError;

/// Something with an id of its own.
#[derive(Debug, Clone, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Names it alone; never changes."))]
pub(crate) enum Node {
    /// A user.
    User(User),
    /// A group of users.
    Group(Group),
    /// What a program proves with whom it acts for.
    AuthToken(AuthToken),
    /// Where files wait for a user.
    Mailbox(Mailbox),
    /// Files go from the agent to the platform.
    UploadRule(UploadRule),
    /// Files go from a mailbox to the agent.
    DownloadRule(DownloadRule),
    /// What a user's file agent does in general.
    UfaConfig(UfaConfig),
    /// Something that somebody did, or tried to.
    AuditEntry(AuditEntry),
    /// An address outside that is sent the events of users.
    Webhook(Webhook),
}

impl From<AgentRule> for Node {
    fn from(rule: AgentRule) -> Self {
        match rule {
            AgentRule::UploadRule(rule) => Self::UploadRule(rule),
            AgentRule::DownloadRule(rule) => Self::DownloadRule(rule),
        }
    }
}

/// What has this id, if it exists and the caller may see it.
pub(super) async fn find(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>, ApiError> {
    let session = caller(ctx).require_session()?;
    let actor = session.actor();
    let views = &gateway(ctx).views;
    let sees = |user: UserId| policy::may_see(&actor, user);
    let node = if let Some(id) = read::<UserId>(id) {
        views.user(id).await?.filter(|row| sees(row.id)).map(|row| User::from(row).into())
    } else if let Some(id) = read::<GroupId>(id) {
        let row = views.group(id).await?;
        row.filter(|row| may_see_group(session, row.id)).map(|row| Group::from(row).into())
    } else if let Some(id) = read::<UfaConfigId>(id) {
        views.user(id.user()).await?.filter(|row| sees(row.id)).map(|row| UfaConfig::of(&row).into())
    } else if let Some(id) = read::<TokenId>(id) {
        let row = views.token(id).await?;
        row.filter(|row| sees(row.user_id)).map(|row| AuthToken::from(row).into())
    } else if let Some(id) = read::<MailboxId>(id) {
        let row = views.mailbox(id).await?;
        row.filter(|row| sees(row.user_id)).map(|row| Mailbox::from(row).into())
    } else if let Some(id) = read::<RuleId>(id) {
        let row = views.rule(id).await?;
        row.filter(|row| sees(row.user_id)).map(|row| AgentRule::from(row).into())
    } else if let Some(id) = read::<EntryId>(id) {
        let row = views.audit_entry(id).await?;
        let is_own = |row: &read_model::audit::AuditRow| {
            row.target.as_ref().and_then(|target| read::<UserId>(&target.to_string())).is_some_and(sees)
        };
        row.filter(|row| policy::may_administer(&actor) || is_own(row))
            .map(|row| AuditEntry::from(row).into())
    } else if let Some(id) = read::<WebhookId>(id) {
        let row = views.webhook(id).await?;
        row.filter(|_| policy::may_administer(&actor)).map(|row| Webhook::from(row).into())
    } else {
        None
    };
    Ok(node)
}

fn read<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// Tells the schema that the interface `AgentRule` implements `Node`: the derive does that for objects alone. No field
/// has this type, so it is never resolved.
pub(crate) struct RuleIsANode;

impl OutputType for RuleIsANode {
    fn type_name() -> Cow<'static, str> {
        <AgentRule as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.add_implements(&Self::type_name(), &<Node as OutputType>::type_name());
        <AgentRule as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::Null)
    }
}
