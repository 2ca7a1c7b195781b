//! Fields that lead from one type to another, which leads back to the first: from an entry of the audit log to users and
//! from a group to its members. They stand here so that the files of those types don't need each other.

use async_graphql::{ComplexObject, Context};
use domain::id::{GroupId, UserId};
use domain::policy;
use read_model::users_page::{self, UserFilter};

use super::audit::AuditEntry;
use super::connection::{Connection, window};
use super::context::{authorizer, caller, gateway, loaders, may_see_group};
use super::counted::WholeList;
use super::group::Group;
use super::node::{self, Node};
use super::user::User;
use super::user_filter::UserOrder;
use crate::error::ApiError;

#[ComplexObject]
impl AuditEntry {
    /// Who, as the user is now; null if no user did it, or none that the caller may see.
    async fn actor(&self, ctx: &Context<'_>) -> Option<Result<User, ApiError>> {
        visible_user(ctx, self.actor_key?).await.transpose()
    }

    /// To what, as it is now; null if it is not there any more, or the caller may not see it.
    async fn target(&self, ctx: &Context<'_>) -> Option<Result<Node, ApiError>> {
        let target = self.target_id.as_ref()?;
        let found = if let Ok(user) = target.parse::<UserId>() {
            visible_user(ctx, user).await.map(|user| user.map(Node::from))
        } else if let Ok(group) = target.parse::<GroupId>() {
            visible_group(ctx, group).await.map(|group| group.map(Node::from))
        } else if caller(ctx).require_session().is_ok() {
            node::find(ctx, target).await
        } else {
            Ok(None)
        };
        found.transpose()
    }
}

#[ComplexObject]
impl Group {
    /// Who is in it, by username unless ordered otherwise. For administrators.
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How they are sorted; by username when absent.")] order_by: Option<UserOrder>,
        #[graphql(desc = "The first so many rows; 50 by default, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many rows; 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Rows ahead of this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<User>, ApiError>> {
        let members = async {
            authorizer(ctx).require_administrator("members", Some(&self.id))?;
            let window = window(first, after, last, before)?;
            let order = order_by.map_or(users_page::UserOrder::USERNAME, Into::into);
            let filter = UserFilter { groups: vec![self.key], ..UserFilter::default() };
            let page = gateway(ctx).views.users_page(&filter, order, &window).await?;
            Ok(Connection::new(page, WholeList::Users(filter), User::from))
        };
        Some(members.await)
    }
}

/// The user, if the caller's session shows them.
async fn visible_user(ctx: &Context<'_>, id: UserId) -> Result<Option<User>, ApiError> {
    match caller(ctx).require_session() {
        Ok(session) if policy::may_see(&session.actor(), id) => {
            Ok(loaders(ctx).user(id).await?.map(User::from))
        }
        Ok(_) | Err(_) => Ok(None),
    }
}

/// The group, if the caller's session shows it.
async fn visible_group(ctx: &Context<'_>, id: GroupId) -> Result<Option<Group>, ApiError> {
    match caller(ctx).require_session() {
        Ok(session) if may_see_group(session, id) => Ok(loaders(ctx).group(id).await?.map(Group::from)),
        Ok(_) | Err(_) => Ok(None),
    }
}
