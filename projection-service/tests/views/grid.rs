//! Every page and count of the users grid beside a filter and a sort in plain Rust: read from the views, answered by the
//! index, and while users change.
//!
//! `MUSTER_TEST_GRID_QUERIES` says how many queries are asked of each; there are four changes to each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::user::UserStatus;
use log_model::{Position, Stream, StreamPartition};
use read_model::apply::{Batch, Changed, Move};
use read_model::counts::CountKey;
use read_model::users::UserRow;
use read_model::{Page, ReadModel, ViewsAt, Window};

use crate::crowd::{Crowd, Question};
use crate::rig::deadline;
use crate::stage::{Stage, Views, on_both};

on_both! {
    every_page_is_that_of_a_filter_and_a_sort
    pages_stay_right_while_users_change
    another_process_follows_the_changes
    an_index_of_views_that_were_replaced_is_filled_anew
}

/// Queries of a test, unless the environment says otherwise.
const QUERIES: usize = 120;
const USERS: usize = 600;
/// Most rows of a page.
const PAGE: u32 = 9;

fn queries() -> usize {
    std::env::var("MUSTER_TEST_GRID_QUERIES").map_or(QUERIES, |text| text.parse().unwrap())
}

/// Users in the views, written as a projection would write them, and in memory.
struct Filled {
    views: Views,
    users: Vec<UserRow>,
    /// The next offset of each partition.
    next: [u64; 3],
}

impl Filled {
    async fn new(stage: &Stage, crowd: &mut Crowd) -> Self {
        let views = stage.fresh().await;
        let mut filled = Self { views, users: Vec::new(), next: [0; 3] };
        filled.views.writer().begin(&[0, 1, 2].map(place)).await.unwrap();
        let mut users: Vec<_> = (0..USERS).map(|number| crowd.user(number)).collect();
        while !users.is_empty() {
            filled.write(users.split_off(users.len().saturating_sub(200))).await;
        }
        filled
    }

    /// Writes users, each as the last event of a partition. Returns the position.
    async fn write(&mut self, mut users: Vec<UserRow>) -> Position {
        let from = self.next;
        let mut batch = Batch::default();
        let mut counts = BTreeMap::new();
        for after in &mut users {
            let partition = after.partition as usize;
            after.log_offset = self.next[partition];
            self.next[partition] += 1;
            let known = self.users.iter_mut().find(|user| user.id == after.id);
            let before = known.map(|known| std::mem::replace(known, after.clone()));
            if before.is_none() {
                self.users.push(after.clone());
            }
            for (user, n) in before.iter().map(|before| (before, -1)).chain([(&*after, 1)]) {
                for key in CountKey::of(user) {
                    *counts.entry(key).or_insert(0) += n;
                }
            }
            batch.users.push(Changed { before, after: after.clone() });
        }
        batch.counts = counts.into_iter().collect();
        let mut position = Position::new();
        for (partition, (from, to)) in
            (0..).zip(from.into_iter().zip(self.next)).filter(|(_, (from, to))| from < to)
        {
            batch.moves.push(Move { place: place(partition), from, to, anchor: None });
            position.cover(place(partition), to - 1);
        }
        self.views.writer().apply(&Arc::new(batch)).await.unwrap();
        position
    }
}

fn place(partition: u32) -> StreamPartition {
    StreamPartition::new(Stream::UserEvents, partition)
}

/// Asserts that the index answers, and not the views.
async fn assert_indexed(views: &ReadModel) {
    let Question { filter, order } = Question::everybody();
    let page = views.users_page(&filter, order, &Window::first(1, None)).await.unwrap();
    assert!(page.total.is_some(), "only the index knows the whole length with the page");
}

/// Asks for pages from both ends and from the middle, and for the count.
async fn check(views: &ReadModel, users: &[UserRow], question: &Question, middle: usize) {
    let list = question.answer(users);
    let page =
        async |window: Window| views.users_page(&question.filter, question.order, &window).await.unwrap();
    let names =
        |page: &Page<UserRow>| page.edges.iter().map(|edge| edge.row.username.clone()).collect::<Vec<_>>();
    let expected =
        |from: usize, to: usize| list[from..to].iter().map(|user| user.username.clone()).collect::<Vec<_>>();
    let (size, length) = (PAGE as usize, list.len());
    let count = views.users_count(&question.filter).await.unwrap();
    assert_eq!((count.n, count.capped), (length as u64, false), "{question:?}");
    let first = page(Window::first(PAGE, None)).await;
    assert_eq!(names(&first), expected(0, length.min(size)), "{question:?}");
    assert!(first.total.is_none_or(|total| total == length as u64), "{question:?}");
    assert_eq!((first.has_previous, first.has_next), (false, length > size));
    let end = page(Window::last(PAGE, None)).await;
    assert_eq!(names(&end), expected(length.saturating_sub(size), length), "{question:?}");
    // A cursor from the middle of the list.
    let middle = middle % length.max(1);
    let Some(cursor) = page(Window::first(u32::try_from(middle + 1).unwrap(), None)).await.edges.pop() else {
        return;
    };
    assert_eq!(cursor.row.username, list[middle].username, "{question:?}");
    let after = page(Window::first(PAGE, Some(cursor.cursor.clone()))).await;
    assert_eq!(names(&after), expected(middle + 1, length.min(middle + 1 + size)), "{question:?}");
    let before = page(Window::last(PAGE, Some(cursor.cursor))).await;
    assert_eq!(names(&before), expected(middle.saturating_sub(size), middle), "{question:?}");
}

async fn every_page_is_that_of_a_filter_and_a_sort(stage: Stage) {
    let mut crowd = Crowd::new(5);
    let filled = Filled::new(&stage, &mut crowd).await;
    for _ in 0..queries() / 4 {
        let question = crowd.question(&filled.users);
        check(&filled.views, &filled.users, &question, crowd.number(USERS)).await;
    }
    let indexed = ReadModel::clone(&filled.views).index_users();
    indexed.users_indexed().await;
    assert_indexed(&indexed).await;
    for _ in 0..queries() {
        let question = crowd.question(&filled.users);
        check(&indexed, &filled.users, &question, crowd.number(USERS)).await;
    }
}

async fn pages_stay_right_while_users_change(stage: Stage) {
    let mut crowd = Crowd::new(6);
    let mut filled = Filled::new(&stage, &mut crowd).await;
    let indexed = ReadModel::clone(&filled.views).index_users();
    for _ in 0..queries() {
        let changed = crowd.changes(&filled.users, 4);
        let position = filled.write(changed).await;
        indexed.progress().wait(&position, deadline()).await.unwrap();
        let question = crowd.question(&filled.users);
        check(&indexed, &filled.users, &question, crowd.number(USERS)).await;
    }
}

async fn another_process_follows_the_changes(stage: Stage) {
    if matches!(stage.at(), ViewsAt::Sqlite { .. }) {
        // On SQLite there is no other process.
        return;
    }
    let mut crowd = Crowd::new(7);
    let mut filled = Filled::new(&stage, &mut crowd).await;
    let elsewhere = ReadModel::open(&stage.at()).await.unwrap().index_users();
    elsewhere.users_indexed().await;
    assert_indexed(&elsewhere).await;
    for _ in 0..20 {
        let changed = crowd.changes(&filled.users, 30);
        let position = filled.write(changed).await;
        elsewhere.progress().wait(&position, deadline()).await.unwrap();
        let question = crowd.question(&filled.users);
        check(&elsewhere, &filled.users, &question, 3).await;
    }
}

async fn an_index_of_views_that_were_replaced_is_filled_anew(stage: Stage) {
    let mut crowd = Crowd::new(8);
    let mut filled = Filled::new(&stage, &mut crowd).await;
    let indexed = ReadModel::clone(&filled.views).index_users();
    indexed.users_indexed().await;
    // One that the list shows: nobody would miss a deleted user.
    let shown = filled.users.iter().position(|user| user.state != UserStatus::Deleted).unwrap();
    let gone = filled.users.remove(shown);
    stage.tamper(&format!("DELETE FROM users WHERE username = '{}'", gone.username)).await;
    let question = Question::everybody();
    let end = deadline();
    // The first page that misses the row is read from the views; the index is filled from them meanwhile.
    let names = async || {
        let page =
            indexed.users_page(&question.filter, question.order, &Window::first(1_000, None)).await.unwrap();
        page.edges.into_iter().map(|edge| edge.row.username).collect::<Vec<_>>()
    };
    let expected: Vec<_> = question.answer(&filled.users).iter().map(|user| user.username.clone()).collect();
    assert_eq!(names().await, expected);
    while indexed.users_count(&question.filter).await.unwrap().n != expected.len() as u64 {
        assert!(tokio::time::Instant::now() < end, "the index was not filled anew");
        let _ = tokio::time::timeout(Duration::from_millis(20), indexed.progress().changed()).await;
    }
    check(&indexed, &filled.users, &question, 5).await;
}
