//! What the Kafka client says of itself, at the level at which an operator wants to hear it.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// A consumer that says only what matters.
pub(super) type Reading = BaseConsumer<Calm>;

/// Passes on what the client logs. That the end of a partition was reached is no error.
#[derive(Debug, Default)]
pub(super) struct Calm;

impl ClientContext for Calm {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(RDKafkaErrorCode::PartitionEOF)) {
            tracing::debug!(%error, reason, "the Kafka client reports an error");
        }
    }
}

impl ConsumerContext for Calm {}

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
