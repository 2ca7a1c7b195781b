//! Into and out of which groups users have moved, and where in the log: what tells the group of a user at any event.

use domain::id::{GroupId, UserId};
use domain::names::GroupName;

use crate::audit::FieldChange;
use crate::error::Error;
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns, broken};
use crate::statement::listed;

/// An event with which a user left a group, entered one, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipMove {
    /// The user.
    pub user: UserId,
    /// The offset of the event, in the partition of the user.
    pub offset: u64,
    /// The group before.
    pub old: Option<GroupId>,
    /// The group after.
    pub new: Option<GroupId>,
}

/// The events that can move a user between groups.
const MOVES: &str = " AND audit.log_stream = 'user-events' \
    AND audit.action IN ('muster.user.approved', 'muster.user.group_changed', 'muster.user.deleted')";

impl ReadModel {
    /// Every move of these users between groups, each user's in the order of the log. It holds the moves of all events
    /// that the views have seen ([`Progress`](crate::Progress)).
    pub async fn group_moves(&self, users: &[UserId]) -> Result<Vec<MembershipMove>, Error> {
        let head =
            "SELECT audit.target_id, audit.log_offset, audit.changes FROM audit WHERE audit.target_id IN";
        let mut moves: Vec<MembershipMove> = self.database.all_of(listed(head, users, MOVES)).await?;
        moves.retain(|moved| moved.old != moved.new);
        moves.sort_unstable_by_key(|moved| (moved.user, moved.offset));
        Ok(moves)
    }
}

impl FromColumns for MembershipMove {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let changes: Vec<FieldChange> = row.json("changes")?;
        // The id of a group is made from its name, so a name stands for one group permanently.
        let id = |name: Option<String>| match name {
            Some(name) => GroupName::parse(&name)
                .map(|name| Some(GroupId::of(&name)))
                .map_err(|_| broken("changes", "name a group that can't be")),
            None => Ok(None),
        };
        let (old, new) = match changes.into_iter().find(|change| change.field == "group") {
            Some(change) => (id(change.old)?, id(change.new)?),
            None => (None, None),
        };
        Ok(Self { user: row.user_id("target_id")?, offset: row.number("log_offset")?, old, new })
    }
}
