//! The GraphQL type of groups.

use async_graphql::{ID, InputObject, SimpleObject};
use domain::id::GroupId;
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
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Group {
    /// Made from the name; never changes.
    #[graphql(owned)]
    pub(crate) id: ID,
    /// The name, for ever.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// Phone number of whoever answers for it.
    phone: Option<String>,
    /// E-mail address of whoever answers for it.
    email: Option<String>,
    /// Whether it takes no new members.
    closed: bool,
    /// How many users are in it.
    member_count: i32,
    /// Grows with every change; `expectedVersion` of a mutation is compared with it.
    version: i32,
    /// Which group.
    #[graphql(skip)]
    pub(super) key: GroupId,
}

impl From<GroupRow> for Group {
    fn from(row: GroupRow) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            phone: row.phone,
            email: row.email,
            closed: row.closed,
            member_count: int(row.member_count),
            version: int(row.version),
            key: row.id,
        }
    }
}

impl Listed for Group {
    const CONNECTION: &'static str = "GroupConnection";
    const EDGE: &'static str = "GroupEdge";
}
