//! A partition that is taken away is served by its owner until somebody else has claimed it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::command::Failure;
use domain::refusal::Code;
use event_log::{Assignment, Handover, Membership, Seat, Writer, every_record};
use tokio::task::spawn_blocking;

use crate::lost::Unlucky;
use crate::{Service, accepted, codes, register};

const PATIENCE: Duration = Duration::from_secs(20);

/// A service that has been given the partition, its seat, and how often it had to commit to know that it still owns.
async fn given(directory: &Path) -> (Service, Seat, Arc<AtomicU32>) {
    let (seat, membership) = Membership::channel();
    seat.assignments.send(Assignment::Given(vec![0])).await.unwrap();
    let log = Unlucky::open(directory, Some(membership)).await;
    let reclaims = log.reclaims.clone();
    (Service::start_on(Arc::new(log), None, &[]).await, seat, reclaims)
}

/// Takes the partition away, and waits until others may be told.
async fn take_away(seat: &Seat) {
    let (handover, handed_over) = Handover::new();
    seat.assignments.send(Assignment::Taken(vec![0], handover)).await.unwrap();
    assert!(spawn_blocking(move || handed_over.wait(PATIENCE)).await.unwrap());
}

/// Somebody else claims the partition.
async fn claim(service: &Service) -> Box<dyn Writer> {
    let log = service.log.clone();
    spawn_blocking(move || log.claim(0, &mut every_record(|_| Ok(()))).unwrap()).await.unwrap()
}

/// Somebody else says that it serves the partition.
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
    tokio::time::timeout(PATIENCE, refused).await.unwrap();
}

async fn stop(service: Service, seat: Seat) {
    service.stop.send(()).unwrap();
    drop(seat);
    service.running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_is_served_until_somebody_else_claims_it() {
    let directory = tempfile::tempdir().unwrap();
    let (service, seat, reclaims) = given(directory.path()).await;
    accepted(service.ask(register("c1", "alice")).await);
    assert_eq!(codes(service.ask(register("c2", "alice")).await), [Code::NameTaken]);
    assert_eq!(reclaims.load(Ordering::Relaxed), 0, "nobody else can have written");

    take_away(&seat).await;
    accepted(service.ask(register("c3", "bob")).await);
    assert_eq!(codes(service.ask(register("c4", "alice")).await), [Code::NameTaken]);
    assert_eq!(reclaims.load(Ordering::Relaxed), 1, "only a commit shows that nobody else has written");

    let writer = claim(&service).await;
    match service.ask(register("c5", "carol")).await {
        // The next owner tells.
        Err(Failure::UnknownOutcome | Failure::NotOwner) => {}
        answer => panic!("{answer:?}"),
    }
    let mut writer = announce(writer).await;
    until_it_is_not_the_owner(&service).await;
    assert_eq!(service.events().await.len(), 2);
    spawn_blocking(move || writer.confirm().unwrap()).await.unwrap();
    stop(service, seat).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_back_is_claimed_again() {
    let directory = tempfile::tempdir().unwrap();
    let (service, seat, _) = given(directory.path()).await;
    accepted(service.ask(register("c1", "alice")).await);
    let mut owners = service.log.owners();
    let before = owners.borrow_and_update()[&0].epoch;
    take_away(&seat).await;
    seat.assignments.send(Assignment::Given(vec![0])).await.unwrap();
    let again = owners.wait_for(|owners| owners[&0].epoch > before);
    tokio::time::timeout(PATIENCE, again).await.unwrap().unwrap();
    assert_eq!(codes(service.ask(register("c2", "alice")).await), [Code::NameTaken]);
    stop(service, seat).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_left_serves_until_nobody_is_there_who_could_claim() {
    let directory = tempfile::tempdir().unwrap();
    let (service, mut seat, _) = given(directory.path()).await;
    service.stop.send(()).unwrap();
    seat.given_up().await;
    take_away(&seat).await;
    let others = seat.vacate();
    let submit = |id, name| service.door.submit(register(id, name), tokio::time::Instant::now() + PATIENCE);
    accepted(submit("c1", "alice").await);
    drop(others);
    tokio::time::timeout(PATIENCE, service.running).await.unwrap().unwrap().unwrap();
    assert_eq!(
        service.door.submit(register("c2", "bob"), tokio::time::Instant::now() + PATIENCE).await,
        Err(Failure::NotOwner)
    );
}
