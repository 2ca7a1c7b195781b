//! The one connection that writes: one transaction per batch, acknowledged after a full fsync.

use std::path::PathBuf;

use log_model::record::Record;
use log_model::{Position, Stream, StreamPartition};
use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite, SqliteConnection};

use super::connection::connect;
use super::packed::Compressor;
use super::row::{offset_of, row_values, stored, table};

/// Rows per INSERT. With 4 values each it stays far below SQLite's limit of 32,766 values per statement.
const ROWS: usize = 1_000;
/// For each stream, by its number, the offset that its next record gets.
pub(super) type Ends = [u64; Stream::ALL.len()];

/// The connection that writes to the file, and where each stream ends.
pub(super) struct Store {
    file: PathBuf,
    /// `None` after a failure. Closing the connection rolls back whatever it left open.
    connection: Option<SqliteConnection>,
    ends: Ends,
    compressor: Compressor,
}

/// A failed transaction.
pub(super) struct WriteError {
    /// Whether it is certain that none of it is in the file or ever will be.
    pub(super) nothing_written: bool,
    pub(super) source: sqlx::Error,
}

impl Store {
    pub(super) async fn open(file: PathBuf) -> Result<Self, sqlx::Error> {
        let mut connection = connect(&file).await?;
        let ends = ends(&mut connection).await?;
        Ok(Self { file, connection: Some(connection), ends, compressor: Compressor::default() })
    }

    /// The offset that the next record of each stream gets.
    pub(super) fn ends(&self) -> Ends {
        self.ends
    }

    /// The connection; `None` after a failure.
    pub(super) fn connection(&mut self) -> Option<&mut SqliteConnection> {
        self.connection.as_mut()
    }

    /// Writes all records or none. The position covers the last one of each stream.
    pub(super) async fn write(&mut self, records: &[(Stream, Record)]) -> Result<Position, WriteError> {
        let before = |source| WriteError { nothing_written: true, source };
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.reconnect().await.map_err(before)?,
        };
        let mut ends = self.ends;
        // Put back only after a success; a failure closes the connection.
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.map_err(before)?;
        for stream in Stream::ALL {
            let of_stream: Vec<&Record> =
                records.iter().filter(|(of, _)| *of == stream).map(|(_, record)| record).collect();
            let next = &mut ends[stream as usize];
            for rows in of_stream.chunks(ROWS) {
                insert(&mut connection, &mut self.compressor, stream, *next, rows).await.map_err(before)?;
                *next += rows.len() as u64;
            }
        }
        sqlx::query("COMMIT")
            .execute(&mut connection)
            .await
            .map_err(|source| WriteError { nothing_written: is_before_the_commit_frame(&source), source })?;
        self.connection = Some(connection);
        let mut position = Position::new();
        for stream in Stream::ALL {
            let end = ends[stream as usize];
            if end > self.ends[stream as usize] {
                position.cover(StreamPartition::new(stream, 0), end - 1);
            }
        }
        self.ends = ends;
        Ok(position)
    }

    /// Deletes the records of a stream below an offset.
    pub(super) async fn delete_below(&mut self, stream: Stream, offset: u64) -> Result<u64, sqlx::Error> {
        let delete = format!("DELETE FROM {} WHERE offset < $1", table(stream));
        match &mut self.connection {
            Some(connection) => {
                let deleted = sqlx::query(AssertSqlSafe(delete)).bind(stored(offset)).execute(connection);
                Ok(deleted.await?.rows_affected())
            }
            None => Ok(0),
        }
    }

    async fn reconnect(&mut self) -> Result<SqliteConnection, sqlx::Error> {
        let mut connection = connect(&self.file).await?;
        self.ends = ends(&mut connection).await?;
        Ok(connection)
    }
}

async fn ends(connection: &mut SqliteConnection) -> Result<Ends, sqlx::Error> {
    let mut ends = Ends::default();
    for stream in Stream::ALL {
        ends[stream as usize] = end(connection, stream).await?;
    }
    Ok(ends)
}

/// The offset that the next record of a stream gets.
pub(super) async fn end(connection: &mut SqliteConnection, stream: Stream) -> Result<u64, sqlx::Error> {
    let sql = format!("SELECT coalesce(max(offset) + 1, 0) FROM {}", table(stream));
    let end: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?;
    Ok(offset_of(end))
}

async fn insert(
    connection: &mut SqliteConnection,
    compressor: &mut Compressor,
    stream: Stream,
    first: u64,
    records: &[&Record],
) -> Result<(), sqlx::Error> {
    let head = format!("INSERT INTO {} (offset, key, headers, body) ", table(stream));
    let mut insert = QueryBuilder::<Sqlite>::new(head);
    insert.push_values(records.iter().zip(first..), |mut row, (record, offset)| {
        let (key, headers, body) = row_values(record, compressor);
        row.push_bind(stored(offset)).push_bind(key).push_bind(headers).push_bind(body);
    });
    insert.build().execute(connection).await.map(drop)
}

/// Whether a failed COMMIT failed while writing rather than syncing. The commit frame is written last, so it
/// can't be complete in the file. After a failed sync it may be.
fn is_before_the_commit_frame(error: &sqlx::Error) -> bool {
    const FULL: &str = "13";
    const IOERR_WRITE: &str = "778";
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some(FULL | IOERR_WRITE))
}

#[cfg(test)]
mod tests {
    use super::super::schema::prepare;
    use super::*;

    #[tokio::test]
    async fn a_full_disk_writes_nothing_and_offsets_go_on_without_a_gap() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("log.db");
        std::fs::File::create(&file).unwrap();
        prepare(&file).await.unwrap().unwrap();
        let mut store = Store::open(file).await.unwrap();
        let connection = store.connection.as_mut().unwrap();
        sqlx::raw_sql("PRAGMA max_page_count = 12").execute(connection).await.unwrap();
        // Nothing that could be made shorter.
        let mut body = vec![0; 100_000];
        fastrand::Rng::with_seed(1).fill(&mut body);
        let record = Record::keyed("key".to_owned(), Some(body));

        let failed = store.write(&[(Stream::UserEvents, record.clone())]).await.err().unwrap();
        assert!(failed.nothing_written, "{}", failed.source);
        let position = store.write(&[(Stream::UserEvents, record)]).await.ok().unwrap();
        assert_eq!(position, Position::at(StreamPartition::new(Stream::UserEvents, 0), 0));
    }
}
