//! What a list of the users of an instant is filtered by, as SQL.

use domain::id::GroupId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;

use crate::statement::{Sql, Value};

/// A filter of users as they were. All conditions have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastUserFilter {
    /// In any of these states; empty means every state but deleted.
    pub states: Vec<UserStatus>,
    /// In any of these groups; empty means those of every group and of none.
    pub groups: Vec<GroupId>,
}

/// A column to look spans up by, and the value there. Each has an index that leads along the order.
#[derive(Debug)]
pub(super) struct Branch {
    column: &'static str,
    value: Value,
}

impl Branch {
    /// Adds the condition that the branch's index serves.
    pub(super) fn look_up(&self, statement: &mut Sql) {
        statement.push(self.column).push(" = ").push_value(self.value.clone());
    }
}

impl PastUserFilter {
    /// What to look up by index: the groups if the filter has some, else the states.
    pub(super) fn branches(&self) -> Vec<Branch> {
        if self.groups.is_empty() {
            let states = self.listed_states();
            return states.iter().map(|it| Branch { column: "state", value: it.number().into() }).collect();
        }
        let mut groups = self.groups.clone();
        groups.sort_unstable();
        groups.dedup();
        groups.into_iter().map(|group| Branch { column: "group_id", value: group.into() }).collect()
    }

    /// Adds the conditions that no index serves, and the instant. The state is written as CASE, so that no other index than
    /// that of the branch is considered.
    pub(super) fn check(&self, statement: &mut Sql, at: Timestamp) {
        if !self.groups.is_empty() {
            statement.push(" AND CASE WHEN state IN ");
            statement.push_list(self.listed_states().iter().map(|state| state.number()));
            statement.push(" THEN 1 ELSE 0 END <> 0");
        }
        statement.push(" AND since <= ").push_value(at);
        statement.push(" AND (until IS NULL OR until > ").push_value(at).push(")");
    }

    fn listed_states(&self) -> Vec<UserStatus> {
        let is_listed = |state: &UserStatus| {
            if self.states.is_empty() { *state != UserStatus::Deleted } else { self.states.contains(state) }
        };
        UserStatus::ALL.into_iter().filter(is_listed).collect()
    }
}
