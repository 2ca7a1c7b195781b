//! The index: segments of users, what changed since they were made, and the answers from all of them together.

use std::sync::Arc;

use crate::bits::Bits;
use crate::condition::Condition;
use crate::postings::MOST_USERS;
use crate::recent::Recent;
use crate::segment::Segment;
use crate::selection::PageRequest;
use crate::sorting::SortValue;
use crate::user::IndexedUser;

/// Most recent users. Beyond it they become a segment: looking through them would take longer than a search in one.
const MOST_RECENT: usize = 1_000;

/// All users at one moment. Changing it makes another one that shares nearly everything, so that readers are never in the
/// way of changes, and none of them ever sees half of a change.
#[derive(Debug, Clone, Default)]
pub struct UserIndex {
    pub(crate) parts: Vec<Part>,
    pub(crate) recent: Recent,
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPage {
    /// The users, in the order of the list.
    pub usernames: Vec<String>,
    /// How many users the whole list has.
    pub count: usize,
}

/// A segment, and which of its users are masked because they changed since.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) segment: Arc<Segment>,
    pub(crate) masked: Arc<Bits>,
    /// How many are not.
    pub(crate) users: usize,
}

impl UserIndex {
    /// Most users of a segment. An index is filled fastest with about as many at a time.
    pub const SEGMENT: usize = MOST_USERS;

    /// Adds users that it doesn't hold yet, at most [`UserIndex::SEGMENT`], in the order of their usernames.
    #[must_use]
    pub fn with_segment(&self, users: &[IndexedUser]) -> Self {
        let mut index = self.clone();
        index.parts.extend(Part::of(users));
        index
    }

    /// Adds users, or replaces what was known of them.
    #[must_use]
    pub fn with(&self, users: impl IntoIterator<Item = IndexedUser>) -> Self {
        let mut index = self.clone();
        for user in users {
            for part in &mut index.parts {
                part.mask(&user.username);
            }
            index.recent.insert(user);
            if index.recent.len() >= MOST_RECENT {
                index.parts.extend(Part::of(&std::mem::take(&mut index.recent).users()));
            }
        }
        index.parts.retain(|part| part.users > 0);
        index
    }

    /// How many users it holds.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.users).sum::<usize>() + self.recent.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that its segments take.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.segment.bytes() + part.masked.bytes()).sum()
    }

    /// How many users all conditions hold for.
    pub fn count(&self, filter: &[Condition]) -> usize {
        let of_parts = self.parts.iter().map(|part| part.matching(filter).count());
        of_parts.sum::<usize>() + self.recent.count(filter)
    }

    /// The first users that all conditions hold for, and how many there are in all.
    pub fn page(&self, filter: &[Condition], selection: &PageRequest) -> IndexPage {
        let (recent, mut count) = self.recent.select(filter, selection);
        let mut lists: Vec<Box<dyn Iterator<Item = (Vec<SortValue>, String)> + '_>> =
            vec![Box::new(recent.into_iter())];
        for part in &self.parts {
            let matching = part.matching(filter);
            count += matching.count();
            let users = part.segment.select(&matching, selection);
            // Read one by one, as far as they are needed.
            let place = move |user| part.segment.values(selection.sorting, user);
            lists.push(Box::new(
                users.into_iter().map(move |user| (place(user), part.segment.usernames.get(user))),
            ));
        }
        let mut heads: Vec<_> = lists.iter_mut().map(Iterator::next).collect();
        let mut usernames = Vec::with_capacity(selection.most);
        while usernames.len() < selection.most {
            let places = heads.iter().enumerate().filter_map(|(list, head)| Some((list, &head.as_ref()?.0)));
            let least = places.min_by(|(_, one), (_, other)| selection.sorting.compare(one, other));
            let Some((least, _)) = least else { break };
            let taken = std::mem::replace(&mut heads[least], lists[least].next());
            usernames.extend(taken.map(|(_, name)| name));
        }
        IndexPage { usernames, count }
    }
}

impl Part {
    pub(crate) fn of(users: &[IndexedUser]) -> Option<Self> {
        let masked = Arc::new(Bits::none(users.len()));
        (!users.is_empty()).then(|| Self {
            segment: Arc::new(Segment::of(users)),
            masked,
            users: users.len(),
        })
    }

    /// Masks the user with this name, if it holds one.
    pub(crate) fn mask(&mut self, username: &str) {
        if let Ok(number) = self.segment.usernames.find(username)
            && !self.masked.contains(number)
        {
            Arc::make_mut(&mut self.masked).insert(number);
            self.users -= 1;
        }
    }

    fn matching(&self, filter: &[Condition]) -> Bits {
        self.segment.matching(filter, &self.masked)
    }
}
