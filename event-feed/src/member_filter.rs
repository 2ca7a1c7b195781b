//! Which events are of a group: those whose user was in it just before or just after.
//!
//! Most events don't name the group of their user. The audit log of the views has every move between groups with its place in
//! the log, so that a reader who begins anywhere learns the group at any event. It must have seen the events first, so a
//! reader with this filter is never ahead of the views.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use domain::id::{GroupId, UserId};
use log_model::{Position, Stream, StreamPartition};
use read_model::group_moves::MembershipMove;
use read_model::{Error, ReadModel};
use tokio::time::Instant;

/// How long a filter waits for the views.
const PATIENCE: Duration = Duration::from_secs(5);

/// Lets the events of one group pass.
#[derive(Clone)]
pub struct MemberFilter {
    views: ReadModel,
    group: GroupId,
}

/// Why the events of a group can't be told from others at the moment.
#[derive(Debug, thiserror::Error)]
pub enum GroupsUnknown {
    /// The views have not seen the events yet. Asked again, they may have.
    #[error("the views have not seen the events yet")]
    NotYetVisible,
    /// The views can't be asked.
    #[error(transparent)]
    Views(#[from] Error),
}

/// An event, as far as its group depends on it: its user, partition and offset.
pub type UserEventAt<'a> = (&'a str, u32, u64);

impl MemberFilter {
    /// Of this group.
    pub fn new(views: ReadModel, group: GroupId) -> Self {
        Self { views, group }
    }

    /// For each event whether it is of the group. Events must be in the order of their partitions.
    ///
    /// # Errors
    ///
    /// Nobody can say now. The same may be asked again.
    pub async fn of_group(&self, events: &[UserEventAt<'_>]) -> Result<Vec<bool>, GroupsUnknown> {
        let mut seen = Position::new();
        for (_, partition, offset) in events {
            seen.cover(StreamPartition::new(Stream::UserEvents, *partition), *offset);
        }
        let waited = self.views.progress().wait(&seen, Instant::now() + PATIENCE).await;
        waited.map_err(|_| GroupsUnknown::NotYetVisible)?;
        let users: BTreeSet<UserId> = events.iter().filter_map(|(user, ..)| user.parse().ok()).collect();
        let users: Vec<UserId> = users.into_iter().collect();
        let mut moves: HashMap<UserId, Vec<MembershipMove>> = HashMap::new();
        for moved in self.views.group_moves(&users).await? {
            moves.entry(moved.user).or_default().push(moved);
        }
        let is_of = |(user, _, offset): &UserEventAt<'_>| {
            let user: Option<UserId> = user.parse().ok();
            let (before, after) = around(user.and_then(|user| moves.get(&user)), *offset);
            before == Some(self.group) || after == Some(self.group)
        };
        Ok(events.iter().map(is_of).collect())
    }
}

/// The groups of a user just before and just after the event at this offset. `moves` are all of the user's, in order.
fn around(moves: Option<&Vec<MembershipMove>>, offset: u64) -> (Option<GroupId>, Option<GroupId>) {
    let moves = moves.map_or(&[][..], Vec::as_slice);
    let earlier = moves.partition_point(|moved| moved.offset < offset);
    let before = match earlier.checked_sub(1) {
        Some(last) => moves[last].new,
        None => moves.first().and_then(|first| first.old),
    };
    match moves.get(earlier).filter(|moved| moved.offset == offset) {
        Some(at_once) => (at_once.old, at_once.new),
        None => (before, before),
    }
}

#[cfg(test)]
mod tests {
    use domain::names::{GroupName, Username};

    use super::*;

    #[test]
    fn a_user_is_in_a_group_from_the_move_into_it_to_the_move_out_of_it() {
        let user = UserId::of(&Username::parse("alice").unwrap());
        let group = |name: &str| Some(GroupId::of(&GroupName::parse(name).unwrap()));
        let (north, south) = (group("north"), group("south"));
        let change = |offset, old, new| MembershipMove { user, offset, old, new };
        let moves = vec![change(2, None, north), change(5, north, south), change(9, south, None)];
        for (offset, expected) in [
            (1, (None, None)),
            (2, (None, north)),
            (3, (north, north)),
            (5, (north, south)),
            (8, (south, south)),
            (9, (south, None)),
            (10, (None, None)),
        ] {
            assert_eq!(around(Some(&moves), offset), expected, "{offset}");
        }
        assert_eq!(around(None, 3), (None, None));
    }
}
