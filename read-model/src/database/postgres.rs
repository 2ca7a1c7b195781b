//! Statements that only PostgreSQL has: rows written column by column, named locks, notifications.

use sqlx::{AssertSqlSafe, PgConnection, Postgres};
use uuid::Uuid;

use crate::statement::{Rows, Value};

/// Waits for a named lock, and holds it until the transaction ends.
pub(super) async fn lock(work: &mut PgConnection, key: i64) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(key).execute(work).await?;
    Ok(())
}

/// Notifies a channel when the transaction commits.
pub(super) async fn notify(work: &mut PgConnection, channel: &str, text: &str) -> Result<(), sqlx::Error> {
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
pub(super) async fn change(work: &mut PgConnection, rows: Rows) -> Result<u64, sqlx::Error> {
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
