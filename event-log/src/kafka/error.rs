//! What can go wrong with Kafka, classed by what the caller does next.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::{AppendError, ClaimError};

/// Why the log can't be opened or its topics can't be created.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The settings are not valid for a client.
    #[error("the Kafka client can't be made")]
    Client(#[source] KafkaError),
    /// No broker answers.
    #[error("Kafka at {brokers} doesn't answer")]
    Unreachable {
        /// The brokers that were asked.
        brokers: String,
        /// The client's error.
        source: KafkaError,
    },
    /// A topic exists with another number of partitions.
    #[error("topic {topic} has {found} partitions and must have {wanted}")]
    Partitions {
        /// The topic.
        topic: String,
        /// The number of partitions that it has.
        found: u32,
        /// The number of partitions that it must have.
        wanted: u32,
    },
    /// A topic exists with another setting.
    #[error("topic {topic} has {setting}={found} and must have {setting}={wanted}")]
    Setting {
        /// The topic.
        topic: String,
        /// The setting.
        setting: &'static str,
        /// The value that it has.
        found: String,
        /// The value that it must have.
        wanted: String,
    },
    /// The broker refuses to create a topic.
    #[error("topic {topic} can't be made")]
    Refused {
        /// The topic.
        topic: String,
        /// The broker's reason.
        source: KafkaError,
    },
}

/// Why a call of the transactional producer failed.
#[derive(Debug)]
pub(super) enum TransactionError {
    /// Another producer uses the transactional id.
    Fenced,
    /// The producer is of no further use.
    Fatal(String),
    /// The transaction must be aborted; the producer may go on.
    Abortable(String),
    /// The same call may be repeated.
    Retriable(String),
}

impl TransactionError {
    /// Classes an error of init, begin, commit or abort. A fatal error may claim to be retriable too, so that
    /// is tested last.
    pub(super) fn of(error: &KafkaError) -> Self {
        let reason = error.to_string();
        let KafkaError::Transaction(transaction) = error else {
            return Self::of_code(error.rdkafka_error_code(), reason);
        };
        if is_fenced(transaction.code()) {
            Self::Fenced
        } else if transaction.code() == RDKafkaErrorCode::ConcurrentTransactions {
            // The coordinator is still settling an earlier producer's transaction. librdkafka sometimes calls
            // this fatal.
            Self::Retriable(reason)
        } else if transaction.is_fatal() {
            Self::Fatal(reason)
        } else if transaction.txn_requires_abort() {
            Self::Abortable(reason)
        } else if transaction.is_retriable() {
            Self::Retriable(reason)
        } else {
            Self::Fatal(reason)
        }
    }

    /// Classes an error that stopped the whole client.
    pub(super) fn of_code(code: Option<RDKafkaErrorCode>, reason: String) -> Self {
        if code.is_some_and(is_fenced) { Self::Fenced } else { Self::Fatal(reason) }
    }
}

/// A question that a broker doesn't answer may be repeated.
#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped by")]
pub(super) fn unavailable(error: KafkaError) -> ClaimError {
    ClaimError::Unavailable(error.to_string())
}

/// A transaction that isn't certainly aborted has an unknown outcome.
impl From<TransactionError> for AppendError {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Fenced => Self::Fenced,
            TransactionError::Fatal(reason)
            | TransactionError::Abortable(reason)
            | TransactionError::Retriable(reason) => Self::Unknown(reason),
        }
    }
}

fn is_fenced(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{Fenced, InvalidProducerEpoch, ProducerFenced};
    matches!(code, Fenced | ProducerFenced | InvalidProducerEpoch)
}
