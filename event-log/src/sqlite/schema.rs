//! The tables of the file, and how those of an earlier release become today's.

use std::path::Path;

use log_model::Stream;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::connection::connect;
use super::row::table;

/// The format of the file. A newer Muster may write what this one can't read.
///
/// 3 has compact rows beside those of 2, and keys of compacted streams may have several rows.
const FORMAT: i64 = 3;

/// Applies the schema. The inner error is the format of a file that only a newer Muster reads.
pub(super) async fn prepare(file: &Path) -> Result<Result<(), i64>, sqlx::Error> {
    let mut connection = connect(file).await?;
    let found = match check(&mut connection).await? {
        Ok(found) => found,
        Err(newer) => return Ok(Err(newer)),
    };
    if found < FORMAT {
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(include_str!("schema.sql")).execute(&mut *transaction).await?;
        if found > 0 {
            for stream in Stream::ALL.into_iter().filter(|stream| stream.is_compacted()) {
                without_index(&mut transaction, table(stream)).await?;
            }
        }
        let number = format!("PRAGMA user_version = {FORMAT}");
        sqlx::raw_sql(AssertSqlSafe(number)).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    connection.close().await?;
    Ok(Ok(()))
}

/// The format of the file; 0 if it has no tables yet. The inner error is a format that only a newer Muster reads.
pub(super) async fn check(connection: &mut SqliteConnection) -> Result<Result<i64, i64>, sqlx::Error> {
    let found = sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await?;
    Ok(if found > FORMAT { Err(found) } else { Ok(found) })
}

/// Copies the table of a compacted stream into one without an index of its keys.
async fn without_index(connection: &mut SqliteConnection, table: &str) -> Result<(), sqlx::Error> {
    let copy = format!(
        "ALTER TABLE {table} RENAME TO earlier_{table};
         CREATE TABLE {table} (
             offset  INTEGER PRIMARY KEY,
             key     TEXT NOT NULL,
             headers TEXT NOT NULL,
             body    BLOB
         ) STRICT;
         INSERT INTO {table} SELECT offset, key, headers, body FROM earlier_{table} ORDER BY offset;
         DROP TABLE earlier_{table};"
    );
    sqlx::raw_sql(AssertSqlSafe(copy)).execute(connection).await.map(drop)
}
