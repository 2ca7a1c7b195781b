//! The users that changed last, looked through one by one until there are enough of them for a segment.

use std::sync::Arc;

use crate::condition::Condition;
use crate::search::folded_terms;
use crate::selection::PageRequest;
use crate::sorting::SortValue;
use crate::user::IndexedUser;

/// Users by username.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent(Vec<Arc<RecentUser>>);

#[derive(Debug)]
struct RecentUser {
    user: IndexedUser,
    terms: Vec<String>,
}

impl Recent {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a user, or replaces what was known.
    pub(crate) fn insert(&mut self, user: IndexedUser) {
        let terms = user.searched().into_iter().flat_map(folded_terms).collect();
        let place = self.0.binary_search_by(|recent| recent.user.username.cmp(&user.username));
        let recent = Arc::new(RecentUser { user, terms });
        match place {
            Ok(place) => self.0[place] = recent,
            Err(place) => self.0.insert(place, recent),
        }
    }

    /// The users, by username.
    pub(crate) fn users(&self) -> Vec<IndexedUser> {
        self.0.iter().map(|recent| recent.user.clone()).collect()
    }

    pub(crate) fn count(&self, filter: &[Condition]) -> usize {
        self.matching(filter).count()
    }

    /// The first users that the filter lets pass, each with its place, and how many it lets pass.
    pub(crate) fn select(
        &self,
        filter: &[Condition],
        selection: &PageRequest,
    ) -> (Vec<(Vec<SortValue>, String)>, usize) {
        let PageRequest { sorting, after, before, most } = *selection;
        let is_behind = |place: &[SortValue]| after.is_none_or(|after| sorting.compare(place, after).is_gt());
        let is_ahead =
            |place: &[SortValue]| before.is_none_or(|before| sorting.compare(place, before).is_lt());
        let matching: Vec<_> = self.matching(filter).collect();
        let count = matching.len();
        let placed = matching.into_iter().map(|user| (sorting.values(user), user));
        let mut found: Vec<_> = placed.filter(|(place, _)| is_behind(place) && is_ahead(place)).collect();
        found.sort_unstable_by(|(one, _), (other, _)| sorting.compare(one, other));
        let first = found.into_iter().take(most).map(|(place, user)| (place, user.username.clone()));
        (first.collect(), count)
    }

    fn matching(&self, filter: &[Condition]) -> impl Iterator<Item = &IndexedUser> {
        let holds = move |recent: &&RecentUser| {
            filter.iter().all(|condition| condition.holds(&recent.user, &recent.terms))
        };
        self.0.iter().map(|recent| &**recent).filter(holds).map(|recent| &recent.user)
    }
}
