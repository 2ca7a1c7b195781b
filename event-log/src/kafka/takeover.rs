//! Taking over a partition: read what is there, fence, commit a claim record, read up to it.
//!
//! `docs/adr/0001-one-writer-per-partition.md` and `docs/adr/0006-hash-chain-and-claim-records.md` explain
//! the decisions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log_model::{Stream, StreamPartition};

use super::client::QuietConsumer;
use super::committed_reader::CommittedReader;
use super::ends;
use super::error::{TransactionError, unavailable};
use super::producer::{Outgoing, TransactionalProducer};
use super::settings::{Acknowledge, KafkaSettings};
use super::snapshots::Snapshots;
use super::writer::KafkaWriter;
use crate::chain::Chains;
use crate::claim_record;
use crate::error::{AppendError, ClaimError};
use crate::replay::Replay;
use crate::snapshot::{SnapshotPoint, first_after};

/// How long fencing the previous writer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the brokers may take to report where a partition ends.
const ANSWER: Duration = Duration::from_secs(5);
/// Timeout of the first `init_transactions`. librdkafka waits half a second before it retries by itself, so
/// starting over with a new producer is faster. Each timeout is 1.5 times the one before, up to `LAST_TRY`.
const FIRST_TRY: Duration = Duration::from_millis(60);
const LAST_TRY: Duration = Duration::from_secs(5);

/// Claims a partition. It reads what is there before it fences, because the present owner serves until then.
pub(super) fn take_over(
    settings: &Arc<KafkaSettings>,
    metadata: &QuietConsumer,
    snapshots: &Arc<Snapshots>,
    partition: u32,
    replay: &mut dyn Replay,
) -> Result<KafkaWriter, ClaimError> {
    let begun = Instant::now();
    let groups = (partition == 0).then_some(StreamPartition::new(Stream::GroupEvents, 0));
    let streams =
        [Stream::Reservations, Stream::UserEvents].map(|stream| StreamPartition::new(stream, partition));
    // The user events come last: the offset of their claim record is the epoch.
    let places: Vec<_> = groups.into_iter().chain(streams).collect();
    // A claim doesn't replay the credentials, so they are read from their end.
    let credentials = StreamPartition::new(Stream::Credentials, partition);
    let restored = snapshots.restore(partition, replay);
    let restored_after = begun.elapsed();
    let all = places.iter().copied().chain([credentials]);
    let mut ends = ends::query(metadata, settings, all, ANSWER).map_err(unavailable)?;
    if ends.len() != places.len() + 1 {
        return Err(ClaimError::Unavailable("not every place is said to end anywhere".to_owned()));
    }
    let written: Vec<_> = ends.extract_if(.., |(place, _)| *place == credentials).collect();
    let from = places.iter().map(|place| (*place, first_after(restored, *place))).chain(written);
    let mut reader = CommittedReader::read_from(settings, from).map_err(unavailable)?;
    let users = restored.map(|anchor| anchor.chain).unwrap_or_default();
    let chains = Chains { users, ..Chains::default() };
    let chains = reader.replay_what_is_there(&ends, chains, replay)?;
    let read = begun.elapsed();

    let mut transactions = fence(settings, partition, replay)?;
    let fenced = begun.elapsed();
    let records: Vec<_> =
        places.iter().map(|place| (settings.topic(place.stream), claim_record::fresh())).collect();
    let outgoing: Vec<_> = records
        .iter()
        .zip(&places)
        .map(|((topic, record), place)| Outgoing { topic, partition: place.partition, record })
        .collect();
    let offsets = transactions.commit(&outgoing).map_err(|error| match error {
        AppendError::Fenced => ClaimError::Fenced,
        AppendError::Aborted(reason) | AppendError::Unknown(reason) => ClaimError::Unavailable(reason),
    })?;
    let committed = begun.elapsed();
    let epoch = *offsets.last().expect("user events are claimed always");
    let claims: Vec<_> = places.into_iter().zip(offsets).collect();
    let chains = reader.replay_up_to(&claims, chains, replay)?;
    tracing::debug!(
        kafka.partition = partition,
        restored = ?restored_after,
        ?read,
        ?fenced,
        ?committed,
        replayed = ?begun.elapsed(),
        "claimed; times since the beginning"
    );
    let of_addresses = claims.iter().find(|(place, _)| place.stream == Stream::Reservations);
    let reached = SnapshotPoint::claimed(of_addresses.map_or(0, |(_, claim)| claim + 1));
    let read_back = match settings.acknowledge {
        Acknowledge::Committed => None,
        Acknowledge::ReadBack => Some(reader),
    };
    Ok(KafkaWriter {
        settings: Arc::clone(settings),
        snapshots: Arc::clone(snapshots),
        partition,
        epoch,
        transactions,
        chains,
        reached,
        read_back,
    })
}

fn fence(
    settings: &KafkaSettings,
    partition: u32,
    replay: &mut dyn Replay,
) -> Result<TransactionalProducer, ClaimError> {
    let deadline = Instant::now() + PATIENCE;
    let mut timeout = FIRST_TRY;
    loop {
        // A claim that is no longer wanted would only fence the rightful owner.
        replay.on_progress().map_err(ClaimError::Unavailable)?;
        match TransactionalProducer::init(settings, partition, timeout) {
            Ok(transactions) => return Ok(transactions),
            Err(TransactionError::Fenced) => return Err(ClaimError::Fenced),
            Err(TransactionError::Retriable(reason)) if Instant::now() < deadline => {
                tracing::debug!(kafka.partition = partition, ?timeout, reason, "not the one writer yet");
                timeout = (timeout * 3 / 2).min(LAST_TRY);
            }
            Err(
                TransactionError::Fatal(reason)
                | TransactionError::Abortable(reason)
                | TransactionError::Retriable(reason),
            ) => {
                return Err(ClaimError::Unavailable(reason));
            }
        }
    }
}
