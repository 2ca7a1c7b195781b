//! The consumer group that shares the partitions among command services. It only assigns; nothing is read through it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use domain::position::Stream;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionList;
use tokio::sync::mpsc;

use super::settings::KafkaSettings;
use super::{Asker, Stop};
use crate::membership::{Assignment, Handover, Membership, Seat};

/// How long one look for news takes; a member that wants to leave waits for it.
const POLL: Duration = Duration::from_millis(20);
/// How often it is looked whether a client has a place in the group.
const LOOK: Duration = Duration::from_millis(500);
/// How long whoever gave up a partition may take to end what it writes. Afterwards the next owner's claim fences it.
const HANDOVER: Duration = Duration::from_secs(5);
/// For how long a process may be without a place in the group. A client whose session ran out while the brokers were away
/// has been seen to wait for ever to join again; a new one then takes its place.
const OUTSIDE: Duration = Duration::from_secs(20);
/// How long the brokers may take to say that they are there.
const ANSWER: Duration = Duration::from_secs(2);
/// Pause before the group is joined again after the client has stopped for good.
const AGAIN: Duration = Duration::from_secs(1);

/// Joins, and leaves when the member wants to or the log is closed. One thread attends with a client, another looks after
/// it: what a client that is stuck would have to be asked for is asked of `asker`.
pub(super) fn join(settings: Arc<KafkaSettings>, asker: Arc<Asker>, stop: Stop) -> Membership {
    let (seat, membership) = Membership::channel();
    let seat = Arc::new(seat);
    thread::spawn(move || {
        while !(stop.is_told() || seat.is_given_up()) {
            let outside = Outside::default();
            let (end, ended) = sync_channel(1);
            {
                let (settings, seat, stop) = (Arc::clone(&settings), Arc::clone(&seat), stop.clone());
                let outside = outside.clone();
                // Nobody is left to tell once it was given up.
                thread::spawn(move || end.send(attend(&settings, &seat, &stop, &outside)).ok());
            }
            if let Err(failed) = look_after(&ended, &outside, || answers(&asker, &settings)) {
                tracing::warn!(error = %failed, "joining the group of command services again");
                thread::sleep(AGAIN);
            }
        }
    });
    membership
}

/// Why a client takes part no longer although it should.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the client stopped: {0}")]
    Stopped(KafkaError),
    #[error("attending it panicked")]
    Panicked,
    #[error("it does not take this process in")]
    Outside,
}

/// Waits until a client has ended, or has had no place in the group for too long while the brokers answer. It is left to
/// itself then: its end may take as long as its joining.
fn look_after(
    ended: &Receiver<KafkaResult<()>>,
    outside: &Outside,
    do_answer: impl Fn() -> bool,
) -> Result<(), Failed> {
    loop {
        match ended.recv_timeout(LOOK) {
            Ok(end) => return end.map_err(Failed::Stopped),
            Err(RecvTimeoutError::Disconnected) => return Err(Failed::Panicked),
            Err(RecvTimeoutError::Timeout) if outside.lasts() <= OUTSIDE => {}
            Err(RecvTimeoutError::Timeout) if do_answer() => {
                outside.retire();
                return Err(Failed::Outside);
            }
            // While the brokers are away there is no group to join.
            Err(RecvTimeoutError::Timeout) => outside.begins(),
        }
    }
}

fn answers(asker: &Asker, settings: &KafkaSettings) -> bool {
    let answer = asker.fetch_metadata(Some(&settings.topic(Stream::UserEvents)), ANSWER);
    if let Err(error) = &answer {
        tracing::info!(%error, "there is no place in the group of command services, and no broker answers");
    }
    answer.is_ok()
}

/// Takes part until it is over. The end of the consumer hands over whatever is held.
fn attend(settings: &KafkaSettings, seat: &Seat, stop: &Stop, outside: &Outside) -> KafkaResult<()> {
    let member = Member { assignments: seat.assignments.clone(), outside: outside.clone() };
    let consumer: BaseConsumer<Member> = settings.member().create_with_context(member)?;
    consumer.subscribe(&[&settings.topic(Stream::UserEvents)])?;
    while !(stop.is_told() || seat.is_given_up() || outside.is_retired()) {
        match consumer.poll(POLL) {
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error),
            Some(Err(error)) => tracing::debug!(%error, "the group of command services reports an error"),
            // A record that was fetched before the partition was paused.
            Some(Ok(_)) | None => {}
        }
    }
    Ok(())
}

/// Passes on what the group decides. Its methods run on the thread that polls.
struct Member {
    assignments: mpsc::Sender<Assignment>,
    outside: Outside,
}

/// Since when a client has no place in the group; `None` while it has one, be it with no partition.
#[derive(Clone)]
struct Outside(Arc<Mutex<Place>>);

struct Place {
    without: Option<Instant>,
    /// Nobody listens to this client any more.
    retired: bool,
}

impl Default for Outside {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Place { without: Some(Instant::now()), retired: false })))
    }
}

impl Outside {
    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lasts(&self) -> Duration {
        self.place().without.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn begins(&self) {
        self.place().without = Some(Instant::now());
    }

    fn ends(&self) {
        self.place().without = None;
    }

    fn retire(&self) {
        self.place().retired = true;
    }

    fn is_retired(&self) -> bool {
        self.place().retired
    }
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        super::client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "the group of command services reports an error");
    }
}

impl ConsumerContext for Member {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(taken) = rebalance else { return };
        if self.outside.is_retired() {
            return;
        }
        self.outside.begins();
        let (handover, handed_over) = Handover::new();
        let taken = partitions(taken);
        tracing::info!(kafka.partitions = ?taken, "partitions are taken from this process");
        // Nobody to tell is nobody who writes.
        if self.assignments.blocking_send(Assignment::Taken(taken, handover)).is_ok()
            && !handed_over.wait(HANDOVER)
        {
            tracing::warn!("an owner is slow to end; the next one fences it");
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        // What is taken is given anew to somebody, and this process then hears what it has left, which may be nothing.
        let Rebalance::Assign(given) = rebalance else { return self.outside.begins() };
        if self.outside.is_retired() {
            return;
        }
        self.outside.ends();
        if let Err(error) = consumer.pause(given) {
            tracing::debug!(%error, "a partition of the group can't be paused; its records are passed over");
        }
        let given = partitions(given);
        tracing::info!(kafka.partitions = ?given, "partitions are given to this process");
        // A member that is gone is about to leave.
        self.assignments.blocking_send(Assignment::Given(given)).ok();
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<u32> {
    list.elements().iter().filter_map(|one| u32::try_from(one.partition()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn outside_for(duration: Duration) -> Outside {
        let outside = Outside::default();
        outside.place().without = Instant::now().checked_sub(duration);
        outside
    }

    #[test]
    fn a_client_that_is_left_outside_is_given_up() {
        let (_end, ended) = sync_channel(1);
        let outside = outside_for(OUTSIDE * 2);
        assert!(matches!(look_after(&ended, &outside, || true), Err(Failed::Outside)));
        assert!(outside.is_retired());
    }

    #[test]
    fn nobody_is_given_up_while_the_brokers_are_away() {
        let (end, ended) = sync_channel(1);
        let outside = outside_for(OUTSIDE * 2);
        let end = Cell::new(Some(end));
        let did_end = look_after(&ended, &outside, || {
            end.take().expect("it waits as long again before it asks again").send(Ok(())).unwrap();
            false
        });
        assert!(did_end.is_ok() && !outside.is_retired());
    }

    #[test]
    fn a_client_with_a_place_is_left_alone_until_it_ends() {
        let outside = outside_for(OUTSIDE * 2);
        outside.ends();
        let (end, ended) = sync_channel(1);
        end.send(Ok(())).unwrap();
        let never = || unreachable!("it has a place");
        assert!(look_after(&ended, &outside, never).is_ok());
        drop(end);
        assert!(matches!(look_after(&ended, &outside, never), Err(Failed::Panicked)));
    }
}
