//! Reading the file: a connection that fetches batches of rows.

use std::path::Path;

use log_model::Stream;
use log_model::record::Recorded;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};

use super::packed::Decompressor;
use super::row::{Row, recorded, stored, table};
use super::store::end;

/// Records per read. Each read ends with its batch, because an open one keeps SQLite from reusing its
/// write-ahead log.
pub(super) const BATCH: usize = 1_000;

/// A read-only connection.
pub(super) struct Reader {
    connection: SqliteConnection,
    decompressor: Decompressor,
}

impl Reader {
    pub(super) async fn open(file: &Path) -> Result<Self, sqlx::Error> {
        let connection = SqliteConnectOptions::new()
            .filename(file)
            .read_only(true)
            // With the default, the connection's thread waits after every 50 rows until they are taken.
            .row_buffer_size(BATCH)
            .disable_statement_logging()
            .connect()
            .await?;
        Ok(Self { connection, decompressor: Decompressor::default() })
    }

    /// The connection, for a query of another kind.
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Up to [`BATCH`] records of a stream, starting at an offset.
    pub(super) async fn batch(&mut self, stream: Stream, from: u64) -> Result<Vec<Recorded>, sqlx::Error> {
        let rows = self.rows(stream, from).await?;
        Ok(rows.iter().map(|row| recorded(stream, row, &mut self.decompressor)).collect())
    }

    /// Up to [`BATCH`] rows of a stream, starting at an offset.
    pub(super) async fn rows(&mut self, stream: Stream, from: u64) -> Result<Vec<Row>, sqlx::Error> {
        let sql = format!(
            "SELECT offset, key, headers, body FROM {} WHERE offset >= $1 ORDER BY offset LIMIT {BATCH}",
            table(stream)
        );
        sqlx::query_as(AssertSqlSafe(sql)).bind(stored(from)).fetch_all(&mut self.connection).await
    }

    /// The offset that the next record of a stream gets.
    pub(super) async fn end(&mut self, stream: Stream) -> Result<u64, sqlx::Error> {
        end(&mut self.connection, stream).await
    }
}
