//! The writer of one partition: seals the hash chain, commits, confirms its ownership and announces itself.

use std::sync::Arc;
use std::time::Duration;

use log_model::record::Record;
use log_model::{Position, Stream, StreamPartition};

use super::committed_reader::CommittedReader;
use super::owners;
use super::producer::{Outgoing, TransactionalProducer};
use super::settings::KafkaSettings;
use super::snapshots::Snapshots;
use crate::chain::Chains;
use crate::error::AppendError;
use crate::owners::AnnouncedOwner;
use crate::port::{Batch, Writer};
use crate::snapshot::{PendingSnapshot, Snapshot, SnapshotPoint};
use crate::{claim_record, telemetry};

/// A commit takes some ten milliseconds, in which a thousand commands are decided.
const PIPELINING_THRESHOLD: usize = 256;

pub(super) struct KafkaWriter {
    pub(super) settings: Arc<KafkaSettings>,
    pub(super) snapshots: Arc<Snapshots>,
    pub(super) partition: u32,
    pub(super) epoch: u64,
    pub(super) transactions: TransactionalProducer,
    pub(super) chains: Chains,
    pub(super) reached: SnapshotPoint,
    /// `None` when an acknowledged commit counts without being read back.
    pub(super) read_back: Option<CommittedReader>,
}

impl KafkaWriter {
    fn place(&self, stream: Stream) -> StreamPartition {
        StreamPartition::new(stream, if stream == Stream::GroupEvents { 0 } else { self.partition })
    }

    fn commit(&mut self, mut batch: Batch) -> Result<Position, AppendError> {
        if batch.records.is_empty() {
            return Ok(Position::new());
        }
        // Kept only if the batch is committed.
        let mut chains = self.chains;
        chains.seal(&mut batch.records);
        let topics = Stream::ALL.map(|stream| self.settings.topic(stream));
        let outgoing: Vec<_> = batch
            .records
            .iter()
            .map(|(stream, record)| Outgoing {
                topic: &topics[*stream as usize],
                partition: self.place(*stream).partition,
                record,
            })
            .collect();
        let offsets = self.transactions.commit(&outgoing)?;
        self.chains = chains;
        let mut position = Position::new();
        for ((stream, _), offset) in batch.records.iter().zip(offsets) {
            position.cover(self.place(*stream), offset);
        }
        if let Some(read_back) = &mut self.read_back {
            read_back.wait_for(&position, self.settings.transaction_timeout)?;
        }
        let last = |stream| position.covered(self.place(stream));
        let (event, reservations) = (last(Stream::UserEvents), last(Stream::Reservations));
        self.reached.advance(event, self.chains.users, reservations);
        Ok(position)
    }
}

impl Writer for KafkaWriter {
    fn append(&mut self, batch: Batch) -> Result<Position, AppendError> {
        telemetry::measured(batch.records.len(), || self.commit(batch))
    }

    fn confirm(&mut self) -> Result<Position, AppendError> {
        if self.transactions.is_older_than(self.settings.lease) {
            self.reclaim()
        } else {
            Ok(Position::new())
        }
    }

    fn reclaim(&mut self) -> Result<Position, AppendError> {
        let streams: &[Stream] = if self.partition == 0 {
            &[Stream::GroupEvents, Stream::UserEvents]
        } else {
            &[Stream::UserEvents]
        };
        let claims: Vec<_> = streams
            .iter()
            .map(|stream| (*stream, self.settings.topic(*stream), claim_record::fresh()))
            .collect();
        let outgoing: Vec<_> = claims
            .iter()
            .map(|(stream, topic, record)| Outgoing {
                topic,
                partition: self.place(*stream).partition,
                record,
            })
            .collect();
        let offsets = self.transactions.commit(&outgoing)?;
        let mut position = Position::new();
        for ((stream, _, record), offset) in claims.iter().zip(offsets) {
            self.chains.of(*stream).advance(record);
            position.cover(self.place(*stream), offset);
        }
        Ok(position)
    }

    fn save_snapshot(&mut self, snapshot: &mut dyn FnMut() -> Vec<Vec<u8>>) -> Option<PendingSnapshot> {
        let anchor = self.reached.anchor()?;
        let (permit, pending) = self.snapshots.permit()?;
        self.snapshots.save(self.partition, Snapshot { anchor, parts: snapshot() }, permit);
        Some(pending)
    }

    fn append_delay(&self) -> Duration {
        self.transactions.gap()
    }

    fn pipelining_threshold(&self) -> usize {
        PIPELINING_THRESHOLD
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn announce(&mut self, url: &str) -> Result<(), AppendError> {
        let owner = AnnouncedOwner { url: url.to_owned(), epoch: self.epoch };
        let record: Record = owners::announcement(self.partition, owner);
        let topic = self.settings.owners_topic();
        // Sent by the same producer, so that a fenced owner can't announce itself.
        self.transactions.commit(&[Outgoing { topic: &topic, partition: 0, record: &record }]).map(drop)
    }
}
