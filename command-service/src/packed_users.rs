//! The users of a partition, each packed into one small block of bytes.
//!
//! A user is unpacked only while a batch or a replay is about it, so that millions fit in memory
//! (docs/adr/0001-one-writer-per-partition.md).

use std::collections::HashMap;

use domain::id::UserId;
use domain::user::User;

use crate::block_map::BlockMap;
use crate::group_table::GroupTable;
use crate::packed_user;
use crate::tracked_aggregate::TrackedAggregate;

/// Most unpacked users during a replay. A user with many events in a short time is unpacked once, not for each event.
const REPLAY_CACHE: usize = 512;

/// The users of one partition.
#[derive(Default)]
pub(crate) struct PackedUsers {
    blocks: BlockMap,
    groups: GroupTable,
    /// Users with replayed events that are not packed yet. Newer than their blocks.
    replay_cache: HashMap<UserId, TrackedAggregate<User>>,
    scratch: Vec<u8>,
}

impl PackedUsers {
    /// Unpacks a user; `None` for one without events.
    pub(crate) fn load(&self, id: UserId) -> Option<TrackedAggregate<User>> {
        if let Some(tracked) = self.replay_cache.get(&id) {
            return Some(tracked.clone());
        }
        self.blocks.get(id).map(|block| packed_user::unpack(id, block, &self.groups))
    }

    /// The number of a packed user, which stays.
    pub(crate) fn number(&self, id: UserId) -> Option<u32> {
        self.blocks.number(id)
    }

    /// Whether a packed user has this number.
    pub(crate) fn is_number(&self, number: u32) -> bool {
        self.blocks.at(number).is_some()
    }

    /// Unpacks the user with this number.
    pub(crate) fn at(&self, number: u32) -> Option<TrackedAggregate<User>> {
        self.blocks.at(number).map(|(id, block)| packed_user::unpack(id, block, &self.groups))
    }

    /// A user to be changed in place during a replay. [`Self::flush`] packs them.
    pub(crate) fn load_for_replay(&mut self, id: UserId) -> &mut TrackedAggregate<User> {
        if self.replay_cache.len() >= REPLAY_CACHE && !self.replay_cache.contains_key(&id) {
            self.flush();
        }
        let (blocks, groups) = (&self.blocks, &self.groups);
        self.replay_cache.entry(id).or_insert_with(|| match blocks.get(id) {
            Some(block) => packed_user::unpack(id, block, groups),
            None => TrackedAggregate::new(User::new(id)),
        })
    }

    /// Packs a user.
    pub(crate) fn store(&mut self, id: UserId, tracked: &TrackedAggregate<User>) {
        self.flush();
        self.pack(id, tracked);
    }

    /// Calls `visit` with every packed user and its number.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(u32, &User)) {
        for (number, (id, block)) in (0..).zip(self.blocks.iter()) {
            visit(number, &packed_user::unpack(id, block, &self.groups).aggregate);
        }
    }

    /// Every packed user, and the groups they were packed with. Only for users that are all packed.
    pub(crate) fn blocks(&self) -> (impl Iterator<Item = (UserId, &[u8])>, &GroupTable) {
        debug_assert!(self.replay_cache.is_empty(), "users are unpacked only during a replay");
        (self.blocks.iter(), &self.groups)
    }

    /// No users yet, with the groups that packed users refer to.
    pub(crate) fn with_groups(groups: GroupTable) -> Self {
        Self { groups, ..Self::default() }
    }

    /// Adds a user packed elsewhere with the same groups. False if the bytes are not a user.
    pub(crate) fn insert_packed(&mut self, id: UserId, block: &[u8]) -> bool {
        let is_user = packed_user::is_user(block, &self.groups);
        if is_user {
            self.blocks.insert(id, block);
        }
        is_user
    }

    /// Makes room for more users.
    pub(crate) fn reserve(&mut self, users: usize) {
        self.blocks.reserve(users);
    }

    /// Number of users with events.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len() + self.replay_cache.keys().filter(|id| self.blocks.get(**id).is_none()).count()
    }

    /// Packs the users a replay has changed.
    pub(crate) fn flush(&mut self) {
        if self.replay_cache.is_empty() {
            return;
        }
        let mut replay_cache = std::mem::take(&mut self.replay_cache);
        for (id, tracked) in replay_cache.drain() {
            self.pack(id, &tracked);
        }
        self.replay_cache = replay_cache;
    }

    fn pack(&mut self, id: UserId, tracked: &TrackedAggregate<User>) {
        self.scratch.clear();
        self.scratch = packed_user::pack(tracked, &mut self.groups, std::mem::take(&mut self.scratch));
        self.blocks.insert(id, &self.scratch);
    }
}
