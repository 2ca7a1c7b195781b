//! What can go wrong with Kafka, classed by what the caller does next.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::{AppendError, ClaimError};

/// Why the log can't be opened, or its topics can't be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The settings don't make a client.
    #[error("the Kafka client can't be made")]
    Client(#[source] KafkaError),
    /// No broker answers.
    #[error("Kafka at {brokers} doesn't answer")]
    Unreachable {
        /// Where it was looked for.
        brokers: String,
        /// What the client says.
        source: KafkaError,
    },
    /// A topic was made with another number of partitions.
    #[error("topic {topic} has {found} partitions and must have {wanted}")]
    Partitions {
        /// Which.
        topic: String,
        /// How many it has.
        found: u32,
        /// How many it must have.
        wanted: u32,
    },
    /// A topic was made with another setting.
    #[error("topic {topic} has {setting}={found} and must have {setting}={wanted}")]
    Setting {
        /// Which topic.
        topic: String,
        /// Which setting.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: String,
    },
    /// The broker refuses to make a topic.
    #[error("topic {topic} can't be made")]
    Refused {
        /// Which.
        topic: String,
        /// Why.
        source: KafkaError,
    },
}

/// What is wrong with a transaction.
#[derive(Debug)]
pub(super) enum TransactionError {
    /// Another producer has the transactional id.
    Fenced,
    /// The producer is of no more use.
    Fatal(String),
    /// The transaction must be aborted; the producer may go on.
    Abortable(String),
    /// The same call may succeed.
    Retriable(String),
}

impl TransactionError {
    /// The class of an error of init, begin, commit or abort. Fatal is tested first: such an error may claim to be
    /// retriable too.
    pub(super) fn of(error: &KafkaError) -> Self {
        let reason = error.to_string();
        let KafkaError::Transaction(transaction) = error else {
            return Self::of_code(error.rdkafka_error_code(), reason);
        };
        if is_fenced(transaction.code()) {
            Self::Fenced
        } else if transaction.code() == RDKafkaErrorCode::ConcurrentTransactions {
            // The coordinator still settles what an earlier producer left; librdkafka calls this fatal at times.
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

    /// The class of what made the whole client stop.
    pub(super) fn of_code(code: Option<RDKafkaErrorCode>, reason: String) -> Self {
        if code.is_some_and(is_fenced) { Self::Fenced } else { Self::Fatal(reason) }
    }
}

/// What a broker does not answer may be asked again.
#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped by")]
pub(super) fn unavailable(error: KafkaError) -> ClaimError {
    ClaimError::Unavailable(error.to_string())
}

/// What a transaction that can't be aborted for certain means to whoever appends.
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
