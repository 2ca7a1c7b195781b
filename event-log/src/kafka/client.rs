//! What every Kafka file needs of a client: the consumer type, logging, dropping on a thread, and the signal
//! to close.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// A consumer that logs only what an operator needs.
pub(super) type QuietConsumer = BaseConsumer<QuietContext>;

/// Logs what the client reports. Reaching the end of a partition is no error.
#[derive(Debug, Default)]
pub(super) struct QuietContext;

impl ClientContext for QuietContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(RDKafkaErrorCode::PartitionEOF)) {
            tracing::debug!(%error, reason, "the Kafka client reports an error");
        }
    }
}

impl ConsumerContext for QuietContext {}

/// Logs a message of the client below the level it asks for. It reports being fenced, or losing a broker, as
/// an error or worse; the caller handles both and logs them itself.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    // Every partition that moves from one owner to the next fences a producer.
    let is_fenced = message.contains("_FENCED") || message.contains("fenced by a newer instance");
    match level {
        _ if is_fenced => tracing::debug!(facility, message, "the Kafka client"),
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(facility, message, "the Kafka client");
        }
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => {
            tracing::info!(facility, message, "the Kafka client");
        }
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
            tracing::debug!(facility, message, "the Kafka client");
        }
    }
}

/// A client that fetches no records and only asks the brokers for metadata.
pub(super) type MetadataClient = DropOnThread<QuietConsumer>;

/// Tells the threads of a log that it was closed.
#[derive(Clone, Default)]
pub(super) struct CloseSignal(Arc<AtomicBool>);

impl CloseSignal {
    pub(super) fn close(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Drops a client on a thread of its own, because closing one may take long.
pub(super) struct DropOnThread<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> DropOnThread<T> {
    pub(super) fn new(client: T) -> Self {
        Self(Some(client))
    }
}

impl<T: Send + 'static> Deref for DropOnThread<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is taken at the end only")
    }
}

impl<T: Send + 'static> Drop for DropOnThread<T> {
    fn drop(&mut self) {
        let client = self.0.take();
        thread::spawn(move || drop(client));
    }
}
