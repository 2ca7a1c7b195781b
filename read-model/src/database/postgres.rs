//! What only PostgreSQL does: pooled connections to a server, rows written column by column, named locks, notifications.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, Postgres};
use uuid::Uuid;

use super::limits::{PATIENCE, STATEMENTS};
use crate::error::Error;
use crate::statement::{Rows, Value};

/// A connection that was idle for this long is tested before use: its server may have gone meanwhile.
const IDLE: Duration = Duration::from_secs(1);

/// Connects to the server.
pub(super) async fn connect(url: &str, connections: u32) -> Result<PgPool, Error> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("muster")
        // Compiling a query that walks an index for a page takes longer than the page.
        .options([("search_path", "views"), ("jit", "off")])
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await?;
    require_utf8(&pool).await?;
    Ok(pool)
}

/// Refuses a database in which not every name can be stored.
async fn require_utf8(pool: &PgPool) -> Result<(), Error> {
    let found = "SELECT current_database()::text, current_setting('server_encoding')";
    let (name, encoding): (String, String) = sqlx::query_as(found).fetch_one(pool).await?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(Error::Unsuitable(format!(
        "the database `{name}` has the encoding {encoding}, which can't store every name; create one with ENCODING 'UTF8'"
    )))
}

/// Waits for a named lock, and holds it until the transaction ends.
pub(super) async fn lock(work: &mut PgConnection, key: i64) -> Result<(), Error> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(key).execute(work).await?;
    Ok(())
}

/// Notifies a channel when the transaction commits.
pub(super) async fn notify(work: &mut PgConnection, channel: &str, text: &str) -> Result<(), Error> {
    sqlx::query("SELECT pg_notify($1, $2)").bind(channel).bind(text).execute(work).await?;
    Ok(())
}

/// One column of rows.
enum Column {
    Flags(Vec<bool>),
    Smalls(Vec<i16>),
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Uuids(Vec<Option<Uuid>>),
}

/// Runs a statement over rows given column by column. Its text is the same for any number of rows.
pub(super) async fn change(work: &mut PgConnection, rows: Rows) -> Result<u64, Error> {
    let names: Vec<_> = (1..=rows.columns).map(|n| format!("column{n}")).collect();
    let placeholders: Vec<_> = (1..=rows.columns).map(|n| format!("${n}")).collect();
    let (head, tail) = (rows.head, rows.tail);
    let (placeholders, names) = (placeholders.join(", "), names.join(", "));
    let text = format!("{head} SELECT * FROM UNNEST({placeholders}) AS given ({names}) {tail}");
    let mut query = sqlx::query::<Postgres>(AssertSqlSafe(text));
    for column in columns(rows.values, rows.columns) {
        query = match column {
            Column::Flags(values) => query.bind(values),
            Column::Smalls(values) => query.bind(values),
            Column::Ints(values) => query.bind(values),
            Column::Texts(values) => query.bind(values),
            Column::Uuids(values) => query.bind(values),
        };
    }
    Ok(query.execute(work).await?.rows_affected())
}

fn columns(values: Vec<Value>, width: usize) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::with_capacity(width);
    let rows = values.len() / width;
    for (index, value) in values.into_iter().enumerate() {
        if index < width {
            columns.push(match &value {
                Value::Flag(_) => Column::Flags(Vec::with_capacity(rows)),
                Value::Small(_) => Column::Smalls(Vec::with_capacity(rows)),
                Value::Int(_) => Column::Ints(Vec::with_capacity(rows)),
                Value::Text(_) => Column::Texts(Vec::with_capacity(rows)),
                Value::Uuid(_) => Column::Uuids(Vec::with_capacity(rows)),
                Value::Bytes(_) => unreachable!("no rows hold bytes"),
            });
        }
        match (&mut columns[index % width], value) {
            (Column::Flags(column), Value::Flag(value)) => column.push(value),
            (Column::Smalls(column), Value::Small(value)) => column.push(value),
            (Column::Ints(column), Value::Int(value)) => column.push(value),
            (Column::Texts(column), Value::Text(value)) => column.push(value),
            (Column::Uuids(column), Value::Uuid(value)) => column.push(value),
            _ => unreachable!("what a column holds is of one kind"),
        }
    }
    columns
}
