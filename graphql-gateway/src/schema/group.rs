//! The GraphQL type of groups.

use async_graphql::{ID, InputObject, Object};
use read_model::groups::GroupRow;

use super::connection::Listed;
use super::scalar::int;

/// Which groups are listed; what is absent doesn't matter.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct GroupFilter {
    /// Words that all have to match: beginnings of the name, or of its parts after . _ and -; capitals don't matter.
    pub(crate) search: Option<String>,
}

/// A group of users.
#[derive(Debug, Clone)]
pub(crate) struct Group(GroupRow);

impl From<GroupRow> for Group {
    fn from(row: GroupRow) -> Self {
        Self(row)
    }
}

/// A group of users.
#[Object]
impl Group {
    /// Made from the name; never changes.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The name, for ever.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Phone number of whoever answers for it.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// E-mail address of whoever answers for it.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Whether it takes no new members.
    async fn closed(&self) -> bool {
        self.0.closed
    }

    /// How many users are in it.
    async fn member_count(&self) -> i32 {
        int(self.0.member_count)
    }

    /// Grows with every change; `expectedVersion` of a mutation is compared with it.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }
}

impl Listed for Group {
    const CONNECTION: &'static str = "GroupConnection";
    const EDGE: &'static str = "GroupEdge";
}
