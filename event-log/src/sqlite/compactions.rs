//! How far the compacted streams are compacted, and when one needs it again.

use std::path::Path;

use log_model::Stream;

use super::reader::Reader;
use super::row::offset_of;
use super::store::Ends;

/// A stream that has grown by fewer rows is not compacted.
const LEAST: u64 = 10_000;

/// How far the compacted streams are compacted.
#[derive(Debug, Default)]
pub(super) struct Compactions {
    of_streams: Vec<Compacted>,
    is_running: bool,
}

#[derive(Debug)]
struct Compacted {
    stream: Stream,
    /// The offset up to which it was compacted.
    up_to: u64,
    /// The rows that were left.
    kept: u64,
}

impl Compactions {
    /// Reads how far the streams were compacted before.
    pub(super) async fn read(file: &Path) -> Result<Self, sqlx::Error> {
        let mut reader = Reader::open(file).await?;
        let rows: Vec<(String, i64, i64)> = sqlx::query_as("SELECT stream, up_to, kept FROM compactions")
            .fetch_all(reader.connection())
            .await?;
        let of_stream = |stream: Stream| {
            let row = rows.iter().find(|(name, ..)| name == stream.name());
            let (up_to, kept) = row.map_or((0, 0), |(_, up_to, kept)| (offset_of(*up_to), offset_of(*kept)));
            Compacted { stream, up_to, kept }
        };
        let compacted = Stream::ALL.into_iter().filter(|stream| stream.is_compacted());
        Ok(Self { of_streams: compacted.map(of_stream).collect(), is_running: false })
    }

    /// Begins the compaction of a stream that needs one. To be ended with [`Self::end`].
    pub(super) fn begin(&mut self, ends: &Ends) -> Option<(Stream, u64)> {
        if self.is_running {
            return None;
        }
        let due = self.of_streams.iter().find_map(|one| {
            let end = ends[one.stream as usize];
            (end.saturating_sub(one.up_to) >= one.kept.max(LEAST)).then_some((one.stream, end))
        });
        self.is_running = due.is_some();
        due
    }

    /// Notes that a stream was compacted up to an offset, and how many rows were left.
    pub(super) fn end(&mut self, stream: Stream, up_to: u64, kept: u64) {
        self.is_running = false;
        for one in self.of_streams.iter_mut().filter(|one| one.stream == stream) {
            (one.up_to, one.kept) = (up_to, kept);
        }
    }
}
