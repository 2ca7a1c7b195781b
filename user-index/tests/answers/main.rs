//! Every answer of the index beside a filter and a sort in plain Rust over the same users, also while they change.
//!
//! `MUSTER_TEST_INDEX_QUERIES` says how many queries are asked; there are four changes to each.

mod crowd;
mod plain;

use std::collections::BTreeMap;

use crowd::Crowd;
use plain::Question;
use user_index::{IndexedUser, Merged, PageRequest, UserIndex};

/// Queries of a run, unless the environment says otherwise.
const QUERIES: usize = 300;

fn queries() -> usize {
    std::env::var("MUSTER_TEST_INDEX_QUERIES")
        .map_or(QUERIES, |text| text.parse().expect("a number of queries"))
}

/// Asks a question of the index, for a page at some place of the list, in both directions, and for the count.
fn check(index: &UserIndex, users: &BTreeMap<String, IndexedUser>, question: &Question, crowd: &mut Crowd) {
    let list = question.answer(users.values());
    let conditions = question.conditions();
    assert_eq!(index.count(&conditions), list.len(), "{question:?}");
    let place = |number: usize| list.get(number).map(|user| question.sorting.values(user));
    let from = crowd.number(list.len() + 1);
    let to = crowd.number(list.len() + 1);
    // A place where nobody stands, between two users.
    let absent = (crowd.number(4) == 0).then(|| question.sorting.values(&crowd.user(7)));
    for (after, before) in [(None, None), (place(from), None), (place(from), place(to)), (absent, None)] {
        let most = 1 + crowd.number(60);
        let compare =
            |user: &&IndexedUser, place: &Vec<_>| question.compare(&question.sorting.values(user), place);
        let inside = list.iter().copied().filter(|user| {
            after.as_ref().is_none_or(|after| compare(user, after).is_gt())
                && before.as_ref().is_none_or(|before| compare(user, before).is_lt())
        });
        let inside: Vec<&str> = inside.map(|user| user.username.as_str()).collect();
        let (after, before) = (after.as_deref(), before.as_deref());
        let forwards = PageRequest { sorting: &question.sorting, after, before, most };
        let expected: Vec<_> = inside.iter().take(most).copied().collect();
        let page = index.page(&conditions, &forwards);
        assert_eq!(page.count, list.len());
        assert_eq!(page.usernames, expected, "{question:?} {forwards:?}");
        let sorting = question.sorting.reversed();
        let backwards = PageRequest { sorting: &sorting, after: before, before: after, most };
        let expected: Vec<_> = inside.iter().rev().take(most).copied().collect();
        assert_eq!(index.page(&conditions, &backwards).usernames, expected, "{question:?} {backwards:?}");
    }
}

#[test]
fn every_answer_is_that_of_a_filter_and_a_sort() {
    let mut crowd = Crowd::new(1);
    let mut users = BTreeMap::new();
    while users.len() < 2_500 {
        let user = crowd.user(30_000);
        users.insert(user.username.clone(), user);
    }
    let all: Vec<_> = users.values().cloned().collect();
    let mut index = UserIndex::default();
    for some in all.chunks(900) {
        index = index.with_segment(some);
    }
    for _ in 0..queries() {
        let question = crowd.question(&all);
        check(&index, &users, &question, &mut crowd);
    }
}

#[test]
fn answers_stay_right_while_users_change_and_segments_are_merged() {
    let mut crowd = Crowd::new(2);
    let mut users: BTreeMap<String, IndexedUser> = BTreeMap::new();
    let mut index = UserIndex::default();
    let mut merging: Option<Merged> = None;
    let mut times = 0;
    for _ in 0..queries() {
        for _ in 0..2 {
            let some: Vec<_> = (0..2).map(|_| crowd.user(4_000)).collect();
            users.extend(some.iter().map(|user| (user.username.clone(), user.clone())));
            index = index.with(some);
        }
        // Users change between the beginning of a merge and its end.
        if crowd.number(20) == 0 {
            match merging.take() {
                Some(merged) => {
                    index = index.merged(merged);
                    times += 1;
                }
                None => merging = index.merge().map(user_index::Merge::run),
            }
        }
        assert_eq!(index.len(), users.len());
        let all: Vec<_> = users.values().take(50).cloned().collect();
        let question = crowd.question(&all);
        check(&index, &users, &question, &mut crowd);
    }
    assert!(times > 0 || queries() < 4_000, "segments were merged");
}

#[test]
fn merged_segments_hold_the_same_users_without_those_that_changed() {
    let mut crowd = Crowd::new(3);
    let mut users: BTreeMap<String, IndexedUser> = BTreeMap::new();
    let mut index = UserIndex::default();
    let mut times = 0;
    for _ in 0..24 {
        let some: Vec<_> = (0..500).map(|_| crowd.user(6_000)).collect();
        users.extend(some.iter().map(|user| (user.username.clone(), user.clone())));
        index = index.with(some);
        if let Some(merge) = index.merge() {
            let late: Vec<_> = (0..30).map(|_| crowd.user(6_000)).collect();
            users.extend(late.iter().map(|user| (user.username.clone(), user.clone())));
            let merged = merge.run();
            index = index.with(late).merged(merged);
            times += 1;
        }
        let all: Vec<_> = users.values().take(50).cloned().collect();
        for _ in 0..10 {
            let question = crowd.question(&all);
            check(&index, &users, &question, &mut crowd);
        }
    }
    assert!(times > 0);
    assert_eq!(index.len(), users.len());
}
