//! A partition that is taken away is served by its owner until another process has claimed it
//! (docs/adr/0009-sharing-partitions.md).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::command::Failure;
use domain::refusal::Code;
use event_log::{Assignment, Handover, LeftMember, MemberHandle, Membership, Writer, every_record};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

use crate::lost::{Counts, Unlucky};
use crate::{Service, accepted, codes, register};

const PATIENCE: Duration = Duration::from_secs(20);
/// Less than the time a service that has left the group waits for others.
const SOON: Duration = Duration::from_secs(6);

/// A service with the partition assigned, and the group's side of its membership.
async fn given(directory: &Path) -> (Service, MemberHandle, Arc<Counts>) {
    let (member, membership) = Membership::channel();
    member.assignments.send(Assignment::Given(vec![0])).await.unwrap();
    let log = Unlucky::open(directory, Some(membership)).await;
    let counts = log.counts.clone();
    (Service::start_on(Arc::new(log), None, &[]).await, member, counts)
}

/// Takes the partition away, and waits until it may be assigned to others.
async fn take_away(member: &MemberHandle) {
    let (handover, handed_over) = Handover::new();
    member.assignments.send(Assignment::Taken(vec![0], handover)).await.unwrap();
    assert!(spawn_blocking(move || handed_over.wait(PATIENCE)).await.unwrap());
}

/// Another process claims the partition.
async fn claim(service: &Service) -> Box<dyn Writer> {
    let log = service.log.clone();
    spawn_blocking(move || log.claim(0, &mut every_record(|_| Ok(()))).unwrap()).await.unwrap()
}

/// Another process announces that it serves the partition.
async fn announce(mut writer: Box<dyn Writer>) -> Box<dyn Writer> {
    let announcing = move || {
        writer.announce("http://other").unwrap();
        writer
    };
    spawn_blocking(announcing).await.unwrap()
}

async fn until_it_is_not_the_owner(service: &Service) {
    let refused = async {
        while service.ask(register("late", "late")).await != Err(Failure::NotOwner) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, refused).await.unwrap();
}

async fn stop(service: Service, member: MemberHandle) {
    service.stop.send(()).unwrap();
    drop(member);
    service.running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_is_served_until_somebody_else_claims_it() {
    let directory = tempfile::tempdir().unwrap();
    let (service, member, counts) = given(directory.path()).await;
    accepted(service.ask(register("c1", "alice")).await);
    assert_eq!(codes(service.ask(register("c2", "alice")).await), [Code::NameTaken]);
    assert_eq!(counts.reclaims.load(Ordering::Relaxed), 0, "nobody else can have written");

    take_away(&member).await;
    accepted(service.ask(register("c3", "bob")).await);
    assert_eq!(codes(service.ask(register("c4", "alice")).await), [Code::NameTaken]);
    assert_eq!(
        counts.reclaims.load(Ordering::Relaxed),
        1,
        "only a commit shows that nobody else has written"
    );

    let writer = claim(&service).await;
    match service.ask(register("c5", "carol")).await {
        // The next owner knows.
        Err(Failure::UnknownOutcome | Failure::NotOwner) => {}
        answer => panic!("{answer:?}"),
    }
    assert!(service.door.is_serving(), "what was taken away does not count");
    drop(announce(writer).await);
    until_it_is_not_the_owner(&service).await;
    assert_eq!(service.events().await.len(), 2);
    stop(service, member).await;
    assert_eq!(counts.claims.load(Ordering::Relaxed), 2, "it has claimed once, and the other one once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_back_is_claimed_again() {
    let directory = tempfile::tempdir().unwrap();
    let (service, member, _) = given(directory.path()).await;
    accepted(service.ask(register("c1", "alice")).await);
    let mut owners = service.log.owners();
    let before = owners.borrow_and_update()[&0].epoch;
    take_away(&member).await;
    member.assignments.send(Assignment::Given(vec![0])).await.unwrap();
    let again = owners.wait_for(|owners| owners[&0].epoch > before);
    timeout(PATIENCE, again).await.unwrap().unwrap();
    assert_eq!(codes(service.ask(register("c2", "alice")).await), [Code::NameTaken]);
    stop(service, member).await;
}

/// A service that has left the group and still has the partition, the sign that other members exist, and the deadline for
/// its end.
async fn left(directory: &Path) -> (Service, LeftMember, Instant) {
    let (mut service, mut member, _) = given(directory).await;
    let soon = Instant::now() + SOON;
    let (stop, _) = oneshot::channel();
    std::mem::replace(&mut service.stop, stop).send(()).unwrap();
    member.leaving().await;
    take_away(&member).await;
    let others = member.leave();
    accepted(service.ask(register("c1", "alice")).await);
    (service, others, soon)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_left_ends_when_nobody_is_there_who_could_claim() {
    let directory = tempfile::tempdir().unwrap();
    let (service, others, soon) = left(directory.path()).await;
    drop(others);
    timeout_at(soon, service.running).await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_left_ends_when_others_serve_what_it_had() {
    let directory = tempfile::tempdir().unwrap();
    let (service, others, soon) = left(directory.path()).await;
    let writer = announce(claim(&service).await).await;
    timeout_at(soon, service.running).await.unwrap().unwrap().unwrap();
    drop((others, writer));
}
