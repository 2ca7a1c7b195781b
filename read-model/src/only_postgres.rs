//! What only PostgreSQL does: notifications between processes, locks that have a name, rows given column by column.

use std::time::Duration;

use log_model::Position;
use sqlx::postgres::PgListener;
use sqlx::{AssertSqlSafe, PgConnection, Postgres};
use uuid::Uuid;

use crate::checkpoint;
use crate::database::{Database, Work};
use crate::error::Error;
use crate::progress::Progress;
use crate::row::{Columns, FromColumns};
use crate::statement::{Rows, Value, sql};

/// Where processes tell each other how far the views are.
const CHANNEL: &str = "muster_progress";
/// Most bytes of a notification (the server refuses 8,000).
const MOST_BYTES: usize = 7_900;
/// The projection is heard every second while it runs. After this silence the connection may as well be dead.
const SILENCE: Duration = Duration::from_secs(5);
/// How long to wait before the server is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// Keys of the locks, the letters `muster` and a number.
const SCHEMA_LOCK: i64 = 0x006d_7573_7465_7201;
const APPLY_LOCK: i64 = 0x006d_7573_7465_7202;

struct Nothing;

impl FromColumns for Nothing {
    fn from_columns(_: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self)
    }
}

/// Lets one process at a time make tables. SQLite does so by itself.
pub(crate) async fn lock_schema(work: &mut Work) -> Result<(), Error> {
    lock(work, SCHEMA_LOCK).await
}

/// Lets one projection at a time apply: two that move the same checkpoints in another order would block each other.
pub(crate) async fn lock_apply(work: &mut Work) -> Result<(), Error> {
    lock(work, APPLY_LOCK).await
}

async fn lock(work: &mut Work, key: i64) -> Result<(), Error> {
    if let Work::Postgres(_) = work {
        work.maybe_one::<Nothing>(sql("SELECT pg_advisory_xact_lock($1)").bind(key)).await?;
    }
    Ok(())
}

/// Tells every process, when the transaction commits, what the views cover now.
pub(crate) async fn notify(work: &mut Work, covered: &Position) -> Result<(), Error> {
    let text = covered.to_string();
    notify_text(work, if text.len() > MOST_BYTES { "" } else { &text }).await
}

/// Tells every process, when the transaction commits, to read the checkpoints anew.
pub(crate) async fn notify_all(work: &mut Work) -> Result<(), Error> {
    notify_text(work, "").await
}

async fn notify_text(work: &mut Work, text: &str) -> Result<(), Error> {
    if let Work::Postgres(_) = work {
        work.maybe_one::<Nothing>(sql("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(text)).await?;
    }
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

/// Runs a statement over rows that it gets column by column: the same text for any number of rows.
pub(crate) async fn change(work: &mut PgConnection, rows: Rows) -> Result<u64, Error> {
    let names: Vec<_> = (1..=rows.columns).map(|n| format!("column{n}")).collect();
    let places: Vec<_> = (1..=rows.columns).map(|n| format!("${n}")).collect();
    let (head, tail) = (rows.head, rows.tail);
    let (places, names) = (places.join(", "), names.join(", "));
    let text = format!("{head} SELECT * FROM UNNEST({places}) AS given ({names}) {tail}");
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

/// Keeps `progress` as the checkpoints are, for ever.
pub(crate) async fn listen(url: String, database: Database, progress: Progress) {
    let mut is_away = false;
    loop {
        match listen_until_lost(&url, &database, &progress, &mut is_away).await {
            Ok(()) => {}
            Err(error) => {
                if !std::mem::replace(&mut is_away, true) {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the views' notifications are away"
                    );
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn listen_until_lost(
    url: &str,
    database: &Database,
    progress: &Progress,
    is_away: &mut bool,
) -> Result<(), Error> {
    let mut listener = PgListener::connect(url).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    // Only now: what changes after this reading is notified.
    progress.set(checkpoint::read(database).await?);
    if std::mem::replace(is_away, false) {
        tracing::info!("the views' notifications are back");
    }
    while let Ok(heard) = tokio::time::timeout(SILENCE, listener.try_recv()).await {
        let Some(notification) = heard? else { break };
        match notification.payload() {
            "" => progress.set(checkpoint::read(database).await?),
            text => match text.parse::<Position>() {
                Ok(covered) => progress.cover(&covered),
                Err(_) => progress.set(checkpoint::read(database).await?),
            },
        }
    }
    Ok(())
}
