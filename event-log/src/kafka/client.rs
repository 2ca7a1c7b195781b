//! What the Kafka client says of itself, at the level at which an operator wants to hear it.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// A consumer that says only what matters.
pub(super) type QuietConsumer = BaseConsumer<QuietContext>;

/// Passes on what the client logs. That the end of a partition was reached is no error.
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

/// The client calls it an error, or worse, when it is fenced or when a broker is away; its caller handles both and says so.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    // It is how every partition goes from one owner to the next.
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

/// A client that is only asked what the brokers know.
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

/// A client whose end, which may take long, never holds up whoever drops it.
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
