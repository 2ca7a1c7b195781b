//! The records of one snapshot: its parts cut into chunks that fit a record, and joined again.

use rdkafka::message::{BorrowedMessage, Headers, Message};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::snapshot::SnapshotAnchor;

/// The Kafka header that holds a [`ChunkHeader`].
pub(super) const HEADER: &str = "muster-snapshot";
/// Most bytes per record: half of what clients and brokers allow by default.
const MAX_CHUNK_BYTES: usize = 512 * 1024;

/// What a record holds of a snapshot.
#[derive(Serialize, Deserialize)]
pub(super) struct ChunkHeader {
    pub(super) snapshot: Uuid,
    /// From 0.
    pub(super) number: usize,
    pub(super) of: usize,
    /// Whether the chunk's part continues in the next one.
    pub(super) open: bool,
    #[serde(flatten)]
    pub(super) anchor: SnapshotAnchor,
}

impl ChunkHeader {
    /// The header of a message; `None` if it is missing or unreadable.
    pub(super) fn of(message: &BorrowedMessage<'_>) -> Option<Self> {
        let header = message.headers()?.iter().find(|header| header.key == HEADER)?;
        serde_json::from_slice(header.value?).ok()
    }
}

/// The chunks of one snapshot that were read so far.
#[derive(Default)]
pub(super) struct PartialSnapshot {
    pub(super) chunks: usize,
    open: bool,
    pub(super) parts: Vec<Vec<u8>>,
}

impl PartialSnapshot {
    /// Adds the next chunk. A chunk out of order is ignored.
    pub(super) fn add(&mut self, chunk: &ChunkHeader, body: &[u8]) {
        if self.chunks != chunk.number {
            return;
        }
        match self.parts.last_mut() {
            Some(part) if self.open => part.extend_from_slice(body),
            _ => self.parts.push(body.to_vec()),
        }
        self.chunks += 1;
        self.open = chunk.open;
    }
}

/// The chunks of a part, each with whether the part continues in the next one.
pub(super) fn chunks(part: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    let last = part.len().div_ceil(MAX_CHUNK_BYTES).saturating_sub(1);
    part.chunks(MAX_CHUNK_BYTES).enumerate().map(move |(at, chunk)| (chunk, at < last))
}
