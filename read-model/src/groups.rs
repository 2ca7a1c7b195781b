//! Groups: the row, the questions, and how many members each has.

use domain::id::GroupId;
use domain::timestamp::Timestamp;

use crate::error::Error;
use crate::page::{Order, Page, Window};
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns};
use crate::search::{Prefix, folded};
use crate::statement::{Change, Sql, listed, multi_row, sql};

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// Which group.
    pub id: GroupId,
    /// Its name, for ever.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Phone number of whoever answers for it.
    pub phone: Option<String>,
    /// E-mail address of whoever answers for it.
    pub email: Option<String>,
    /// Whether it takes no new members.
    pub closed: bool,
    /// Whether it is gone; then nothing but [`ReadModel::groups_ever`] gives it.
    pub deleted: bool,
    /// Number of the group's last event.
    pub version: u64,
    /// When anything of it changed last.
    pub updated_at: Timestamp,
    /// How many users are in it. Kept beside the group: writing a group does not change it.
    pub member_count: u64,
}

const ORDER: Order = Order { name: "groups", columns: &["name"], is_descending: false };

const SELECT: &str = "SELECT id, name, description, phone, email, closed, deleted, version, updated_at, \
    (SELECT CAST(COALESCE(SUM(n), 0) AS bigint) FROM user_counts WHERE group_id = groups.id) AS member_count FROM groups";

impl ReadModel {
    /// The group with this id.
    pub async fn group(&self, id: GroupId) -> Result<Option<GroupRow>, Error> {
        self.database.maybe_one(sql(format!("{SELECT} WHERE id = $1 AND NOT deleted")).bind(id)).await
    }

    /// The group with this name, however it is capitalised.
    pub async fn group_by_name(&self, name: &str) -> Result<Option<GroupRow>, Error> {
        self.database
            .maybe_one(sql(format!("{SELECT} WHERE name = $1 AND NOT deleted")).bind(folded(name)))
            .await
    }

    /// Those of these groups that there are, in any order.
    pub async fn groups_by_ids(&self, ids: &[GroupId]) -> Result<Vec<GroupRow>, Error> {
        self.database.all_of(listed(&format!("{SELECT} WHERE id IN"), ids, "AND NOT deleted")).await
    }

    /// Those of these groups that there ever were, in any order.
    pub async fn groups_ever(&self, ids: &[GroupId]) -> Result<Vec<GroupRow>, Error> {
        self.database.all_of(listed(&format!("{SELECT} WHERE id IN"), ids, "")).await
    }

    /// How many users are in a group, whether there is such a group or not.
    pub async fn members_count(&self, id: GroupId) -> Result<u64, Error> {
        self.counted(&[], &[id]).await
    }

    /// Groups by name; only those whose name, or a part of it after `. _ -`, begins with `search`.
    pub async fn groups_page(&self, search: Option<&str>, window: &Window) -> Result<Page<GroupRow>, Error> {
        let mut statement = sql(format!("{SELECT} WHERE NOT deleted AND "));
        matching(&mut statement, search);
        ORDER.limit::<(String,)>(&mut statement, window)?;
        let rows = self.database.all(statement).await?;
        Ok(ORDER.page(window, rows, |group: &GroupRow| (group.name.clone(),)))
    }

    /// How many groups [`ReadModel::groups_page`] walks through.
    pub async fn groups_count(&self, search: Option<&str>) -> Result<u64, Error> {
        let mut statement = sql("SELECT count(*) AS n FROM groups WHERE NOT deleted AND ");
        matching(&mut statement, search);
        let n: i64 = self.database.one(statement).await?;
        Ok(n.unsigned_abs())
    }
}

/// Groups are few enough to look at each of them.
fn matching(statement: &mut Sql, search: Option<&str>) {
    let Some(prefix) = Prefix::of(search) else {
        statement.push("1 = 1");
        return;
    };
    let mut separator = "(";
    for before in ["", "%.", "%\\_", "%-"] {
        statement.push(separator).push("name LIKE ").push_value(prefix.pattern(before)).push(" ESCAPE '\\'");
        separator = " OR ";
    }
    statement.push(")");
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

pub(crate) fn upsert(groups: &[GroupRow]) -> Change {
    let head =
        "INSERT INTO groups (id, name, description, phone, email, closed, deleted, version, updated_at)";
    let tail = "ON CONFLICT (id) DO UPDATE SET description = excluded.description, phone = excluded.phone, \
        email = excluded.email, closed = excluded.closed, deleted = excluded.deleted, \
        version = excluded.version, updated_at = excluded.updated_at";
    multi_row(head, groups, 9, tail, |group| {
        vec![
            group.id.into(),
            (&group.name).into(),
            (&group.description).into(),
            (&group.phone).into(),
            (&group.email).into(),
            group.closed.into(),
            group.deleted.into(),
            group.version.into(),
            group.updated_at.into(),
        ]
    })
}
