//! The records of one snapshot: parts cut to what a record may hold, and put together again.

use rdkafka::message::{BorrowedMessage, Headers, Message};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::snapshot::SnapshotAnchor;

/// The header that says what a record is a piece of.
pub(super) const HEADER: &str = "muster-snapshot";
/// Most bytes of one record: half of what clients and brokers take when they are told nothing else.
const MAX_CHUNK_BYTES: usize = 512 * 1024;

/// What a record is a piece of.
#[derive(Serialize, Deserialize)]
pub(super) struct ChunkHeader {
    pub(super) snapshot: Uuid,
    /// From 0.
    pub(super) number: usize,
    pub(super) of: usize,
    /// Whether the part that it is of goes on in the next one.
    pub(super) open: bool,
    #[serde(flatten)]
    pub(super) anchor: SnapshotAnchor,
}

impl ChunkHeader {
    /// The header of a message; `None` where it has none, or one that can't be read.
    pub(super) fn of(message: &BorrowedMessage<'_>) -> Option<Self> {
        let header = message.headers()?.iter().find(|header| header.key == HEADER)?;
        serde_json::from_slice(header.value?).ok()
    }
}

/// Pieces that were read so far.
#[derive(Default)]
pub(super) struct PartialSnapshot {
    pub(super) chunks: usize,
    open: bool,
    pub(super) parts: Vec<Vec<u8>>,
}

impl PartialSnapshot {
    /// Adds the next piece; another one is passed over.
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

/// A part cut to the size of records, and whether each piece is not its last.
pub(super) fn chunks(part: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    let last = part.len().div_ceil(MAX_CHUNK_BYTES).saturating_sub(1);
    part.chunks(MAX_CHUNK_BYTES).enumerate().map(move |(at, chunk)| (chunk, at < last))
}
