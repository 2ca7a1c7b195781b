//! Fills a log and views with users, before Muster opens them.
//!
//! The views are written directly, because folding millions of events would take most of the run. Each row is the result of
//! the user's events, and the checkpoint stands at the end of the log.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bench::people::person;
use bench::population::envelope;
use domain::names::Username;
use domain::user::UserStatus;
use event_log::sqlite::SqliteLog;
use event_log::{Batch, EventLog, every_record};
use log_model::{Stream, StreamPartition};
use read_model::apply::{self, Changed, Move};
use read_model::counts::CountKey;
use read_model::users::UserRow;
use read_model::users_page::UserFilter;
use read_model::{ViewWriter, ViewsAt};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

/// Records of one transaction of the log, and users of one of the views.
const BATCH: u64 = 2_000;

/// What was written into a log.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Written {
    users: u64,
    /// The offset of the first event, and the one behind the last.
    begin: u64,
    end: u64,
}

/// How many users the log was filled with.
pub(crate) fn users(data: &Path) -> Result<u64> {
    Ok(written(data)?.users)
}

fn written(data: &Path) -> Result<Written> {
    Ok(serde_json::from_slice(&std::fs::read(data.join("people.json"))?)?)
}

/// Writes the events of this many users into an empty log, and notes the number beside the log.
pub(crate) async fn log(data: &Path, users: u64) -> Result<()> {
    let log: Arc<dyn EventLog> = SqliteLog::open(data).await?;
    let written = tokio::task::spawn_blocking(move || write_log(&*log, users)).await??;
    std::fs::write(data.join("people.json"), serde_json::to_vec(&written)?)?;
    Ok(())
}

fn write_log(log: &dyn EventLog, users: u64) -> Result<Written> {
    let mut writer = log.claim(0, &mut every_record(|_| Ok(())))?;
    let mut begin = None;
    let mut end = 0;
    for first in (0..users).step_by(usize::try_from(BATCH)?) {
        let mut records = Vec::new();
        for number in first..users.min(first + BATCH) {
            let person = person(number, users);
            let name = Username::parse(&person.row.username).expect("a username");
            let command = Uuid::now_v7();
            for (event, sequence) in person.events.into_iter().zip(1..) {
                let envelope = envelope(&name, command, sequence, person.row.registered_at);
                records.push((Stream::UserEvents, envelope.record(event.wire_name(), event.to_json())));
            }
        }
        let length = records.len() as u64;
        let position = writer.append(Batch { records })?;
        let last = position.iter().find(|(place, _)| *place == PLACE).context("the users' events moved")?.1;
        end = last + 1;
        begin.get_or_insert(end - length);
    }
    Ok(Written { users, begin: begin.context("there are users")?, end })
}

const PLACE: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);

/// Writes the rows of the users of a log into empty views. Those on PostgreSQL are emptied first: another part of the run may
/// have filled them from another log.
pub(crate) async fn views(data: &Path, at: &ViewsAt) -> Result<()> {
    let written = written(data)?;
    if let ViewsAt::Postgres { url, .. } = at {
        let empty = "DROP SCHEMA IF EXISTS views CASCADE; DROP SCHEMA IF EXISTS operational CASCADE";
        sqlx::raw_sql(empty).execute(&mut PgConnection::connect(url).await?).await?;
    }
    let writer = ViewWriter::open(at).await?;
    writer.begin(&[PLACE]).await?;
    let mut database = Direct::open(at).await?;
    let indexes = database.take_indexes().await?;
    let mut offset = written.begin;
    let mut from = 0;
    for first in (0..written.users).step_by(usize::try_from(BATCH)?) {
        let last = written.users.min(first + BATCH);
        let mut batch = apply::Batch::default();
        let mut counts: HashMap<CountKey, i64> = HashMap::new();
        for number in first..last {
            let person = person(number, written.users);
            offset += person.events.len() as u64;
            let row = UserRow { log_offset: offset - 1, ..person.row };
            for key in CountKey::of(&row) {
                *counts.entry(key).or_default() += 1;
            }
            batch.users.push(Changed { before: None, after: row });
        }
        let to = if last == written.users { written.end } else { offset };
        batch.moves.push(Move { place: PLACE, from, to, anchor: None });
        batch.counts = counts.into_iter().collect();
        from = to;
        writer.apply(&Arc::new(batch)).await?;
    }
    ensure!(offset == written.end, "the log has other users");
    for index in indexes {
        database.run(&index).await?;
    }
    let active = UserFilter::of_states(&[UserStatus::Active]);
    ensure!(writer.views().users_count(&active).await?.n > 0, "nobody is active");
    Ok(())
}

/// The database itself.
enum Direct {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Direct {
    async fn open(at: &ViewsAt) -> Result<Self> {
        Ok(match at {
            ViewsAt::Sqlite { directory } => {
                let file = format!("sqlite://{}", directory.join("views.db").display());
                Self::Sqlite(SqliteConnection::connect(&file).await?)
            }
            ViewsAt::Postgres { url, .. } => Self::Postgres(PgConnection::connect(url).await?),
        })
    }

    async fn run(&mut self, statement: &str) -> Result<()> {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        match self {
            Self::Sqlite(connection) => statement.execute(connection).await.map(drop)?,
            Self::Postgres(connection) => statement.execute(connection).await.map(drop)?,
        }
        Ok(())
    }

    /// Drops the indexes of the users that are no keys. Returns the statements that make them again.
    async fn take_indexes(&mut self) -> Result<Vec<String>> {
        let found: Vec<(String, String)> = match self {
            Self::Sqlite(connection) => {
                let text = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'users' AND sql IS NOT NULL";
                sqlx::query_as(text).fetch_all(connection).await?
            }
            Self::Postgres(connection) => {
                let text = "SELECT 'views.' || indexname, indexdef FROM pg_indexes \
                    WHERE schemaname = 'views' AND tablename = 'users' AND indexdef NOT LIKE '%UNIQUE%'";
                sqlx::query_as(text).fetch_all(connection).await?
            }
        };
        for (name, _) in &found {
            self.run(&format!("DROP INDEX {name}")).await?;
        }
        ensure!(!found.is_empty(), "the table of users has indexes");
        Ok(found.into_iter().map(|(_, statement)| statement).collect())
    }
}
