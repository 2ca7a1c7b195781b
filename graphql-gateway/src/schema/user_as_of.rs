//! The GraphQL types of users as they were at a point in the past.

use async_graphql::{ID, InputObject, SimpleObject};
use domain::id::UfaConfigId;
use domain::timestamp::Timestamp;
use domain::user::past::{PastMailbox, PastToken, PastUser};
use read_model::agents::RuleRow;
use read_model::mailboxes::MailboxRow;
use read_model::tokens::TokenRow;
use read_model::user_spans::PastUserFilter;

use super::agent::{Mailbox, UfaConfig};
use super::connection::Listed;
use super::role::Role;
use super::rule::AgentRule;
use super::scalar::{DateTime, int};
use super::token::AuthToken;
use super::user::UserState;
use crate::error::ApiError;

/// Most groups of one list: each is looked up by itself.
const GROUPS: usize = 100;

/// A user as they were at a point in the past. What is inside has ids of the present: a client that caches objects by id
/// mixes both.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct UserAsOf {
    /// The user's id.
    user_id: ID,
    /// The name.
    username: String,
    /// Where the user stood.
    state: UserState,
    /// Why the user was rejected or suspended.
    state_reason: Option<String>,
    /// The name of the group; null before approval, and for the first administrator.
    group: Option<String>,
    /// First name.
    first_name: Option<String>,
    /// Last name.
    last_name: Option<String>,
    /// E-mail address.
    email: Option<String>,
    /// Phone number, as typed.
    phone: Option<String>,
    /// What the user held.
    roles: Vec<Role>,
    /// What the file agent did in general.
    ufa_config: UfaConfig,
    /// What the file agent did in particular, by name.
    agent_rules: Vec<AgentRule>,
    /// The names of the mailboxes.
    mailboxes: Vec<String>,
    /// The auth tokens, the newest first, without their last use. `revoked` is as of then.
    auth_tokens: Vec<AuthToken>,
    /// The number of the user's last event up to then: counts from 1.
    sequence: i32,
    /// The instant that was asked for; of a question by `sequence`, when that event came into force.
    as_of: DateTime,
}

/// Which users of an instant are listed; what is absent doesn't matter.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct UsersAsOfFilter {
    /// In any of these states then; deleted users are listed only when this asks for them.
    state: Option<Vec<UserState>>,
    /// In any of these groups then, 100 at most.
    group_id: Option<Vec<ID>>,
}

impl UsersAsOfFilter {
    /// The filter of the views. `None` if it asks for groups and none of their ids can be one: then no user matches.
    pub(super) fn for_views(self) -> Result<Option<PastUserFilter>, ApiError> {
        let ids = self.group_id.unwrap_or_default();
        if ids.len() > GROUPS {
            return Err(ApiError::BadRequest("`filter.groupId` names 100 groups at most."));
        }
        let groups: Vec<_> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        if groups.is_empty() && !ids.is_empty() {
            return Ok(None);
        }
        let states = self.state.unwrap_or_default().into_iter().map(Into::into).collect();
        Ok(Some(PastUserFilter { states, groups }))
    }
}

impl UserAsOf {
    /// The answer for a user of the views.
    pub(super) fn new(user: PastUser, as_of: Timestamp) -> Self {
        let mailboxes: Vec<_> = user.mailboxes.iter().map(|it| Mailbox::from(mailbox(&user, it))).collect();
        let rule = |rule: &domain::user::rules::Rule| {
            let (user_id, username, rule) = (user.id, user.username.clone(), rule.clone());
            AgentRule::of_the_past(RuleRow { user_id, username, rule }, &mailboxes)
        };
        Self {
            user_id: user.id.into(),
            state: user.status.into(),
            agent_rules: user.rules.iter().map(rule).collect(),
            mailboxes: user.mailboxes.iter().map(|mailbox| mailbox.name.clone()).collect(),
            auth_tokens: user.tokens.iter().map(|it| token(&user, it).into()).collect(),
            ufa_config: UfaConfig::new(
                UfaConfigId::of(user.id),
                &user.config,
                user.ufa_version,
                user.ufa_updated_at,
            ),
            username: user.username,
            state_reason: user.status_reason,
            group: user.group.map(|group| group.name),
            first_name: user.personal.first_name,
            last_name: user.personal.last_name,
            email: user.personal.email,
            phone: user.personal.phone,
            roles: user.roles.iter().map(Into::into).collect(),
            sequence: int(user.sequence),
            as_of: as_of.into(),
        }
    }
}

fn mailbox(user: &PastUser, mailbox: &PastMailbox) -> MailboxRow {
    let PastMailbox { id, name, description, created_at } = mailbox.clone();
    MailboxRow { id, user_id: user.id, username: user.username.clone(), name, description, created_at }
}

fn token(user: &PastUser, token: &PastToken) -> TokenRow {
    let issued = token.issued.clone();
    TokenRow {
        id: issued.token_id,
        user_id: user.id,
        name: issued.name,
        scopes: issued.scopes,
        allowed_networks: issued.allowed_networks.iter().map(ToString::to_string).collect(),
        version: token.version,
        created_at: token.created_at,
        expires_at: issued.expires_at,
        revoked: token.revoked,
        last_use: None,
    }
}

impl Listed for UserAsOf {
    const CONNECTION: &'static str = "UserAsOfConnection";
    const EDGE: &'static str = "UserAsOfEdge";
}
