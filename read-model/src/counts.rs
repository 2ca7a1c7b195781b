//! Numbers of rows. Those of users are kept per partition, state and group, so that no row is hot, and summed when asked.
//! Others are counted, up to a limit.

use domain::id::{GroupId, UserId};
use domain::user::UserStatus;
use uuid::Uuid;

use crate::error::Error;
use crate::page::Count;
use crate::reader::ReadModel;
use crate::statement::{Sql, WriteStatement, multi_row, sql};
use crate::users::UserRow;

/// Where counting stops.
pub(crate) const MOST_COUNTED: u64 = 10_000;

/// Stands for the users of all groups and of none.
const EVERY_GROUP: Uuid = Uuid::nil();

/// The users that a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountKey {
    /// The partition of their events.
    pub partition: u32,
    /// Their status.
    pub state: UserStatus,
    /// Their group; `None` counts the users of all groups and of none.
    pub group: Option<GroupId>,
}

impl CountKey {
    /// The numbers that a user counts in: that over all groups, and that of the group.
    pub fn of(user: &UserRow) -> impl Iterator<Item = Self> {
        let (partition, state) = (user.partition, user.state);
        let group = user.group.as_ref().map(|group| Some(group.id));
        [None].into_iter().chain(group).map(move |group| Self { partition, state, group })
    }
}

impl ReadModel {
    /// How many users have any of these states and are in any of these groups. Empty means all.
    pub(crate) async fn counted(&self, states: &[UserStatus], groups: &[GroupId]) -> Result<u64, Error> {
        let mut statement =
            sql("SELECT CAST(COALESCE(SUM(n), 0) AS bigint) AS n FROM user_counts WHERE group_id IN ");
        if groups.is_empty() {
            statement.push_list([EVERY_GROUP]);
        } else {
            // A caller may name the nil id. It is the id of no group.
            statement.push_list(groups.iter().copied().filter(|group| group.uuid() != EVERY_GROUP));
        }
        if !states.is_empty() {
            statement.push(" AND state IN ").push_list(states.iter().map(|state| state.number()));
        }
        let n: i64 = self.database.one(statement).await?;
        Ok(u64::try_from(n).unwrap_or_default())
    }

    /// How many rows a statement reads.
    pub(crate) async fn count_rows(&self, rows: Sql) -> Result<u64, Error> {
        let text = format!("SELECT count(*) AS n FROM ({}) AS matching", rows.text);
        let n: i64 = self.database.one(Sql { text, ..rows }).await?;
        Ok(n.unsigned_abs())
    }

    /// How many rows of a table belong to a user, counted up to [`MOST_COUNTED`].
    pub(crate) async fn count_of_user(&self, table: &str, user: UserId) -> Result<Count, Error> {
        let mut rows = sql(format!("SELECT 1 AS one FROM {table} WHERE user_id = $1 LIMIT ")).bind(user);
        rows.push_value(MOST_COUNTED + 1);
        Ok(Count::up_to(MOST_COUNTED, self.count_rows(rows).await?))
    }
}

/// Adds to the numbers.
pub(crate) fn add(changes: &[(CountKey, i64)]) -> WriteStatement {
    let head = "INSERT INTO user_counts (group_id, state, log_partition, n)";
    let tail = "ON CONFLICT (group_id, state, log_partition) DO UPDATE SET n = user_counts.n + excluded.n";
    multi_row(head, changes, tail, |(key, n)| {
        let group = key.group.map_or(EVERY_GROUP, GroupId::uuid);
        [group.into(), key.state.number().into(), key.partition.into(), (*n).into()]
    })
}
