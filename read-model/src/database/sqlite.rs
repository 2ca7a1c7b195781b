//! Connections to the two SQLite files.

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqlitePool};

use super::limits::{PATIENCE, STATEMENTS};
use crate::error::Error;

/// Connections that read the file at a time.
const READERS: u32 = 4;
/// Rows that SQLite's thread hands over before it waits for them to be taken.
const ROW_BUFFER: usize = 1_000;

/// The connection that writes and those that read. Makes the directory and the files where they are missing.
pub(super) async fn connect(directory: &Path) -> Result<(SqlitePool, SqlitePool), Error> {
    make_private(directory).map_err(|error| Error::Directory(directory.to_owned(), error))?;
    // One connection writes: SQLite has one writer at a time.
    Ok((pool(directory, 1, false).await?, pool(directory, READERS, true).await?))
}

/// Connections to the two files. If the computer fails, the last transactions may be lost: the log has what the views
/// lose, and a lost session costs one more sign-in.
async fn pool(directory: &Path, connections: u32, reads_only: bool) -> Result<SqlitePool, Error> {
    let options = SqliteConnectOptions::new()
        .filename(directory.join("views.db"))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .row_buffer_size(ROW_BUFFER)
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging()
        .pragma("cache_size", if reads_only { "-8192" } else { "-32768" });
    // A path inside a SQL text: quotes are doubled.
    let operational = directory.join("operational.db").display().to_string().replace('\'', "''");
    let attach = format!(
        "ATTACH DATABASE '{operational}' AS operational; PRAGMA operational.journal_mode = WAL; \
         PRAGMA operational.synchronous = NORMAL; PRAGMA query_only = {}",
        if reads_only { "ON" } else { "OFF" }
    );
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        // A full disk ends a transaction inside SQLite. sqlx 0.9 then counts it as open permanently, and begins no other on that
        // connection.
        .before_acquire(|connection, _| {
            let is_in_transaction = connection.is_in_transaction();
            Box::pin(async move { Ok(!is_in_transaction) })
        })
        .after_connect(move |connection, _| {
            let attach = attach.clone();
            Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(attach)).execute(connection).await.map(drop) })
        })
        .connect_with(options)
        .await?;
    Ok(pool)
}

/// Makes the directory and its files, for this user alone. SQLite gives its side files the mode of the main one.
fn make_private(directory: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    for file in ["views.db", "operational.db"] {
        let mut options = std::fs::OpenOptions::new();
        options.create(true).append(true).mode(0o600).open(directory.join(file))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a row of a megabyte.
    async fn write(writer: &SqlitePool) -> Result<(), sqlx::Error> {
        let mut work = writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO large VALUES (zeroblob(1000000))").execute(&mut *work).await?;
        work.commit().await
    }

    #[tokio::test]
    async fn what_was_full_is_written_again_when_there_is_room() {
        let directory = tempfile::tempdir().unwrap();
        let (writer, _readers) = connect(directory.path()).await.unwrap();
        sqlx::raw_sql("CREATE TABLE large (content BLOB); PRAGMA max_page_count = 10")
            .execute(&writer)
            .await
            .unwrap();
        let full = write(&writer).await.unwrap_err().to_string();
        assert!(full.contains("full"), "{full}");
        // The limit is that of the connection; another one has room.
        write(&writer).await.unwrap();
    }
}
