//! Users at rest: each is one small block of bytes, and whole only while something is asked of it.

use std::collections::HashMap;

use domain::id::UserId;
use domain::user::User;

use crate::packed::{self, Groups};
use crate::shelf::Shelf;
use crate::slot::Slot;

/// Users that a replay keeps whole at a time: what happens to one within a short time is taken in at once, however
/// much it is.
const AWAKE: usize = 512;

/// The users of one partition.
#[derive(Default)]
pub(crate) struct Residents {
    blocks: Shelf,
    groups: Groups,
    /// Users to whom a replay has come lately. Newer than their blocks.
    awake: HashMap<UserId, Slot<User>>,
    scratch: Vec<u8>,
}

impl Residents {
    /// A user, whole; `None` for one who was never registered.
    pub(crate) fn wake(&self, id: UserId) -> Option<Slot<User>> {
        if let Some(slot) = self.awake.get(&id) {
            return Some(slot.clone());
        }
        self.blocks.get(id).map(|block| packed::unpack(id, block, &self.groups))
    }

    /// A user to whom the replay has come, to be changed in place.
    pub(crate) fn awake(&mut self, id: UserId) -> &mut Slot<User> {
        if self.awake.len() >= AWAKE && !self.awake.contains_key(&id) {
            self.settle();
        }
        let (blocks, groups) = (&self.blocks, &self.groups);
        self.awake.entry(id).or_insert_with(|| match blocks.get(id) {
            Some(block) => packed::unpack(id, block, groups),
            None => Slot::new(User::new(id)),
        })
    }

    /// Lays a user to rest as it is now.
    pub(crate) fn rest(&mut self, id: UserId, slot: &Slot<User>) {
        self.settle();
        self.pack(id, slot);
    }

    /// Shows every user, whole, once the replay is over.
    pub(crate) fn each(&self, mut look: impl FnMut(&User)) {
        for (id, block) in self.blocks.iter() {
            look(&packed::unpack(id, block, &self.groups).aggregate);
        }
    }

    /// Every user as it lies at rest, and the groups that these blocks are packed with.
    pub(crate) fn at_rest(&self) -> (impl Iterator<Item = (UserId, &[u8])>, &Groups) {
        debug_assert!(self.awake.is_empty(), "nobody is awake but in a replay");
        (self.blocks.iter(), &self.groups)
    }

    /// Begins with groups, before any user is there.
    pub(crate) fn with(groups: Groups) -> Self {
        Self { groups, ..Self::default() }
    }

    /// Takes in a user as it lay at rest elsewhere, with the same groups. False if that is no user.
    pub(crate) fn take_over(&mut self, id: UserId, block: &[u8]) -> bool {
        let is_user = packed::is_user(block, &self.groups);
        if is_user {
            self.blocks.put(id, block);
        }
        is_user
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, users: usize) {
        self.blocks.reserve(users);
    }

    /// Number of users that were ever registered.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len() + self.awake.keys().filter(|id| self.blocks.get(**id).is_none()).count()
    }

    /// Lays to rest whom the replay has left awake.
    pub(crate) fn settle(&mut self) {
        if self.awake.is_empty() {
            return;
        }
        let mut awake = std::mem::take(&mut self.awake);
        for (id, slot) in awake.drain() {
            self.pack(id, &slot);
        }
        self.awake = awake;
    }

    fn pack(&mut self, id: UserId, slot: &Slot<User>) {
        self.scratch.clear();
        self.scratch = packed::pack(slot, &mut self.groups, std::mem::take(&mut self.scratch));
        self.blocks.put(id, &self.scratch);
    }
}
