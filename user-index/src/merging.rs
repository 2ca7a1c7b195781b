//! Merging segments, so that there are few of them and masked users take no memory. Beside everything else, at any time.

use std::sync::Arc;

use crate::bits::Bits;
use crate::index::{Part, UserIndex};
use crate::postings::MOST_USERS;
use crate::segment::Segment;
use crate::user::IndexedUser;

/// Most segments that are less than half full. Beyond it they are merged.
const MOST_SMALL: usize = 6;

/// Segments to be merged, as they were when this was decided.
#[derive(Debug)]
pub struct Merge {
    parts: Vec<Part>,
}

/// What a merge has made.
#[derive(Debug)]
pub struct Merged {
    merge: Merge,
    made: Option<Part>,
}

impl UserIndex {
    /// The next segments to merge, if any.
    pub fn merge(&self) -> Option<Merge> {
        // A quarter of such a segment is masked: it is made anew without them.
        let is_worn = |part: &&Part| part.users * 4 < part.segment.len() * 3 && part.users * 2 > MOST_USERS;
        if let Some(worn) = self.parts.iter().find(is_worn) {
            return Some(Merge { parts: vec![worn.clone()] });
        }
        let mut small: Vec<_> =
            self.parts.iter().filter(|part| part.users * 2 <= MOST_USERS).cloned().collect();
        if small.len() <= MOST_SMALL {
            return None;
        }
        small.sort_by_key(|part| part.users);
        let mut users = 0;
        let parts = small.into_iter().take_while(|part| {
            users += part.users;
            users <= MOST_USERS
        });
        Some(Merge { parts: parts.collect() })
    }

    /// Puts what was made in the place of what it was made of.
    #[must_use]
    pub fn merged(&self, merged: Merged) -> Self {
        let Merged { merge, mut made } = merged;
        let mut index = self.clone();
        for old in merge.parts {
            let place = index.parts.iter().position(|part| Arc::ptr_eq(&part.segment, &old.segment));
            // A part whose last users changed meanwhile is gone already.
            let now = place.map(|place| index.parts.swap_remove(place));
            let mut changed = now.map_or_else(|| Bits::all(old.segment.len()), |now| (*now.masked).clone());
            changed.remove(&old.masked);
            for number in changed.iter() {
                let name = old.segment.usernames.get(number);
                if let Some(made) = &mut made {
                    made.mask(&name);
                }
            }
        }
        index.parts.extend(made.filter(|made| made.users > 0));
        index
    }
}

impl Merge {
    /// Makes one segment of them. Takes up to half a second.
    pub fn run(self) -> Merged {
        let mut users: Vec<IndexedUser> = Vec::with_capacity(self.parts.iter().map(|part| part.users).sum());
        for Part { segment, masked, .. } in &self.parts {
            users.extend(segment.users(masked));
        }
        users.sort_unstable_by(|one, other| one.username.cmp(&other.username));
        let made = Part::of(&users);
        Merged { merge: self, made }
    }
}

impl Segment {
    /// Every user that is not masked.
    fn users(&self, masked: &Bits) -> Vec<IndexedUser> {
        let mut left = Bits::all(self.len());
        left.remove(masked);
        left.iter().map(|number| self.user(number)).collect()
    }
}
