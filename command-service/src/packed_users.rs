//! Users at rest: each is one small block of bytes, and whole only while something is asked of it.

use std::collections::HashMap;

use domain::id::UserId;
use domain::user::User;

use crate::block_map::BlockMap;
use crate::group_table::GroupTable;
use crate::packed_user;
use crate::tracked_aggregate::TrackedAggregate;

/// Users that a replay keeps whole at a time: what happens to one within a short time is taken in at once, however
/// much it is.
const REPLAY_CACHE: usize = 512;

/// The users of one partition.
#[derive(Default)]
pub(crate) struct PackedUsers {
    blocks: BlockMap,
    groups: GroupTable,
    /// Users to whom a replay has come lately. Newer than their blocks.
    replay_cache: HashMap<UserId, TrackedAggregate<User>>,
    scratch: Vec<u8>,
}

impl PackedUsers {
    /// A user, whole; `None` for one who was never registered.
    pub(crate) fn load(&self, id: UserId) -> Option<TrackedAggregate<User>> {
        if let Some(tracked) = self.replay_cache.get(&id) {
            return Some(tracked.clone());
        }
        self.blocks.get(id).map(|block| packed_user::unpack(id, block, &self.groups))
    }

    /// A user to whom the replay has come, to be changed in place.
    pub(crate) fn load_for_replay(&mut self, id: UserId) -> &mut TrackedAggregate<User> {
        if self.replay_cache.len() >= REPLAY_CACHE && !self.replay_cache.contains_key(&id) {
            self.flush();
        }
        let (blocks, groups) = (&self.blocks, &self.groups);
        self.replay_cache.entry(id).or_insert_with(|| match blocks.get(id) {
            Some(block) => packed_user::unpack(id, block, groups),
            None => TrackedAggregate::new(User::nobody(id)),
        })
    }

    /// Lays a user to rest as it is now.
    pub(crate) fn store(&mut self, id: UserId, tracked: &TrackedAggregate<User>) {
        self.flush();
        self.pack(id, tracked);
    }

    /// Shows every user, whole, once the replay is over.
    pub(crate) fn for_each(&self, mut look: impl FnMut(&User)) {
        for (id, block) in self.blocks.iter() {
            look(&packed_user::unpack(id, block, &self.groups).aggregate);
        }
    }

    /// Every user as it lies at rest, and the groups that these blocks are packed with.
    pub(crate) fn blocks(&self) -> (impl Iterator<Item = (UserId, &[u8])>, &GroupTable) {
        debug_assert!(self.replay_cache.is_empty(), "nobody is awake but in a replay");
        (self.blocks.iter(), &self.groups)
    }

    /// Begins with groups, before any user is there.
    pub(crate) fn with_groups(groups: GroupTable) -> Self {
        Self { groups, ..Self::default() }
    }

    /// Takes in a user as it lay at rest elsewhere, with the same groups. False if that is no user.
    pub(crate) fn insert_packed(&mut self, id: UserId, block: &[u8]) -> bool {
        let is_user = packed_user::is_user(block, &self.groups);
        if is_user {
            self.blocks.insert(id, block);
        }
        is_user
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, users: usize) {
        self.blocks.reserve(users);
    }

    /// Number of users that were ever registered.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len() + self.replay_cache.keys().filter(|id| self.blocks.get(**id).is_none()).count()
    }

    /// Lays to rest whom the replay has left awake.
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
