//! The user as the portals see it.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object};
use domain::actor;
use domain::id::UserId;
use domain::user::UserStatus;
use read_model::audit::Target;
use read_model::audit_page::AuditFilter;
use read_model::users::UserRow;
use read_model::users_page;

use super::agent::{Mailbox, UfaConfig};
use super::audit::AuditEntry;
use super::connection::{Connection, Listed, window};
use super::group::Group;
use super::loader::Loaders;
use super::rule::AgentRule;
use super::scalar::DateTime;
use super::token::AuthToken;
use crate::error::api::Fault;
use crate::gateway::{Gateway, asked};

/// A right that a user holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "actor::Role")]
pub(crate) enum Role {
    /// Looks after what is their own. Everybody holds it.
    User,
    /// Looks after everybody.
    Administrator,
}

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

/// What users are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "users_page::UserSortField")]
pub(crate) enum UserSortField {
    /// The username.
    Username,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The e-mail address.
    Email,
    /// The name of the group.
    Group,
    /// The state, in the order of its declaration.
    State,
    /// When the user registered.
    RegisteredAt,
    /// When the user changed last.
    UpdatedAt,
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum SortDirection {
    /// The smallest first.
    Asc,
    /// The greatest first.
    Desc,
}

/// How users are sorted.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct UserOrder {
    /// By what.
    pub(crate) field: UserSortField,
    /// Which end first.
    #[graphql(default_with = "SortDirection::Asc")]
    pub(crate) direction: SortDirection,
}

/// Which users are listed; what is absent doesn't matter.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct UserFilter {
    /// Beginning of the username, a name or the address, or of their parts after . _ - @ and spaces; capitals don't matter.
    pub(crate) search: Option<String>,
    /// In any of these states; deleted users are listed only when this asks for them.
    pub(crate) state: Option<Vec<UserState>>,
    /// In any of these groups.
    pub(crate) group_id: Option<Vec<ID>>,
    /// With exactly this address; capitals don't matter.
    pub(crate) email: Option<String>,
    /// Registered after this instant.
    pub(crate) registered_after: Option<DateTime>,
    /// Registered before this instant.
    pub(crate) registered_before: Option<DateTime>,
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
    async fn group(&self, ctx: &Context<'_>) -> Option<Result<Group, Fault>> {
        let id = self.0.group.as_ref()?.id;
        ctx.data_unchecked::<Arc<Loaders>>().group(id).await.transpose()
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
    ) -> Result<Connection<AgentRule>, Fault> {
        let window = window(first, after, last, before)?;
        let page = gateway(ctx).views.rules_page(self.0.id, &window).await.map_err(asked)?;
        Ok(Connection::new(page, AgentRule::from))
    }

    /// Where files wait for the user, by name.
    async fn mailboxes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Result<Connection<Mailbox>, Fault> {
        let window = window(first, after, last, before)?;
        let page = gateway(ctx).views.mailboxes_page(self.0.id, &window).await.map_err(asked)?;
        Ok(Connection::new(page, Mailbox::from))
    }

    /// The user's auth tokens, the newest first.
    async fn auth_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Result<Connection<AuthToken>, Fault> {
        let window = window(first, after, last, before)?;
        let page = gateway(ctx).views.tokens_page(self.0.id, &window).await.map_err(asked)?;
        Ok(Connection::new(page, AuthToken::from))
    }

    /// What happened to the user, the newest first.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Result<Connection<AuditEntry>, Fault> {
        let window = window(first, after, last, before)?;
        let target = Target { kind: UserId::KIND.to_owned(), uuid: self.0.id.uuid() };
        let filter = AuditFilter::of_target(target);
        let page = gateway(ctx).views.audit_page(&filter, &window).await.map_err(asked)?;
        Ok(Connection::new(page, AuditEntry::from))
    }
}

impl Listed for User {
    const CONNECTION: &'static str = "UserConnection";
    const EDGE: &'static str = "UserEdge";
}

/// A number of the log as an Int: no stream of one user gets near the end of it.
pub(super) fn int(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn gateway<'a>(ctx: &Context<'a>) -> &'a Gateway {
    ctx.data_unchecked::<Arc<Gateway>>()
}
