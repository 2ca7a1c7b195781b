//! Groups and their numbers of members.

use std::sync::LazyLock;

use domain::id::GroupId;
use domain::timestamp::Timestamp;

use crate::error::Error;
use crate::page::{Order, Page, Window};
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns};
use crate::search::{Words, folded};
use crate::statement::{Sql, listed, sql};
use crate::table::{Table, column, fixed};

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// The id.
    pub id: GroupId,
    /// The name. It never changes.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// Phone number of the contact.
    pub phone: Option<String>,
    /// E-mail address of the contact.
    pub email: Option<String>,
    /// Whether the group takes no new members.
    pub closed: bool,
    /// Whether the group is deleted. Only [`ReadModel::groups_ever`] returns deleted groups.
    pub deleted: bool,
    /// Number of the group's last event.
    pub version: u64,
    /// The time of the last change, or that of an earlier one if it is later.
    pub updated_at: Timestamp,
    /// How many users are in the group. Counted from the users: writing a group does not change it.
    pub member_count: u64,
}

const ORDER: Order = Order { name: "groups", columns: &["name"], is_descending: false };

/// The table of groups.
pub(crate) const TABLE: Table<GroupRow, 9> = Table {
    name: "groups",
    columns: [
        fixed("id", |group| group.id.into()),
        fixed("name", |group| (&group.name).into()),
        column("description", |group| (&group.description).into()),
        column("phone", |group| (&group.phone).into()),
        column("email", |group| (&group.email).into()),
        column("closed", |group| group.closed.into()),
        column("deleted", |group| group.deleted.into()),
        column("version", |group| group.version.into()),
        column("updated_at", |group| group.updated_at.into()),
    ],
};

static SELECT: LazyLock<String> = LazyLock::new(|| {
    let members = "SELECT CAST(COALESCE(SUM(n), 0) AS bigint) FROM user_counts WHERE group_id = groups.id";
    format!("SELECT {}, ({members}) AS member_count FROM groups", TABLE.selected())
});

impl ReadModel {
    /// The group with this id.
    pub async fn group(&self, id: GroupId) -> Result<Option<GroupRow>, Error> {
        self.database.maybe_one(sql(format!("{} WHERE id = $1 AND NOT deleted", *SELECT)).bind(id)).await
    }

    /// The group with this name, in any case.
    pub async fn group_by_name(&self, name: &str) -> Result<Option<GroupRow>, Error> {
        self.database
            .maybe_one(sql(format!("{} WHERE name = $1 AND NOT deleted", *SELECT)).bind(folded(name)))
            .await
    }

    /// These groups, in any order; deleted and unknown ones are left out.
    pub async fn groups_by_ids(&self, ids: &[GroupId]) -> Result<Vec<GroupRow>, Error> {
        self.database.all_of(listed(&format!("{} WHERE id IN", *SELECT), ids, "AND NOT deleted")).await
    }

    /// These groups, deleted ones too, in any order.
    pub async fn groups_ever(&self, ids: &[GroupId]) -> Result<Vec<GroupRow>, Error> {
        self.database.all_of(listed(&format!("{} WHERE id IN", *SELECT), ids, "")).await
    }

    /// How many users are in a group. Zero if there is no such group.
    pub async fn members_count(&self, id: GroupId) -> Result<u64, Error> {
        self.counted(&[], &[id]).await
    }

    /// A page of groups, by name. Each word of `search` matches the beginning of the name, or of a part of it
    /// after `. _ -`.
    pub async fn groups_page(&self, search: Option<&str>, window: &Window) -> Result<Page<GroupRow>, Error> {
        let mut statement = sql(format!("{} WHERE NOT deleted AND ", *SELECT));
        matching(&mut statement, search);
        ORDER.limit::<(String,)>(&mut statement, window)?;
        let rows = self.database.all(statement).await?;
        Ok(ORDER.page(window, rows, |group: &GroupRow| (group.name.clone(),)))
    }

    /// How many groups [`ReadModel::groups_page`] has on all pages.
    pub async fn groups_count(&self, search: Option<&str>) -> Result<u64, Error> {
        let mut statement = sql("SELECT count(*) AS n FROM groups WHERE NOT deleted AND ");
        matching(&mut statement, search);
        let n: i64 = self.database.one(statement).await?;
        Ok(n.unsigned_abs())
    }
}

/// Adds the search. There are few groups, so no index helps here.
fn matching(statement: &mut Sql, search: Option<&str>) {
    statement.push("1 = 1");
    for word in Words::of(search).iter() {
        let mut separator = " AND (";
        for before in ["", "%.", "%\\_", "%-"] {
            statement
                .push(separator)
                .push("name LIKE ")
                .push_value(word.pattern(before))
                .push(" ESCAPE '\\'");
            separator = " OR ";
        }
        statement.push(")");
    }
}

impl FromColumns for GroupRow {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: GroupId::from_uuid(row.uuid("id")?),
            name: row.text("name")?,
            description: row.maybe_text("description")?,
            phone: row.maybe_text("phone")?,
            email: row.maybe_text("email")?,
            closed: row.flag("closed")?,
            deleted: row.flag("deleted")?,
            version: row.number("version")?,
            updated_at: row.time("updated_at")?,
            member_count: row.number("member_count")?,
        })
    }
}
