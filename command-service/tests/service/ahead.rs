//! While one batch is being written, the next one is decided on top of it and shares its fate.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;
use std::time::Duration;

use domain::command::{Answer, Failure};
use domain::refusal::Code;
use event_log::Recorded;
use log_model::{Position, Stream, StreamPartition};
use tokio::time::Instant;

use crate::barrier::barrier;
use crate::lost::{Mishap, Mishaps, start};
use crate::{Service, accepted, codes, of_alice, register, reject};

type Asked<'a> = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send + 'a>>;

/// Enough commands for a batch that is appended on the other thread.
const MANY: usize = 20;

/// Sends a command and leaves it waiting for its owner.
async fn asked<'a>(asked: impl Future<Output = Result<Answer, Failure>> + Send + 'a) -> Asked<'a> {
    let mut asked: Asked<'_> = Box::pin(asked);
    poll_fn(|context| {
        assert!(asked.as_mut().poll(context).is_pending(), "nothing is written yet");
        Poll::Ready(())
    })
    .await;
    asked
}

/// Waits until the owner takes commands, although it can't answer them yet. A caller that gives up learns that its
/// command was taken.
async fn until_some_are_taken(service: &Service) {
    let waits = Duration::from_millis(50);
    let taken = async {
        loop {
            let probe = of_alice("probe", None, reject("never"));
            match service.door.submit(probe, Instant::now() + waits).await {
                Err(Failure::UnknownOutcome) => return,
                other => assert!(matches!(other, Err(Failure::Unavailable { .. })), "{other:?}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), taken).await.unwrap();
}

/// Many registrations in one batch. Its appends meet with these mishaps once the returned sender is dropped.
async fn in_flight<'a>(
    service: &'a Service,
    next: &Mishaps,
    mishaps: impl FnOnce(Receiver<()>) -> Vec<Mishap>,
) -> (Vec<Asked<'a>>, Sender<()>) {
    let (before, held): (Sender<()>, _) = channel();
    next.lock().unwrap().push_back(Mishap::Hang(held));
    let first = asked(service.ask(register("first", "first"))).await;
    while !next.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let (release, held): (Sender<()>, _) = channel();
    let mishaps = mishaps(held);
    let left = mishaps.len() - 1;
    next.lock().unwrap().extend(mishaps);
    let mut registrations = vec![asked(service.ask(register("alice", "alice"))).await];
    for n in 1..MANY {
        registrations.push(asked(service.ask(register(&format!("r{n}"), &format!("user{n}")))).await);
    }
    // The first one is repeated.
    registrations.push(asked(service.ask(register("alice", "alice"))).await);
    drop(before);
    accepted(first.await);
    while next.lock().unwrap().len() > left {
        tokio::task::yield_now().await;
    }
    (registrations, release)
}

/// Runs many registrations in one append that meets with mishaps. The rejection of one of them is decided meanwhile.
/// Returns the answers and the events in the log.
async fn overtaken(
    mishaps: impl FnOnce(Receiver<()>) -> Vec<Mishap>,
) -> (Vec<Result<Answer, Failure>>, Result<Answer, Failure>, Vec<Recorded>) {
    let directory = tempfile::tempdir().unwrap();
    let (service, next) = start(directory.path(), &[]).await;
    let (registrations, release) = in_flight(&service, &next, mishaps).await;
    let rejection = asked(service.ask(of_alice("rejection", Some(1), reject("no")))).await;
    until_some_are_taken(&service).await;
    drop(release);
    let registrations = futures_util::future::join_all(registrations).await;
    let rejection = rejection.await;
    let mut events = service.events().await;
    events.remove(0);
    service.stop().await;
    (registrations, rejection, events)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_on_top_of_an_aborted_batch_is_decided_again_with_it() {
    let (registrations, rejection, events) = overtaken(|held| vec![Mishap::Abort(held)]).await;
    let answers: Vec<_> = registrations.into_iter().map(accepted).collect();
    assert!(answers.iter().all(|(version, ..)| *version == 1));
    assert_eq!(answers.iter().filter(|(.., repeated)| *repeated).count(), 1, "one was asked twice");
    let (version, _, repeated) = accepted(rejection);
    assert_eq!((version, repeated), (2, false));
    assert_eq!(events.len(), MANY + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_on_top_of_a_batch_that_is_lost_is_written_by_the_next_owner() {
    for mishap in [Mishap::Lose, Mishap::Panic] {
        let (registrations, rejection, events) = overtaken(|held| vec![mishap(held)]).await;
        for answer in registrations {
            assert_eq!(accepted(answer).0, 1);
        }
        assert_eq!(accepted(rejection).0, 2);
        assert_eq!(events.len(), MANY + 1, "each is there once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_holds_that_was_decided_on_top_of_a_batch_that_is_given_up() {
    let aborts = |held| {
        let (_, gone) = channel();
        let (_, gone_too) = channel();
        vec![Mishap::Abort(held), Mishap::Abort(gone), Mishap::Abort(gone_too)]
    };
    let (registrations, rejection, events) = overtaken(aborts).await;
    for answer in registrations {
        assert!(matches!(answer, Err(Failure::Unavailable { .. })), "{answer:?}");
    }
    match rejection {
        // It was decided again in the same batch.
        Err(Failure::Unavailable { .. }) => {}
        answer => assert_eq!(codes(answer), [Code::UnknownUser]),
    }
    assert!(events.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_barrier_waits_for_the_batch_in_flight_and_what_is_asked_after_it_waits_too() {
    let directory = tempfile::tempdir().unwrap();
    let (service, next) = start(directory.path(), &[]).await;
    let before = service.log.owners().borrow()[&0].epoch;
    let (registrations, release) = in_flight(&service, &next, |held| vec![Mishap::Hang(held)]).await;
    let until_it_is_taken = async {
        let soon = || Instant::now() + Duration::from_millis(50);
        while service.door.submit(barrier("b1", &Position::new()), soon()).await
            != Err(Failure::UnknownOutcome)
        {}
    };
    tokio::time::timeout(Duration::from_secs(20), until_it_is_taken).await.unwrap();
    let second = asked(service.ask(barrier("b2", &Position::new()))).await;
    let rejection = asked(service.ask(of_alice("rejection", Some(1), reject("no")))).await;
    drop(release);
    let mut written = Position::new();
    for registration in registrations {
        let (version, position, _) = accepted(registration.await);
        assert_eq!(version, 1);
        written = position;
    }
    let (_, passed, _) = accepted(second.await);
    let users = StreamPartition::new(Stream::UserEvents, 0);
    assert!(passed.covered(users) >= written.covered(users));
    assert_eq!(accepted(rejection.await).0, 2);
    assert_eq!(service.log.owners().borrow()[&0].epoch, before, "nobody had to take over");
    service.stop().await;
}
