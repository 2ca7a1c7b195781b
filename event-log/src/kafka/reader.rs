//! Following the log: one `read_committed` consumer on a thread of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use log_model::StreamPartition;
use log_model::record::Recorded;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::Offset;
use tokio::sync::mpsc;

use super::client::{CloseSignal, MetadataClient, QuietConsumer};
use super::ends;
use super::message::recorded;
use super::settings::KafkaSettings;
use super::stall_detector::StallDetector;
use crate::follow::{Follow, Read};

/// Most records per delivery.
const CHUNK: usize = 1_000;
/// Deliveries that may wait for the follower.
const WAITING: usize = 16;
/// How long a broker may hold a fetch while nothing is written.
const FETCH_WAIT: Duration = Duration::from_millis(100);
/// How long the thread polls before it checks whether it is still needed.
const POLL: Duration = Duration::from_millis(100);
/// How often the brokers are asked where the log ends.
const QUERY_INTERVAL: Duration = Duration::from_millis(500);
/// The least time between two such questions, however often an end is reached.
const MIN_QUERY_INTERVAL: Duration = Duration::from_millis(50);
/// How long an answer may take.
const QUERY_TIMEOUT: Duration = Duration::from_secs(1);

/// Follows stream partitions until the receiver is dropped or the log is closed.
pub(super) fn follow(
    settings: Arc<KafkaSettings>,
    metadata: Arc<MetadataClient>,
    close_signal: CloseSignal,
    from: Vec<(StreamPartition, u64)>,
) -> Follow {
    let (sender, follow) = Follow::channel(WAITING);
    thread::spawn(move || {
        let next = from.into_iter().collect();
        let mut follower = Follower {
            settings,
            metadata,
            close_signal,
            sender,
            next,
            unreached: BTreeMap::new(),
            stall_detector: StallDetector::default(),
        };
        while !follower.is_over() {
            if let Err(error) = follower.run()
                && follower.send(Read::Unreachable(error.to_string())).is_ok()
            {
                thread::sleep(QUERY_TIMEOUT);
            }
        }
    });
    follow
}

struct Follower {
    settings: Arc<KafkaSettings>,
    metadata: Arc<MetadataClient>,
    close_signal: CloseSignal,
    sender: mpsc::Sender<Read>,
    /// For each stream partition, the offset before which everything was delivered.
    next: BTreeMap<StreamPartition, u64>,
    /// Ends that the brokers reported and the reader hasn't reached yet.
    unreached: BTreeMap<StreamPartition, u64>,
    /// Tells when the client must be replaced.
    stall_detector: StallDetector,
}

/// The follower was dropped.
struct FollowEnded;

impl Follower {
    fn is_over(&self) -> bool {
        self.close_signal.is_closed() || self.sender.is_closed()
    }

    fn run(&mut self) -> KafkaResult<()> {
        let from: Vec<_> = self
            .next
            .iter()
            .map(|(place, next)| (self.settings.topic(place.stream), place.partition, *next))
            .collect();
        let consumer = self.settings.reader(FETCH_WAIT, &from)?;
        self.stall_detector = StallDetector::default();
        let mut asked: Option<Instant> = None;
        let mut query_at = Instant::now();
        while !self.is_over() {
            let wait = query_at.saturating_duration_since(Instant::now()).min(POLL);
            let (chunk, at_an_end) = self.poll_records(&consumer, wait)?;
            for (place, records) in chunk {
                if self.send(Read::Records(place, records)).is_err() {
                    return Ok(());
                }
            }
            if at_an_end {
                query_at = query_at.min(asked.map_or_else(Instant::now, |asked| asked + MIN_QUERY_INTERVAL));
            }
            if Instant::now() >= query_at {
                let answered = self.query_ends();
                asked = Some(Instant::now());
                query_at = Instant::now() + if answered { QUERY_INTERVAL } else { QUERY_TIMEOUT };
                if self.stall_detector.is_stalled(Instant::now()) {
                    tracing::warn!("nothing more comes from the log; another client goes on reading");
                    return Ok(());
                }
            }
            if self.report_ends(&consumer)?.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Polls for the first record, then takes what else is there. Also returns whether the end of a partition
    /// was reached.
    fn poll_records(
        &mut self,
        consumer: &QuietConsumer,
        wait: Duration,
    ) -> KafkaResult<(BTreeMap<StreamPartition, Vec<Recorded>>, bool)> {
        let mut chunk: BTreeMap<StreamPartition, Vec<Recorded>> = BTreeMap::new();
        let mut at_an_end = false;
        let mut wait = wait;
        for _ in 0..CHUNK {
            match consumer.poll(wait) {
                Some(Ok(message)) => {
                    if let Some(place) = self.settings.place(message.topic(), message.partition()) {
                        let recorded = recorded(place, &message);
                        // If the log is shorter than before, the client reads it from the start. Records that
                        // were not asked for are dropped.
                        if let Some(next) = self.next.get_mut(&place)
                            && recorded.offset >= *next
                        {
                            *next = recorded.offset + 1;
                            chunk.entry(place).or_default().push(recorded);
                        }
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) => at_an_end = true,
                // The records that were already taken go first; the consumer reports the error again.
                Some(Err(KafkaError::MessageConsumptionFatal(_))) if !chunk.is_empty() => break,
                Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error),
                // The client recovers by itself. The next question shows whether the log can be reached.
                Some(Err(error)) => tracing::debug!(%error, "the Kafka consumer reports an error"),
                None => break,
            }
            wait = Duration::ZERO;
        }
        Ok((chunk, at_an_end))
    }

    /// Asks the brokers where the log ends, and returns whether they answered.
    fn query_ends(&mut self) -> bool {
        match ends::query(&self.metadata, &self.settings, self.next.keys().copied(), QUERY_TIMEOUT) {
            Ok(ends) => {
                let now = Instant::now();
                for (place, end) in ends {
                    let next = self.next.get(&place).copied().unwrap_or_default();
                    self.stall_detector.observe(place, next, end, now);
                    self.unreached.insert(place, end);
                }
                true
            }
            Err(error) => {
                self.unreached.clear();
                // If the follower was dropped, the loop notices.
                self.send(Read::Unreachable(error.to_string())).ok();
                false
            }
        }
    }

    /// Reports each end that was reached. The consumer's position also moves past markers and aborted
    /// records.
    fn report_ends(&mut self, consumer: &QuietConsumer) -> KafkaResult<Result<(), FollowEnded>> {
        if self.unreached.is_empty() {
            return Ok(Ok(()));
        }
        for one in consumer.position()?.elements() {
            let Some(place) = self.settings.place(one.topic(), one.partition()) else { continue };
            let Some(next) = self.next.get_mut(&place) else { continue };
            if let Offset::Offset(position) = one.offset() {
                *next = (*next).max(u64::try_from(position).unwrap_or_default());
            }
            if self.unreached.get(&place).is_some_and(|end| *next >= *end)
                && let Some(end) = self.unreached.remove(&place)
                && self.send(Read::End(place, end)).is_err()
            {
                return Ok(Err(FollowEnded));
            }
        }
        Ok(Ok(()))
    }

    fn send(&self, read: Read) -> Result<(), FollowEnded> {
        self.sender.blocking_send(read).map_err(|_| FollowEnded)
    }
}
