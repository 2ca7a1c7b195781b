//! One SQLite file, one writer, multi-row INSERTs, WAL with full fsync.

use std::path::Path;

use anyhow::Result;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, QueryBuilder, Sqlite};

use super::{HEADERS_AS_TEXT, Jobs, KEY, Limit, MOST, answer, rows};

const TABLE: &str = "create table record (stream integer, at integer, key text, headers text, body blob, \
    primary key (stream, at)) without rowid";
/// Five values each: a statement has at most 32,766.
const ROWS_AT_ONCE: usize = 4_096;

/// What the embedded log could do at most.
pub async fn sqlite(directory: &Path) -> Result<Limit> {
    let mut connection = SqliteConnectOptions::new()
        .filename(directory.join("raw.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    sqlx::query(TABLE).execute(&mut connection).await?;
    let (sender, mut jobs) = Jobs::lane(MOST);
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        let (key, headers, body) = ("k".repeat(KEY), "h".repeat(HEADERS_AS_TEXT), vec![b'b'; 256]);
        let mut at = 0_i64;
        while let Some(batch) = jobs.blocking_waiting() {
            let all: Vec<_> = rows(&batch).collect();
            let written = runtime.block_on(async {
                let mut transaction = connection.begin().await?;
                for some in all.chunks(ROWS_AT_ONCE) {
                    let mut insert =
                        QueryBuilder::<Sqlite>::new("insert into record (stream, at, key, headers, body) ");
                    insert.push_values(some, |mut values, row| {
                        at += 1;
                        values
                            .push_bind(i64::from(row.credential))
                            .push_bind(at)
                            .push_bind(&key)
                            .push_bind(&headers[..row.headers_as_text()])
                            .push_bind(&body[..row.body]);
                    });
                    insert.build().execute(&mut *transaction).await?;
                }
                transaction.commit().await
            });
            if written.is_err() {
                return;
            }
            answer(batch);
        }
    });
    Ok(Limit::new(vec![sender]))
}
