//! What can be asked: the roots of everything that is read.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use domain::id::GroupId;
use domain::policy;

use super::audit::{AuditEntry, AuditFilter};
use super::connection::{Connection, Edge, Listed, PageInfo, window};
use super::filter;
use super::group::{Group, GroupFilter};
use super::node::{self, Node};
use super::user::{User, UserFilter, UserOrder, int};
use crate::caller::Caller;
use crate::error::api::Fault;
use crate::gateway::{Gateway, asked};
use crate::sessions::SignedIn;
use crate::submission::Errand;

/// Everything that can be read.
#[derive(Default)]
pub(crate) struct Query;

/// Everything that can be read.
#[Object]
impl Query {
    /// Who is signed in; null when nobody is.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Result<User, Fault>> {
        let session = match caller(ctx).any_session() {
            Ok(session) => session?,
            Err(fault) => return Some(Err(fault)),
        };
        gateway(ctx).user(session.id).await.map(|row| row.map(User::from)).transpose()
    }

    /// A user by id or name; null when there is none, or none that the caller may see.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's id; give this or `username`.")] id: Option<ID>,
        #[graphql(desc = "The user's name; give this or `id`.")] username: Option<String>,
    ) -> Option<Result<User, Fault>> {
        user(ctx, id, username).await.transpose()
    }

    /// Users, by username unless ordered otherwise. For administrators.
    #[expect(clippy::too_many_arguments, reason = "a filter, an order and Relay's four arguments")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which users.")] filter: Option<UserFilter>,
        #[graphql(desc = "How they are sorted; by username when absent.")] order_by: Option<UserOrder>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Result<UserConnection, Fault> {
        Errand::of(ctx).administrator("users", None)?;
        let window = window(first, after, last, before)?;
        let filter = filter::users(filter.unwrap_or_default());
        let page =
            gateway(ctx).views.users_page(&filter, filter::order(order_by), &window).await.map_err(asked)?;
        Ok(UserConnection { page: Connection::new(page, User::from), filter })
    }

    /// A group by id or name; null when there is none. For administrators, and for members.
    async fn group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The group's id; give this or `name`.")] id: Option<ID>,
        #[graphql(desc = "The group's name; give this or `id`.")] name: Option<String>,
    ) -> Option<Result<Group, Fault>> {
        group(ctx, id, name).await.transpose()
    }

    /// Groups, by name. For administrators.
    async fn groups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which groups.")] filter: Option<GroupFilter>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Result<GroupConnection, Fault> {
        Errand::of(ctx).administrator("groups", None)?;
        let window = window(first, after, last, before)?;
        let search = filter.and_then(|filter| filter.search);
        let page = gateway(ctx).views.groups_page(search.as_deref(), &window).await.map_err(asked)?;
        Ok(GroupConnection { page: Connection::new(page, Group::from), search })
    }

    /// Who did what, the newest first. For administrators.
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entries.")] filter: Option<AuditFilter>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Result<Connection<AuditEntry>, Fault> {
        Errand::of(ctx).administrator("auditLog", None)?;
        let window = window(first, after, last, before)?;
        let Some(filter) = filter::audit(filter.unwrap_or_default()) else {
            return Ok(Connection::empty());
        };
        let page = gateway(ctx).views.audit_page(&filter, &window).await.map_err(asked)?;
        Ok(Connection::new(page, AuditEntry::from))
    }

    /// Anything with an id of its own; null when there is none, or none that the caller may see.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: ID,
    ) -> Option<Result<Node, Fault>> {
        node::find(ctx, &id).await.transpose()
    }
}

/// Part of the list of users.
pub(crate) struct UserConnection {
    page: Connection<User>,
    filter: read_model::users_page::UserFilter,
}

/// Part of the list of users.
#[Object]
impl UserConnection {
    /// The rows, each with its cursor.
    async fn edges(&self) -> &[Edge<User>] {
        self.page.edges()
    }

    /// The rows alone.
    async fn nodes(&self) -> Vec<&User> {
        self.page.nodes()
    }

    /// Where this page stands in the list.
    async fn page_info(&self) -> &PageInfo {
        self.page.page_info()
    }

    /// How many users the whole list has. Under a filter counting stops at 10,000; without one it is exact.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, Fault> {
        Ok(int(gateway(ctx).views.users_count(&self.filter).await.map_err(asked)?.n))
    }

    /// Whether counting stopped before the end.
    async fn total_count_capped(&self, ctx: &Context<'_>) -> Result<bool, Fault> {
        Ok(gateway(ctx).views.users_count(&self.filter).await.map_err(asked)?.capped)
    }
}

/// Part of the list of groups.
pub(crate) struct GroupConnection {
    page: Connection<Group>,
    search: Option<String>,
}

/// Part of the list of groups.
#[Object]
impl GroupConnection {
    /// The rows, each with its cursor.
    async fn edges(&self) -> &[Edge<Group>] {
        self.page.edges()
    }

    /// The rows alone.
    async fn nodes(&self) -> Vec<&Group> {
        self.page.nodes()
    }

    /// Where this page stands in the list.
    async fn page_info(&self) -> &PageInfo {
        self.page.page_info()
    }

    /// How many groups the whole list has.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, Fault> {
        Ok(int(gateway(ctx).views.groups_count(self.search.as_deref()).await.map_err(asked)?))
    }
}

impl Listed for Group {
    const CONNECTION: &'static str = "GroupConnection";
    const EDGE: &'static str = "GroupEdge";
}

async fn user(ctx: &Context<'_>, id: Option<ID>, username: Option<String>) -> Result<Option<User>, Fault> {
    let session = caller(ctx).session()?;
    let row = match (id, username) {
        (Some(id), None) => match id.parse() {
            Ok(id) => gateway(ctx).user(id).await?,
            Err(_) => None,
        },
        (None, Some(name)) => gateway(ctx).views.user_by_name(&name).await.map_err(asked)?,
        _ => return Err(Fault::BadRequest("Give exactly one of `id` and `username`.")),
    };
    Ok(row.filter(|row| policy::may_see(&session.actor(), row.id)).map(User::from))
}

async fn group(ctx: &Context<'_>, id: Option<ID>, name: Option<String>) -> Result<Option<Group>, Fault> {
    let session = caller(ctx).session()?;
    let row = match (id, name) {
        (Some(id), None) => match id.parse() {
            Ok(id) => gateway(ctx).group(id).await?,
            Err(_) => None,
        },
        (None, Some(name)) => gateway(ctx).views.group_by_name(&name).await.map_err(asked)?,
        _ => return Err(Fault::BadRequest("Give exactly one of `id` and `name`.")),
    };
    Ok(row.filter(|row| is_of_group(session, row.id)).map(Group::from))
}

/// Administrators see every group, members their own.
pub(super) fn is_of_group(session: &SignedIn, id: GroupId) -> bool {
    policy::may_administer(&session.actor()) || session.group.as_ref().is_some_and(|group| group.id == id)
}

pub(super) fn caller<'a>(ctx: &Context<'a>) -> &'a Caller {
    ctx.data_unchecked::<Caller>()
}

pub(super) fn gateway<'a>(ctx: &Context<'a>) -> &'a Gateway {
    ctx.data_unchecked::<Arc<Gateway>>()
}
