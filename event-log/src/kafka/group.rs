//! The consumer group that assigns partitions to command services. Nothing is read through it.
//!
//! `docs/adr/0009-sharing-partitions.md` explains the decision.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use log_model::Stream;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionList;
use tokio::sync::mpsc;

use super::client::{CloseSignal, DropOnThread, QuietConsumer};
use super::settings::KafkaSettings;
use crate::membership::{Assignment, Handover, MemberHandle, Membership};

/// How long one poll of the group takes. A member that wants to leave waits for it.
const POLL: Duration = Duration::from_millis(20);
/// How often the client is woken with a question. By itself it attends to the group only once in half a
/// second to a second, and heartbeats and rebalances would be that late.
const WAKE: Duration = Duration::from_millis(100);
/// How long a member may take to hear that it loses a partition. Afterwards the next owner's claim fences it.
const HANDOVER: Duration = Duration::from_secs(5);
/// Pause before the group is joined again after a fatal error of the client.
const REJOIN_PAUSE: Duration = Duration::from_secs(1);
/// How often a member that has left checks whether others remain, since no broker says so by itself, and how
/// long the answer may take.
const EMPTINESS_CHECK: Duration = Duration::from_millis(100);
const EMPTINESS_TIMEOUT: Duration = Duration::from_secs(1);

/// Joins the group on a thread of its own. Leaves when the member wants to or when the log is closed.
///
/// Afterwards it checks through `metadata` whether others remain, until the member no longer asks.
pub(super) fn join(
    settings: Arc<KafkaSettings>,
    metadata: Arc<DropOnThread<QuietConsumer>>,
    close_signal: CloseSignal,
) -> Membership {
    let (member, membership) = Membership::channel();
    thread::spawn(move || {
        let is_over = || close_signal.is_closed() || member.is_leaving();
        while !is_over() {
            if let Err(error) = take_part(&settings, &member, is_over) {
                tracing::warn!(%error, "the group of command services can't be attended; joining again");
                thread::sleep(REJOIN_PAUSE);
            }
        }
        let left = member.leave();
        while !close_signal.is_closed() && !left.is_abandoned() && !is_empty(&metadata, &settings.group()) {
            thread::sleep(EMPTINESS_CHECK);
        }
    });
    membership
}

/// Whether the group is certainly empty. A group that no broker knows may be moving from one broker to
/// another.
fn is_empty(metadata: &QuietConsumer, group: &str) -> bool {
    match metadata.fetch_group_list(Some(group), EMPTINESS_TIMEOUT) {
        Ok(found) => found.groups().iter().any(|known| {
            known.name() == group && matches!(known.state(), "Empty" | "Dead") && known.members().is_empty()
        }),
        Err(error) => {
            tracing::debug!(%error, "who is in the group of command services can't be asked");
            false
        }
    }
}

/// Takes part in the group until `is_over`. Dropping the consumer hands over whatever is still held.
fn take_part(settings: &KafkaSettings, member: &MemberHandle, is_over: impl Fn() -> bool) -> KafkaResult<()> {
    let member = GroupContext { assignments: member.assignments.clone() };
    let consumer: BaseConsumer<GroupContext> = settings.member().create_with_context(member)?;
    consumer.subscribe(&[&settings.topic(Stream::UserEvents)])?;
    let mut woken = Instant::now();
    while !is_over() {
        if woken.elapsed() >= WAKE {
            woken = Instant::now();
            // The answer doesn't matter; the question wakes the client's own thread.
            consumer.rebalance_protocol();
        }
        match consumer.poll(POLL) {
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error),
            Some(Err(error)) => tracing::debug!(%error, "the group of command services reports an error"),
            // A record may have been fetched before the partition was paused.
            Some(Ok(_)) | None => {}
        }
    }
    Ok(())
}

/// Passes the group's decisions on to the member. Its methods run on the polling thread.
struct GroupContext {
    assignments: mpsc::Sender<Assignment>,
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        super::client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "the group of command services reports an error");
    }
}

impl ConsumerContext for GroupContext {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(taken) = rebalance else { return };
        let (handover, handed_over) = Handover::new();
        let taken = partitions(taken);
        tracing::info!(kafka.partitions = ?taken, "partitions are taken from this process");
        // A member that was dropped writes nothing.
        if self.assignments.blocking_send(Assignment::Taken(taken, handover)).is_ok()
            && !handed_over.wait(HANDOVER)
        {
            tracing::warn!(
                "owners are slow to hear that their partitions are taken away; the next ones fence them"
            );
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Assign(given) = rebalance else { return };
        if let Err(error) = consumer.pause(given) {
            tracing::debug!(%error, "a partition of the group can't be paused; its records are passed over");
        }
        let given = partitions(given);
        tracing::info!(kafka.partitions = ?given, "partitions are given to this process");
        // A member that was dropped is about to leave.
        self.assignments.blocking_send(Assignment::Given(given)).ok();
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<u32> {
    list.elements().iter().filter_map(|one| u32::try_from(one.partition()).ok()).collect()
}
