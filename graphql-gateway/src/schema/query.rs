//! The root of everything that can be read.

use async_graphql::{Context, ID, Object};
use domain::policy;
use read_model::user_spans::PastMoment;
use read_model::users_page;

use super::audit::{AuditEntry, AuditFilter};
use super::connection::{Connection, window};
use super::context::{authorizer, caller, gateway, may_see_group};
use super::counted::WholeList;
use super::deployment::Deployment;
use super::group::{Group, GroupFilter};
use super::node::{self, Node};
use super::scalar::DateTime;
use super::user::User;
use super::user_as_of::{UserAsOf, UsersAsOfFilter};
use super::user_filter::{UserFilter, UserOrder};
use super::webhook::Webhook;
use crate::error::ApiError;

/// Everything that can be read.
#[derive(Default)]
pub(crate) struct Query;

/// Everything that can be read.
#[Object]
impl Query {
    /// What everybody may know of this deployment, signed in or not.
    async fn deployment(&self, ctx: &Context<'_>) -> Deployment {
        Deployment::of(&gateway(ctx).config)
    }

    /// Who is signed in; null when nobody is.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Result<User, ApiError>> {
        viewer(ctx).await.transpose()
    }

    /// A user by id or name; null when there is none, or none that the caller may see.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's id; give this or `username`.")] id: Option<ID>,
        #[graphql(desc = "The user's name; give this or `id`.")] username: Option<String>,
    ) -> Option<Result<User, ApiError>> {
        user(ctx, id, username).await.transpose()
    }

    /// Users, by username unless ordered otherwise. For administrators. `totalCount` is exact without a filter, and under
    /// one of states and groups alone.
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
    ) -> Option<Result<Connection<User>, ApiError>> {
        nullable(async {
            authorizer(ctx).require_administrator("users", None)?;
            let window = window(first, after, last, before)?;
            let order = order_by.map_or(users_page::UserOrder::USERNAME, Into::into);
            let Some(filter) = filter.unwrap_or_default().for_views() else {
                return Ok(Connection::empty());
            };
            let page = gateway(ctx).views.users_page(&filter, order, &window).await?;
            let list = page.total.map_or(WholeList::Users(filter), WholeList::Counted);
            Ok(Connection::new(page, list, User::from))
        })
        .await
    }

    /// A user as they were at a point in the past; null when the name was not registered yet, or the user has no event with that
    /// number. For those who may read the audit log.
    async fn user_as_of(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's name; give this or `id`.")] username: Option<String>,
        #[graphql(desc = "The user's id; give this or `username`.")] id: Option<ID>,
        #[graphql(desc = "At this instant; give this or `sequence`.")] at: Option<DateTime>,
        #[graphql(desc = "Just after the user's event with this number, from 1 on; give this or `at`.")]
        sequence: Option<i32>,
    ) -> Option<Result<UserAsOf, ApiError>> {
        user_as_of(ctx, (id, username), (at, sequence)).await.transpose()
    }

    /// Who existed at an instant in the past, as they were then: those first who had been so for the longest time. For those
    /// who may read the audit log.
    async fn users_as_of(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instant.")] at: DateTime,
        #[graphql(desc = "Which users.")] filter: Option<UsersAsOfFilter>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<UserAsOf>, ApiError> {
        authorizer(ctx).require_auditor("usersAsOf", None)?;
        let (at, window) = (at.into(), window(first, after, None, None)?);
        let Some(filter) = filter.unwrap_or_default().for_views()? else {
            return Ok(Connection::empty());
        };
        let page = gateway(ctx).views.users_as_of_page(at, &filter, window.size, window.after).await?;
        Ok(Connection::new(page, WholeList::UsersAsOf(at, filter), |user| UserAsOf::new(user, at)))
    }

    /// A group by id or name; null when there is none. For administrators, and for members.
    async fn group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The group's id; give this or `name`.")] id: Option<ID>,
        #[graphql(desc = "The group's name; give this or `id`.")] name: Option<String>,
    ) -> Option<Result<Group, ApiError>> {
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
    ) -> Option<Result<Connection<Group>, ApiError>> {
        nullable(async {
            authorizer(ctx).require_administrator("groups", None)?;
            let window = window(first, after, last, before)?;
            let search = filter.and_then(|filter| filter.search);
            let page = gateway(ctx).views.groups_page(search.as_deref(), &window).await?;
            Ok(Connection::new(page, WholeList::Groups(search), Group::from))
        })
        .await
    }

    /// Webhooks, by name. For administrators.
    async fn webhooks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Result<Connection<Webhook>, ApiError> {
        authorizer(ctx).require_administrator("webhooks", None)?;
        let window = window(first, after, last, before)?;
        let page = gateway(ctx).views.webhooks_page(&window).await?;
        Ok(Connection::new(page, WholeList::Webhooks, Webhook::from))
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
    ) -> Option<Result<Connection<AuditEntry>, ApiError>> {
        nullable(async {
            authorizer(ctx).require_administrator("auditLog", None)?;
            let window = window(first, after, last, before)?;
            let Some(filter) = filter.unwrap_or_default().for_views() else {
                return Ok(Connection::empty());
            };
            let page = gateway(ctx).views.audit_page(&filter, &window).await?;
            Ok(Connection::new(page, WholeList::Entries(filter), AuditEntry::from))
        })
        .await
    }

    /// Anything with an id of its own; null when there is none, or none that the caller may see.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: ID,
    ) -> Option<Result<Node, ApiError>> {
        node::find(ctx, &id).await.transpose()
    }
}

/// Makes a list nullable: a caller who may not see it still gets the other fields of the query. The answer is never `None`.
async fn nullable<T>(list: impl Future<Output = Result<T, ApiError>>) -> Option<Result<T, ApiError>> {
    Some(list.await)
}

async fn viewer(ctx: &Context<'_>) -> Result<Option<User>, ApiError> {
    let Some(session) = caller(ctx).any_session()? else { return Ok(None) };
    Ok(gateway(ctx).views.user(session.user_id).await?.map(User::from))
}

async fn user(ctx: &Context<'_>, id: Option<ID>, username: Option<String>) -> Result<Option<User>, ApiError> {
    let session = caller(ctx).require_session()?;
    let row = match (id, username) {
        (Some(id), None) => match id.parse() {
            Ok(id) => gateway(ctx).views.user(id).await?,
            Err(_) => None,
        },
        (None, Some(name)) => gateway(ctx).views.user_by_name(&name).await?,
        _ => return Err(ApiError::BadRequest("Give exactly one of `id` and `username`.")),
    };
    Ok(row.filter(|row| policy::may_see(&session.actor(), row.id)).map(User::from))
}

async fn user_as_of(
    ctx: &Context<'_>,
    (id, username): (Option<ID>, Option<String>),
    (at, sequence): (Option<DateTime>, Option<i32>),
) -> Result<Option<UserAsOf>, ApiError> {
    authorizer(ctx).require_auditor("userAsOf", id.as_deref().map(String::as_str))?;
    let user = match (id, username) {
        (Some(id), None) => id.parse().ok(),
        (None, Some(name)) => gateway(ctx).views.user_by_name(&name).await?.map(|row| row.id),
        _ => return Err(ApiError::BadRequest("Give exactly one of `id` and `username`.")),
    };
    let moment = match (at, sequence) {
        (Some(at), None) => PastMoment::At(at.into()),
        (None, Some(sequence)) => PastMoment::After(
            u64::try_from(sequence)
                .ok()
                .filter(|sequence| *sequence > 0)
                .ok_or(ApiError::BadRequest("`sequence` counts from 1."))?,
        ),
        _ => return Err(ApiError::BadRequest("Give exactly one of `at` and `sequence`.")),
    };
    let Some(user) = user else { return Ok(None) };
    let found = gateway(ctx).views.user_as_of(user, moment).await?;
    Ok(found.map(|(user, since)| UserAsOf::new(user, at.map_or(since, Into::into))))
}

async fn group(ctx: &Context<'_>, id: Option<ID>, name: Option<String>) -> Result<Option<Group>, ApiError> {
    let session = caller(ctx).require_session()?;
    let row = match (id, name) {
        (Some(id), None) => match id.parse() {
            Ok(id) => gateway(ctx).views.group(id).await?,
            Err(_) => None,
        },
        (None, Some(name)) => gateway(ctx).views.group_by_name(&name).await?,
        _ => return Err(ApiError::BadRequest("Give exactly one of `id` and `name`.")),
    };
    Ok(row.filter(|row| may_see_group(session, row.id)).map(Group::from))
}
