//! The GraphQL type of users.

use async_graphql::{Context, Enum, ID, Object};
use domain::id::UserId;
use domain::policy::Subject;
use domain::user::UserStatus;
use read_model::audit::Target;
use read_model::audit_page::AuditFilter;
use read_model::users::UserRow;

use super::action::AllowedAction;
use super::agent::{Mailbox, UfaConfig};
use super::audit::AuditEntry;
use super::connection::{Connection, Listed, window};
use super::context::{caller, gateway, loaders};
use super::counted::WholeList;
use super::group::Group;
use super::role::Role;
use super::rule::AgentRule;
use super::scalar::{DateTime, int};
use super::session::Session;
use super::token::AuthToken;
use crate::error::ApiError;

/// Where a user stands on the way in and out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "UserStatus")]
pub(crate) enum UserState {
    /// Waits for approval.
    Pending,
    /// Gets in.
    Active,
    /// Gets in nowhere until reactivated.
    Suspended,
    /// Turned away; the name may be registered again.
    Rejected,
    /// Gone for good; the name stays taken.
    Deleted,
}

/// A user.
#[derive(Debug, Clone)]
pub(crate) struct User(UserRow);

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self(row)
    }
}

impl User {
    pub(crate) fn config(&self) -> UfaConfig {
        UfaConfig::of(&self.0)
    }
}

/// A user.
#[Object]
impl User {
    /// Made from the username; never changes.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The name, for ever. It names SFTP homes and topics downstream.
    async fn username(&self) -> &str {
        &self.0.username
    }

    /// First name.
    async fn first_name(&self) -> Option<&str> {
        self.0.first_name.as_deref()
    }

    /// Last name.
    async fn last_name(&self) -> Option<&str> {
        self.0.last_name.as_deref()
    }

    /// Phone number, as typed.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// E-mail address.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// The group; null before approval, and for the first administrator.
    async fn group(&self, ctx: &Context<'_>) -> Option<Result<Group, ApiError>> {
        let id = self.0.group.as_ref()?.id;
        loaders(ctx).group(id).await.map(|row| row.map(Group::from)).transpose()
    }

    /// Where the user stands.
    async fn state(&self) -> UserState {
        self.0.state.into()
    }

    /// Why the user was rejected or suspended.
    async fn state_reason(&self) -> Option<&str> {
        self.0.state_reason.as_deref()
    }

    /// Whether the user has been let in: active or suspended.
    async fn approved(&self) -> bool {
        matches!(self.0.state, UserStatus::Active | UserStatus::Suspended)
    }

    /// What the user holds.
    async fn roles(&self) -> Vec<Role> {
        self.0.roles.iter().map(Into::into).collect()
    }

    /// Whether the password is a temporary one.
    async fn must_change_password(&self) -> bool {
        self.0.must_change_password
    }

    /// When the name was registered, last if several times.
    async fn registered_at(&self) -> DateTime {
        self.0.registered_at.into()
    }

    /// When anything of the user changed last.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// Grows with every change; `expectedVersion` of a mutation is compared with it.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// What the caller may do to the user now, one row for each mutation of a user, with the reason if not.
    async fn actions(&self, ctx: &Context<'_>) -> Vec<AllowedAction> {
        let subject = Subject { id: self.0.id, roles: self.0.roles, status: self.0.state };
        AllowedAction::all(caller(ctx), &subject)
    }

    /// What the file agent does in general.
    async fn ufa_config(&self) -> UfaConfig {
        self.config()
    }

    /// What the file agent does in particular, by name.
    async fn agent_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Result<Connection<AgentRule>, ApiError> {
        let window = window(first, after, last, before)?;
        let page = gateway(ctx).views.rules_page(self.0.id, &window).await?;
        Ok(Connection::new(page, WholeList::Rules(self.0.id), AgentRule::from))
    }

    /// Where files wait for the user, by name.
    async fn mailboxes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Result<Connection<Mailbox>, ApiError> {
        let window = window(first, after, last, before)?;
        let page = gateway(ctx).views.mailboxes_page(self.0.id, &window).await?;
        Ok(Connection::new(page, WholeList::Mailboxes(self.0.id), Mailbox::from))
    }

    /// The user's auth tokens, the newest first.
    async fn auth_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Result<Connection<AuthToken>, ApiError> {
        let window = window(first, after, last, before)?;
        let page = gateway(ctx).views.tokens_page(self.0.id, &window).await?;
        Ok(Connection::new(page, WholeList::Tokens(self.0.id), AuthToken::from))
    }

    /// Where the user is signed in, the last used first.
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<Session>, ApiError> {
        let asking = caller(ctx).require_session()?;
        let window = window(first, after, None, None)?;
        let page = gateway(ctx).sessions.page(self.0.id, &window).await?;
        let whole = WholeList::Counted(page.total.unwrap_or_default());
        Ok(Connection::new(page, whole, |row| Session::seen_by(row, asking)))
    }

    /// What happened to the user, the newest first.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Result<Connection<AuditEntry>, ApiError> {
        let window = window(first, after, last, before)?;
        let target = Target { kind: UserId::KIND.to_owned(), uuid: self.0.id.uuid() };
        let filter = AuditFilter::of_target(target);
        let page = gateway(ctx).views.audit_page(&filter, &window).await?;
        Ok(Connection::new(page, WholeList::Entries(filter), AuditEntry::from))
    }
}

impl Listed for User {
    const CONNECTION: &'static str = "UserConnection";
    const EDGE: &'static str = "UserEdge";
}
