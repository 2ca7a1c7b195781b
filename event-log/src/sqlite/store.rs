//! The one connection that writes: one transaction per batch, acknowledged after a full fsync.

use std::path::{Path, PathBuf};
use std::time::Duration;

use log_model::record::Record;
use log_model::{Position, Stream, StreamPartition};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, QueryBuilder, Sqlite, SqliteConnection};

use super::row::{headers_text, offset_of, stored, table};

/// Rows per INSERT. With 4 values each it stays far below SQLite's limit of 32,766 values per statement.
const ROWS: usize = 1_000;
/// How long to wait for another connection's lock. Only a connection that is being closed can hold one.
const BUSY: Duration = Duration::from_secs(5);
/// Page cache of the connection, as negative kibibytes. The keys of credentials are spread over their whole
/// index, so a page that isn't cached must be read again for nearly every record.
const CACHE: &str = "-65536";
/// Pages of 4 KiB in the write-ahead log before it is copied into the file. Copying delays one commit, and an
/// index page that was written many times is copied once.
///
/// Measured once each with 256 clients: with 8,000 pages, 95 of 100 commands took up to 8.5 ms and 99 up to
/// 38 ms. With 4,000 pages it was 40 and 49 ms. SQLite's own 1,000 gave 17 and 19 ms, and a sixth fewer
/// commands.
const CHECKPOINT: &str = "8000";

/// For each stream, by its number, the offset that its next record gets.
pub(super) type Ends = [u64; Stream::ALL.len()];

/// The connection that writes to the file, and where each stream ends.
pub(super) struct Store {
    file: PathBuf,
    /// `None` after a failure. Closing the connection rolls back whatever it left open.
    connection: Option<SqliteConnection>,
    ends: Ends,
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
        Ok(Self { file, connection: Some(connection), ends })
    }

    /// The offset that the next record of each stream gets.
    pub(super) fn ends(&self) -> Ends {
        self.ends
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
                insert(&mut connection, stream, *next, rows).await.map_err(before)?;
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

    /// Deletes access records from before an instant, an RFC 3339 text. The newest record stays whatever its
    /// age, so that its offset isn't reused.
    pub(super) async fn delete_access_before(&mut self, instant: &str) -> Result<u64, sqlx::Error> {
        // Records are ordered by time, so the search ends at the first one that is young enough.
        const DELETE: &str = "DELETE FROM access WHERE offset < coalesce(
            (SELECT offset FROM access WHERE json_valid(headers) AND headers ->> 'ce_time' >= $1 ORDER BY offset LIMIT 1),
            (SELECT max(offset) FROM access))";
        match &mut self.connection {
            Some(connection) => {
                Ok(sqlx::query(DELETE).bind(instant).execute(connection).await?.rows_affected())
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

async fn connect(file: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        // With less than FULL, a power failure may lose acknowledged commits in WAL mode.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .pragma("cache_size", CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT)
        // The rollback journal of a single statement. Only this process needs it, so it stays in memory.
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
        .connect()
        .await
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
    stream: Stream,
    first: u64,
    records: &[&Record],
) -> Result<(), sqlx::Error> {
    let head = format!("INSERT INTO {} (offset, key, headers, body) ", table(stream));
    let mut insert = QueryBuilder::<Sqlite>::new(head);
    insert.push_values(records.iter().zip(first..), |mut row, (record, offset)| {
        row.push_bind(stored(offset))
            .push_bind(record.key.as_str())
            .push_bind(headers_text(record))
            .push_bind(record.body.as_deref());
    });
    if stream.is_compacted() {
        insert.push(
            " ON CONFLICT (key) DO UPDATE
             SET offset = excluded.offset, headers = excluded.headers, body = excluded.body",
        );
    }
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

/// Applies the schema. The inner error is the format of a file that only a newer Muster reads.
pub(super) async fn prepare(file: &Path) -> Result<Result<(), i64>, sqlx::Error> {
    const FORMAT: i64 = 2;
    let mut connection = connect(file).await?;
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await?;
    if found > FORMAT {
        return Ok(Err(found));
    }
    if found < FORMAT {
        sqlx::raw_sql(include_str!("schema.sql")).execute(&mut connection).await?;
        sqlx::raw_sql("PRAGMA user_version = 2").execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
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
        let record = Record::keyed("key".to_owned(), Some(vec![b' '; 100_000]));

        let failed = store.write(&[(Stream::UserEvents, record.clone())]).await.err().unwrap();
        assert!(failed.nothing_written, "{}", failed.source);
        let position = store.write(&[(Stream::UserEvents, record)]).await.ok().unwrap();
        assert_eq!(position, Position::at(StreamPartition::new(Stream::UserEvents, 0), 0));
    }
}
