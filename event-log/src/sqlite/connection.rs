//! The settings of the connection that writes.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

/// How long to wait for another connection's lock. Only a connection that is being closed can hold one.
const BUSY: Duration = Duration::from_secs(5);
/// Page cache of the connection, as negative kibibytes. Only the last pages of each table are written again.
const CACHE: &str = "-4096";
/// Pages of 4 KiB in the write-ahead log before it is copied into the file. Copying delays one commit, and a
/// page that was written many times is copied once.
///
/// Measured once each with 256 clients, while each credential still rewrote a page of an index: with 8,000 pages, 95 of 100 commands took up to 8.5 ms and 99 up to
/// 38 ms. With 4,000 pages it was 40 and 49 ms. SQLite's own 1,000 gave 17 and 19 ms, and a sixth fewer
/// commands.
const CHECKPOINT: &str = "8000";

/// Opens the file for writing.
pub(super) async fn connect(file: &Path) -> Result<SqliteConnection, sqlx::Error> {
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
