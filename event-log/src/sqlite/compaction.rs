//! Compaction: deletes the rows of compacted streams whose key has a newer one.
//!
//! No index tells where the earlier row of a key is, because each new record would rewrite a page of it. Instead all rows
//! are read once the stream has doubled, so that reading them costs as much as a few more bytes in each row.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use log_model::Stream;
use sha2::{Digest, Sha256};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::reader::Reader;
use super::row::{stored, table};
use super::shared::{FencedStore, Shared};

/// Rows deleted in one transaction. Commits of the owner wait meanwhile.
const ROWS: usize = 500;

/// Compacts a stream on a thread of its own, if one needs it. The directory stays locked until then.
pub(super) fn start_if_due(shared: &Arc<Shared>, fenced: &mut FencedStore) {
    let ends = fenced.store.ends();
    let Some((stream, up_to)) = fenced.compactions.begin(&ends) else { return };
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let runtime = shared.runtime.clone();
        runtime.block_on(async {
            let compacted = compact(&shared, stream, up_to).await;
            let kept = match compacted {
                Ok((kept, deleted)) => {
                    tracing::info!(%stream, kept, deleted, "compacted a stream");
                    kept
                }
                Err(error) => {
                    tracing::warn!(%stream, %error, "a stream can't be compacted; it is tried again later");
                    0
                }
            };
            shared.fenced.lock().await.compactions.end(stream, up_to, kept);
        });
    });
}

/// Deletes what has a newer row below `up_to`. Returns the number of rows kept and deleted.
async fn compact(shared: &Shared, stream: Stream, up_to: u64) -> Result<(u64, u64), sqlx::Error> {
    let (kept, superseded) = superseded(&shared.file, stream, up_to).await?;
    for offsets in superseded.chunks(ROWS) {
        let mut fenced = shared.fenced.lock().await;
        let connection = fenced.store.connection().ok_or(sqlx::Error::WorkerCrashed)?;
        delete(connection, stream, offsets).await?;
    }
    let mut fenced = shared.fenced.lock().await;
    let connection = fenced.store.connection().ok_or(sqlx::Error::WorkerCrashed)?;
    let note = "INSERT INTO compactions (stream, up_to, kept) VALUES ($1, $2, $3)
        ON CONFLICT (stream) DO UPDATE SET up_to = excluded.up_to, kept = excluded.kept";
    let noting = sqlx::query(note).bind(stream.name()).bind(stored(up_to)).bind(stored(kept));
    noting.execute(connection).await?;
    Ok((kept, superseded.len() as u64))
}

/// The number of rows below `up_to` that are the newest of their key, and the offsets of the others.
async fn superseded(file: &Path, stream: Stream, up_to: u64) -> Result<(u64, Vec<u64>), sqlx::Error> {
    let mut reader = Reader::open(file).await?;
    // Two keys with the same beginning of their SHA-256 can't be found.
    let mut found: Vec<([u8; 16], u64)> = Vec::new();
    let mut unreadable = 0;
    let mut next = 0;
    while next < up_to {
        let records = reader.batch(stream, next).await?;
        let Some(last) = records.last() else { break };
        next = last.next_offset();
        for recorded in records.iter().take_while(|recorded| recorded.offset < up_to) {
            // A damaged row has no key. It stays for the reader that reports it.
            if recorded.record.key.is_empty() {
                unreadable += 1;
                continue;
            }
            let digest: [u8; 32] = Sha256::digest(&recorded.record.key).into();
            let beginning = *digest.first_chunk().expect("a digest is longer");
            found.push((beginning, recorded.offset));
        }
    }
    found.sort_unstable();
    let pairs = found.windows(2);
    let mut superseded: Vec<u64> =
        pairs.filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].1).collect();
    // In the order of the file, so that one transaction deletes whole pages.
    superseded.sort_unstable();
    Ok((unreadable + (found.len() - superseded.len()) as u64, superseded))
}

async fn delete(
    connection: &mut SqliteConnection,
    stream: Stream,
    offsets: &[u64],
) -> Result<(), sqlx::Error> {
    let mut delete = QueryBuilder::<Sqlite>::new(format!("DELETE FROM {} WHERE offset IN (", table(stream)));
    let mut values = delete.separated(", ");
    for offset in offsets {
        values.push_bind(stored(*offset));
    }
    delete.push(")").build().execute(connection).await.map(drop)
}
