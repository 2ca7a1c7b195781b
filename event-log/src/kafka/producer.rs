//! The transactional producer of one partition: commits all of a batch or nothing, and reports how certain
//! the outcome is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use log_model::Stream;
use log_model::record::Record;
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer, ProducerContext};

use super::error::TransactionError;
use super::message::{headers, offset};
use super::settings::{Acknowledge, KafkaSettings, kafka_partition};
use crate::error::AppendError;

/// Pause between two looks at what is in flight. `poll` with a timeout busy-waits instead.
const PAUSE: Duration = Duration::from_micros(200);
/// Timeout of one call of commit or abort. The call is repeated while its error is retriable.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause between a commit and the next transaction. Without it the markers of the last one are still being
/// written, and librdkafka then backs off for 20 ms.
const GAP: Duration = Duration::from_millis(2);
/// The same pause after a transaction over several partitions.
const WIDE_GAP: Duration = Duration::from_micros(3_500);

/// A record to send, and where to.
pub(super) struct Outgoing<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: u32,
    pub(super) record: &'a Record,
}

/// A producer with a transactional id, and the time of its last commit.
pub(super) struct TransactionalProducer {
    producer: BaseProducer<DeliveryReports>,
    timeout: Duration,
    /// After this time without a commit, the broker may have forgotten the id and its fence.
    transactional_id_expiry: Duration,
    /// Pause after a commit to one partition.
    narrow_gap: Duration,
    last: Option<LastCommit>,
}

struct LastCommit {
    /// By the monotonic clock and by the wall clock, since only the latter runs while the machine sleeps.
    began: (Instant, SystemTime),
    gap_ends: Instant,
}

impl TransactionalProducer {
    /// Creates the producer of a partition and fences every earlier one, within `timeout`.
    pub(super) fn init(
        settings: &KafkaSettings,
        partition: u32,
        timeout: Duration,
    ) -> Result<Self, TransactionError> {
        let config = settings.producer(partition);
        let producer = BaseProducer::from_config_and_context(&config, DeliveryReports::default())
            .map_err(|error| TransactionError::Fatal(error.to_string()))?;
        // A producer without a connection waits half a second before it looks for its coordinator again.
        let topic = settings.topic(Stream::UserEvents);
        let connected = producer.client().fetch_metadata(Some(&topic), timeout);
        connected.map_err(|error| TransactionError::Retriable(error.to_string()))?;
        producer.init_transactions(timeout).map_err(|error| TransactionError::of(&error))?;
        let narrow_gap = match settings.acknowledge {
            Acknowledge::Committed => GAP,
            // Reading the records back has already waited for the markers.
            Acknowledge::ReadBack => Duration::ZERO,
        };
        let KafkaSettings { transaction_timeout: timeout, transactional_id_expiry, .. } = *settings;
        Ok(Self { producer, timeout, transactional_id_expiry, narrow_gap, last: None })
    }

    /// Commits all records or nothing, and returns the offset of each.
    pub(super) fn commit(&mut self, outgoing: &[Outgoing<'_>]) -> Result<Vec<u64>, AppendError> {
        // By now the broker may have forgotten the transactional id, and the fence with it. It would then accept
        // the write even if this is an outdated owner.
        if self.last.is_some() && self.is_older_than(self.transactional_id_expiry) {
            return Err(AppendError::Fenced);
        }
        thread::sleep(self.gap());
        match self.attempt(outgoing) {
            Ok(offsets) => Ok(offsets),
            // After a lost connection, brokers have been seen to write wrong markers. The next claim finds
            // out (`docs/adr/0002-kafka-4.2.1.md`).
            Err(TransactionError::Abortable(reason)) if !self.lost_connection() => Err(self.abort(reason)),
            Err(error) => Err(error.into()),
        }
    }

    /// How long the next commit waits before it starts.
    pub(super) fn gap(&self) -> Duration {
        let gap = self.last.as_ref().map(|last| last.gap_ends.saturating_duration_since(Instant::now()));
        gap.unwrap_or_default()
    }

    /// Whether the last commit started at least `lease` ago by either clock.
    pub(super) fn is_older_than(&self, lease: Duration) -> bool {
        self.last.as_ref().is_none_or(|last| {
            let (began, on_the_wall) = last.began;
            // A wall clock that was set back proves nothing.
            began.elapsed() >= lease || on_the_wall.elapsed().is_ok_and(|elapsed| elapsed >= lease)
        })
    }

    fn attempt(&mut self, outgoing: &[Outgoing<'_>]) -> Result<Vec<u64>, TransactionError> {
        self.reports().take();
        self.producer.begin_transaction().map_err(|error| TransactionError::of(&error))?;
        for (index, message) in outgoing.iter().enumerate() {
            self.send(index, message)?;
        }
        self.drain()?;
        let offsets = self.delivered(outgoing.len())?;
        let began = (Instant::now(), SystemTime::now());
        self.repeat(|| self.producer.commit_transaction(CALL_TIMEOUT))?;
        self.reports().connection_lost.store(false, Ordering::Relaxed);
        let first = &outgoing[0];
        let is_wide = outgoing.iter().any(|one| (one.topic, one.partition) != (first.topic, first.partition));
        let gap_ends = Instant::now() + if is_wide { WIDE_GAP } else { self.narrow_gap };
        self.last = Some(LastCommit { began, gap_ends });
        Ok(offsets)
    }

    fn send(&self, index: usize, message: &Outgoing<'_>) -> Result<(), TransactionError> {
        let mut record = BaseRecord::with_opaque_to(message.topic, index)
            .partition(kafka_partition(message.partition))
            .key(message.record.key.as_str())
            .headers(headers(message.record));
        if let Some(body) = &message.record.body {
            record = record.payload(body.as_slice());
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => {
                    record = refused;
                    self.drain()?;
                }
                Err((error, _)) => return Err(self.abortable(error.to_string())),
            }
        }
    }

    /// Waits until nothing is in flight, because an earlier commit stalls for 100 ms. Messages time out with
    /// their transaction.
    fn drain(&self) -> Result<(), TransactionError> {
        let deadline = Instant::now() + self.timeout + CALL_TIMEOUT;
        loop {
            self.producer.poll(Duration::ZERO);
            if self.producer.in_flight_count() == 0 {
                return Ok(());
            }
            if self.producer.client().fatal_error().is_some() || Instant::now() >= deadline {
                return Err(self.abortable("the broker did not take the records in time".to_owned()));
            }
            thread::sleep(PAUSE);
        }
    }

    fn delivered(&self, count: usize) -> Result<Vec<u64>, TransactionError> {
        let mut offsets = vec![None; count];
        for (index, delivery) in self.reports().take() {
            offsets[index] = Some(delivery.map_err(|reason| self.abortable(reason))?);
        }
        let all: Option<Vec<u64>> = offsets.into_iter().collect();
        all.ok_or_else(|| self.abortable("a record was not reported as delivered".to_owned()))
    }

    fn abort(&self, reason: String) -> AppendError {
        // An abort with records in flight waits for delivery reports that nobody would be polling for.
        let aborted =
            self.drain().and_then(|()| self.repeat(|| self.producer.abort_transaction(CALL_TIMEOUT)));
        match aborted {
            Ok(()) => AppendError::Aborted(reason),
            Err(error) => error.into(),
        }
    }

    /// Repeats a call until it succeeds or its error isn't retriable. It never starts another transaction.
    fn repeat(&self, call: impl Fn() -> KafkaResult<()>) -> Result<(), TransactionError> {
        let deadline = Instant::now() + self.timeout + CALL_TIMEOUT;
        loop {
            let Err(error) = call() else { return Ok(()) };
            match TransactionError::of(&error) {
                TransactionError::Retriable(_) if Instant::now() < deadline => {
                    self.producer.poll(Duration::ZERO);
                    thread::sleep(PAUSE);
                }
                error => return Err(error),
            }
        }
    }

    /// An abortable error, unless the client has failed for good.
    fn abortable(&self, reason: String) -> TransactionError {
        match self.producer.client().fatal_error() {
            Some((code, reason)) => TransactionError::of_code(Some(code), reason),
            None => TransactionError::Abortable(reason),
        }
    }

    fn lost_connection(&self) -> bool {
        self.reports().connection_lost.load(Ordering::Relaxed)
    }

    fn reports(&self) -> &Arc<DeliveryReports> {
        self.producer.context()
    }
}

/// What librdkafka reports while the producer is polled.
#[derive(Default)]
struct DeliveryReports {
    delivered: Mutex<Vec<(usize, Result<u64, String>)>>,
    /// Whether a connection was lost since the last commit.
    connection_lost: AtomicBool,
}

impl DeliveryReports {
    fn take(&self) -> Vec<(usize, Result<u64, String>)> {
        std::mem::take(&mut *self.delivered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for DeliveryReports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        super::client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "the Kafka producer reports an error");
        self.connection_lost.store(true, Ordering::Relaxed);
    }
}

impl ProducerContext<NoCustomPartitioner> for DeliveryReports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        let delivery = match result {
            Ok(message) => Ok(offset(message)),
            Err((error, _)) => Err(error.to_string()),
        };
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner).push((index, delivery));
    }
}
