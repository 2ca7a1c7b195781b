//! The tables: made by whoever comes first, however many come at once.

use crate::database::{Database, Lock, Work};
use crate::error::Error;
use crate::row::{Columns, FromColumns};
use crate::statement::sql;

/// Scripts that make tables what they are, the oldest first, for PostgreSQL and for SQLite.
type Scripts = &'static [(&'static str, &'static str)];

/// The views are never migrated: a release that needs other ones fills them anew.
const VIEWS: Scripts = &[(include_str!("schema/postgres.sql"), include_str!("schema/sqlite.sql"))];

/// What the log doesn't hold is migrated: scripts are never changed, only added.
const OPERATIONAL: Scripts =
    &[(include_str!("operational/1.postgres.sql"), include_str!("operational/1.sqlite.sql"))];

const FORMATS_POSTGRES: &str = "
    CREATE SCHEMA IF NOT EXISTS views;
    CREATE SCHEMA IF NOT EXISTS operational;
    CREATE TABLE IF NOT EXISTS views.formats (format bigint PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS operational.formats (format bigint PRIMARY KEY)";
const FORMATS_SQLITE: &str = "
    CREATE TABLE IF NOT EXISTS formats (format INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS operational.formats (format INTEGER PRIMARY KEY) STRICT";

/// Makes what is missing, all of it or nothing.
pub(crate) async fn prepare(database: Database) -> Result<(), Error> {
    let mut work = database.begin().await?;
    work.lock(Lock::Schema).await?;
    let formats = if matches!(work, Work::Postgres(_)) { FORMATS_POSTGRES } else { FORMATS_SQLITE };
    work.script(formats).await?;
    bring(&mut work, "views", "formats", VIEWS).await?;
    bring(&mut work, "operational tables", "operational.formats", OPERATIONAL).await?;
    work.commit().await
}

async fn bring(work: &mut Work, what: &'static str, formats: &str, scripts: Scripts) -> Result<(), Error> {
    let newest = format!("SELECT COALESCE(MAX(format), 0) AS format FROM {formats}");
    let found = work.maybe_one(sql(newest)).await?.map_or(0, |Format(found)| found);
    let done = usize::try_from(found).unwrap_or_default();
    if done > scripts.len() {
        return Err(Error::Newer { what, found });
    }
    for ((postgres, sqlite), format) in scripts.iter().zip(1_i64..).skip(done) {
        work.script(if matches!(work, Work::Postgres(_)) { postgres } else { sqlite }).await?;
        work.execute(sql(format!("INSERT INTO {formats} (format) VALUES ($1)")).bind(format)).await?;
    }
    Ok(())
}

struct Format(i64);

impl FromColumns for Format {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        row.int("format").map(Self)
    }
}
