//! Connections that also say how long the whole list is.

use async_graphql::{Context, Object};
use read_model::Count;

use super::connection::{Connection, Edge, PageInfo};
use super::context::gateway;
use super::group::Group;
use super::scalar::int;
use super::user::User;
use crate::error::ApiError;

/// Part of the list of users.
pub(crate) struct UserConnection {
    pub(super) page: Connection<User>,
    /// `None` if no user can match.
    pub(super) filter: Option<read_model::users_page::UserFilter>,
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
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        Ok(int(self.count(ctx).await?.n))
    }

    /// Whether counting stopped before the end.
    async fn total_count_capped(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        Ok(self.count(ctx).await?.capped)
    }
}

impl UserConnection {
    async fn count(&self, ctx: &Context<'_>) -> Result<Count, ApiError> {
        match &self.filter {
            Some(filter) => Ok(gateway(ctx).views.users_count(filter).await?),
            None => Ok(Count { n: 0, capped: false }),
        }
    }
}

/// Part of the list of groups.
pub(crate) struct GroupConnection {
    pub(super) page: Connection<Group>,
    pub(super) search: Option<String>,
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
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        Ok(int(gateway(ctx).views.groups_count(self.search.as_deref()).await?))
    }
}
