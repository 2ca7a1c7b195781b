//! A compact map from a user's id to that user's packed bytes.
//!
//! A hash table is half empty on average. This one holds the numbers of blocks instead of ids and pointers. That makes
//! an empty slot 5 bytes and not 33.

use std::hash::{BuildHasher, RandomState};

use domain::id::UserId;
use hashbrown::HashTable;

/// Blocks in one chunk.
const CHUNK: usize = 4_096;

/// One block per user. Blocks are replaced and never removed.
#[derive(Default)]
pub(crate) struct BlockMap {
    blocks: Chunks,
    /// Number of each user's block, found by the hash of the id.
    numbers: HashTable<u32>,
    /// Keyed with a secret. Ids are SHA-1 of names that anybody may choose. If the table used bits of the id itself,
    /// anybody could search for names that all fall into one bucket.
    hasher: RandomState,
}

impl BlockMap {
    /// A user's block.
    pub(crate) fn get(&self, id: UserId) -> Option<&[u8]> {
        self.number(id).map(|number| &*self.blocks.at(number).1)
    }

    /// Adds a user's block, or replaces the former one.
    pub(crate) fn insert(&mut self, id: UserId, block: &[u8]) {
        match self.number(id) {
            Some(number) => {
                let former = &mut self.blocks.at_mut(number).1;
                if former.len() == block.len() {
                    former.copy_from_slice(block);
                } else {
                    *former = block.into();
                }
            }
            None => self.add(id, block),
        }
    }

    /// Every block, in the order in which users were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (UserId, &[u8])> {
        self.blocks.0.iter().flatten().map(|(id, block)| (*id, &**block))
    }

    /// Number of blocks.
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Makes room for `more` blocks.
    pub(crate) fn reserve(&mut self, more: usize) {
        let Self { blocks, numbers, hasher } = self;
        numbers.reserve(more, |number| hasher.hash_one(blocks.at(*number).0));
    }

    /// A user's block and id, by the number of the block. Numbers begin at 0 and have no gaps.
    pub(crate) fn at(&self, number: u32) -> Option<(UserId, &[u8])> {
        ((number as usize) < self.len()).then(|| {
            let (id, block) = self.blocks.at(number);
            (*id, &**block)
        })
    }

    /// The number of a user's block, which stays.
    pub(crate) fn number(&self, id: UserId) -> Option<u32> {
        let is_its = |number: &u32| self.blocks.at(*number).0 == id;
        self.numbers.find(self.hasher.hash_one(id), is_its).copied()
    }

    fn add(&mut self, id: UserId, block: &[u8]) {
        let number = u32::try_from(self.len()).expect("there are far fewer users than 2^32");
        self.blocks.push((id, block.into()));
        let Self { blocks, numbers, hasher } = self;
        let hash = hasher.hash_one(id);
        numbers.insert_unique(hash, number, |number| hasher.hash_one(blocks.at(*number).0));
    }
}

type Block = (UserId, Box<[u8]>);

/// Blocks in the order in which they were added. They lie in chunks, so that growing never copies them.
#[derive(Default)]
struct Chunks(Vec<Vec<Block>>);

impl Chunks {
    fn push(&mut self, block: Block) {
        match self.0.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(block),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(block);
                self.0.push(chunk);
            }
        }
    }

    fn at(&self, number: u32) -> &Block {
        &self.0[number as usize / CHUNK][number as usize % CHUNK]
    }

    fn at_mut(&mut self, number: u32) -> &mut Block {
        &mut self.0[number as usize / CHUNK][number as usize % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn every_block_is_found_under_its_id_and_in_its_order() {
        let count = 3 * CHUNK as u128 + 7;
        let mut map = BlockMap::default();
        for n in 0..count {
            map.insert(id(n), &n.to_be_bytes());
        }
        for n in (0..count).step_by(3) {
            map.insert(id(n), b"another length");
        }
        assert_eq!(map.len() as u128, count);
        assert_eq!(map.get(id(count)), None);
        for (n, (known, block)) in (0..count).zip(map.iter()) {
            let expected: &[u8] = if n % 3 == 0 { b"another length" } else { &n.to_be_bytes() };
            assert_eq!((known, block), (id(n), expected));
            assert_eq!(map.get(id(n)), Some(expected));
        }
    }
}
