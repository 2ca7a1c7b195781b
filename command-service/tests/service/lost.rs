//! Owners lost inside a call of the log, because it never returns or because it panics, are replaced.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use domain::command::Failure;
use event_log::sqlite::SqliteLog;
use event_log::testing::{LogOverrides, Wrapped, WriterOverrides};
use event_log::{AppendError, Batch, ClaimError, EventLog, Membership, Replay, Writer};
use log_model::Position;

use crate::{Service, accepted, register};

const IMPATIENT: &[&str] = &["--command-patience", "1"];

/// What an append does instead of writing.
pub(crate) enum Mishap {
    /// Blocks until the sender is dropped, then writes.
    Hang(Receiver<()>),
    /// Panics once the sender is dropped.
    Panic(Receiver<()>),
    /// Once the sender is dropped, writes nothing and reports an unknown outcome.
    Lose(Receiver<()>),
    /// Once the sender is dropped, writes nothing and reports an abort.
    Abort(Receiver<()>),
}

/// The mishaps of the next appends, in order.
pub(crate) type Mishaps = Arc<Mutex<VecDeque<Mishap>>>;

/// A real log. A test can make its appends fail and control its assignments.
pub(crate) struct Unlucky {
    log: Arc<SqliteLog>,
    next: Mishaps,
    /// The membership of the first member. Further members get the log's own.
    membership: Mutex<Option<Membership>>,
    pub(crate) counts: Arc<Counts>,
}

/// Number of calls of the log.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) claims: AtomicU32,
    /// Claims committed by a writer that owns the partition already.
    pub(crate) reclaims: AtomicU32,
}

struct UnluckyWriter {
    writer: Box<dyn Writer>,
    next: Mishaps,
    counts: Arc<Counts>,
}

impl Unlucky {
    pub(crate) async fn open(directory: &Path, membership: Option<Membership>) -> Wrapped<Self> {
        Wrapped(Self {
            log: SqliteLog::open(directory).await.unwrap(),
            next: Mishaps::default(),
            membership: Mutex::new(membership),
            counts: Arc::default(),
        })
    }
}

impl LogOverrides for Unlucky {
    fn inner(&self) -> &dyn EventLog {
        &*self.log
    }

    fn claim(&self, partition: u32, replay: &mut dyn Replay) -> Result<Box<dyn Writer>, ClaimError> {
        self.counts.claims.fetch_add(1, Ordering::Relaxed);
        let writer = self.log.claim(partition, replay)?;
        let (next, counts) = (self.next.clone(), self.counts.clone());
        Ok(Box::new(Wrapped(UnluckyWriter { writer, next, counts })))
    }

    fn join(&self) -> Membership {
        self.membership.lock().unwrap().take().unwrap_or_else(|| self.log.join())
    }
}

impl WriterOverrides for UnluckyWriter {
    fn inner(&self) -> &dyn Writer {
        &*self.writer
    }

    fn inner_mut(&mut self) -> &mut dyn Writer {
        &mut *self.writer
    }

    fn append(&mut self, batch: Batch) -> Result<Position, AppendError> {
        let mishap = self.next.lock().unwrap().pop_front();
        match mishap {
            Some(Mishap::Hang(until)) => drop(until.recv()),
            Some(Mishap::Panic(until)) => {
                until.recv().expect_err("the sender only goes");
                panic!("a mishap that the test has ordered")
            }
            Some(Mishap::Lose(until)) => {
                until.recv().expect_err("the sender only goes");
                return Err(AppendError::Unknown("a mishap that the test has ordered".to_owned()));
            }
            Some(Mishap::Abort(until)) => {
                until.recv().expect_err("the sender only goes");
                return Err(AppendError::Aborted("a mishap that the test has ordered".to_owned()));
            }
            None => {}
        }
        self.writer.append(batch)
    }

    fn reclaim(&mut self) -> Result<Position, AppendError> {
        self.counts.reclaims.fetch_add(1, Ordering::Relaxed);
        self.writer.reclaim()
    }
}

pub(crate) async fn start(directory: &Path, settings: &[&str]) -> (Service, Mishaps) {
    let log = Unlucky::open(directory, None).await;
    let next = log.next.clone();
    (Service::start_on(Arc::new(log), None, settings).await, next)
}

/// Sends a command under the same id until there is an answer, as callers should.
async fn ask_until_answered(service: &Service, id: &str, name: &str) -> (u64, Position, bool) {
    let mut owners = service.log.owners();
    loop {
        match service.ask(register(id, name)).await {
            // The next owner announces itself.
            Err(_) => owners.changed().await.unwrap(),
            answer => return accepted(answer),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_hangs_is_replaced_and_what_it_held_is_written_once() {
    let directory = tempfile::tempdir().unwrap();
    let (service, next) = start(directory.path(), IMPATIENT).await;
    accepted(service.ask(register("c1", "alice")).await);
    let before = service.log.owners().borrow()[&0].epoch;
    let (release, held): (Sender<()>, _) = channel();
    next.lock().unwrap().push_back(Mishap::Hang(held));
    let stuck = tokio::spawn({
        let door = service.door.clone();
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        async move { door.submit(register("c2", "bob"), deadline).await }
    });
    service.log.owners().wait_for(|owners| owners[&0].epoch > before).await.unwrap();
    assert!(!stuck.is_finished(), "the call is still held");
    let (version, _, repeated) = ask_until_answered(&service, "c2", "bob").await;
    assert_eq!((version, repeated), (1, false));
    // The old owner goes on, is fenced, and has no callers left.
    drop(release);
    stuck.await.unwrap().unwrap_err();
    assert_eq!(service.events().await.len(), 2);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_panics_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let (service, next) = start(directory.path(), IMPATIENT).await;
    next.lock().unwrap().push_back(Mishap::Panic(channel().1));
    service.ask(register("c1", "alice")).await.unwrap_err();
    let (version, _, repeated) = ask_until_answered(&service, "c1", "alice").await;
    assert_eq!((version, repeated), (1, false));
    assert_eq!(service.events().await.len(), 1);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_caller_has_given_up_is_not_decided_anew() {
    let directory = tempfile::tempdir().unwrap();
    let (service, next) = start(directory.path(), IMPATIENT).await;
    let before = service.log.owners().borrow()[&0].epoch;
    let (release, held): (Sender<()>, _) = channel();
    next.lock().unwrap().push_back(Mishap::Lose(held));
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_millis(500);
    let answer = service.door.submit(register("c1", "alice"), deadline).await;
    assert_eq!(answer, Err(Failure::UnknownOutcome));
    drop(release);
    service.log.owners().wait_for(|owners| owners[&0].epoch > before).await.unwrap();
    let (_, _, repeated) = ask_until_answered(&service, "c2", "bob").await;
    assert!(!repeated);
    // Another owner may have refused the command meanwhile, so this one must not write it.
    assert_eq!(service.events().await.len(), 1);
    service.stop().await;
}
