//! Sharing the partitions: what each member is assigned, and handing over.

use std::collections::BTreeSet;
use std::time::Duration;

use event_log::{Assignment, Handover, Membership};
use tokio::time::{Instant, timeout};

use crate::fixture::{DEADLINE, TestLog};
use crate::kafka::Topics;

/// The partitions that a member was given and hasn't lost.
#[derive(Default)]
struct Held(BTreeSet<u32>);

impl Held {
    /// Takes in one change. The adapter waits for the returned handover.
    fn take_in(&mut self, change: Assignment) -> Option<Handover> {
        match change {
            Assignment::Given(given) => {
                for partition in given {
                    assert!(self.0.insert(partition), "{partition} was given twice");
                }
                None
            }
            Assignment::Taken(taken, handover) => {
                for partition in taken {
                    assert!(self.0.remove(&partition), "{partition} was taken and not held");
                }
                Some(handover)
            }
        }
    }
}

async fn next(membership: &mut Membership) -> Option<Assignment> {
    timeout(DEADLINE, membership.next()).await.expect("something changes in time")
}

/// Waits until the members hold all partitions between them, and each at least `least`.
async fn settle(members: &mut [(Membership, Held)], partitions: u32, least: usize) {
    let deadline = Instant::now() + DEADLINE;
    let settled = |members: &[(Membership, Held)]| {
        let held: usize = members.iter().map(|(_, held)| held.0.len()).sum();
        held == partitions as usize && members.iter().all(|(_, held)| held.0.len() >= least)
    };
    while !settled(members) {
        assert!(
            Instant::now() < deadline,
            "{:?}",
            members.iter().map(|(_, held)| &held.0).collect::<Vec<_>>()
        );
        for (membership, held) in &mut *members {
            if let Ok(Some(change)) = timeout(Duration::from_millis(20), membership.next()).await {
                drop(held.take_in(change));
            }
        }
    }
}

pub(crate) async fn a_single_member_holds_everything_and_hands_it_over_when_it_leaves(
    test_log: impl TestLog,
) {
    let log = test_log.open().await;
    let mut members = [(log.join(), Held::default())];
    settle(&mut members, log.partitions(), 1).await;
    let [(mut membership, mut held)] = members;
    membership.leave();
    while let Some(change) = next(&mut membership).await {
        drop(held.take_in(change));
    }
    assert_eq!(held.0, BTreeSet::new());
    timeout(DEADLINE, membership.all_left()).await.expect("nobody else is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_members_share_and_the_one_that_stays_gets_what_the_other_leaves() {
    let Some(topics) = Topics::make().await else { return };
    let (one, other) = (topics.open().await, topics.open().await);
    let mut members = [(one.join(), Held::default()), (other.join(), Held::default())];
    settle(&mut members, one.partitions(), 1).await;
    let [(mut leaving, mut left), staying] = members;
    leaving.leave();
    while let Some(change) = next(&mut leaving).await {
        drop(left.take_in(change));
    }
    assert_eq!(left.0, BTreeSet::new());
    let mut rest = [staying];
    settle(&mut rest, other.partitions(), 2).await;
    let early = timeout(Duration::from_secs(1), leaving.all_left()).await;
    early.expect_err("somebody is there who has claimed, or will");
    rest[0].0.leave();
    timeout(DEADLINE, leaving.all_left()).await.expect("nobody is there any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_is_given_to_nobody_before_it_was_handed_over() {
    let Some(topics) = Topics::make().await else { return };
    let (one, other) = (topics.open().await, topics.open().await);
    let mut first = one.join();
    let mut held = Held::default();
    while held.0.len() < one.partitions() as usize {
        let change = next(&mut first).await.expect("it has not left");
        drop(held.take_in(change));
    }
    let mut second = other.join();
    let handover = loop {
        let change = next(&mut first).await.expect("it has not left");
        if let Some(handover) = held.take_in(change) {
            break handover;
        }
    };
    let mut early = Held::default();
    while let Ok(Some(change)) = timeout(Duration::from_secs(1), second.next()).await {
        drop(early.take_in(change));
    }
    assert_eq!(early.0, BTreeSet::new(), "somebody may still take it for its own");
    drop(handover);
    let mut members = [(first, held), (second, early)];
    settle(&mut members, one.partitions(), 1).await;
}
