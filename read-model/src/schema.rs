//! The tables. The first process that opens the views makes them, also when several open them at once.

use crate::database::{Database, Lock, Work};
use crate::error::Error;
use crate::row::{Columns, FromColumns};
use crate::statement::sql;

/// Scripts that make tables, the oldest first, each for PostgreSQL and for SQLite.
type Scripts = &'static [(&'static str, &'static str)];

/// The views are never migrated: a release that needs other ones has another format, and fills them anew from the log
/// (docs/adr/0007-disposable-views.md).
const VIEWS: (&str, &str) = (include_str!("schema/postgres.sql"), include_str!("schema/sqlite.sql"));

/// The format of the views. It rises when their tables change, or what a release writes into them.
const VIEWS_FORMAT: i64 = 7;

/// Operational state is not in the log, so it is migrated. Scripts are never changed, only added.
const OPERATIONAL: Scripts = &[
    (include_str!("operational/1.postgres.sql"), include_str!("operational/1.sqlite.sql")),
    (include_str!("operational/2.postgres.sql"), include_str!("operational/2.sqlite.sql")),
];

const FORMATS_POSTGRES: &str = "
    CREATE SCHEMA IF NOT EXISTS views;
    CREATE SCHEMA IF NOT EXISTS operational;
    CREATE TABLE IF NOT EXISTS views.formats (format bigint PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS operational.formats (format bigint PRIMARY KEY)";
const FORMATS_SQLITE: &str = "
    CREATE TABLE IF NOT EXISTS formats (format INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS operational.formats (format INTEGER PRIMARY KEY) STRICT";

/// What happens to views of an older format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OlderViews {
    /// They are refused: somebody may still use them.
    Refuse,
    /// They are removed, to be filled anew.
    Replace,
}

/// Makes missing tables, all or none.
pub(crate) async fn prepare(database: Database, older: OlderViews) -> Result<(), Error> {
    let mut work = database.begin_schema().await?;
    work.lock(Lock::Schema).await?;
    let formats = if matches!(work, Work::Postgres(..)) { FORMATS_POSTGRES } else { FORMATS_SQLITE };
    work.script(formats).await?;
    make_views(&mut work, older).await?;
    bring(&mut work, "operational tables", "operational.formats", OPERATIONAL).await?;
    work.commit().await
}

async fn bring(work: &mut Work, what: &'static str, formats: &str, scripts: Scripts) -> Result<(), Error> {
    let found = newest(work, formats).await?;
    let done = usize::try_from(found).unwrap_or_default();
    if done > scripts.len() {
        return Err(Error::Newer { what, found });
    }
    for ((postgres, sqlite), format) in scripts.iter().zip(1_i64..).skip(done) {
        make(work, (postgres, sqlite), formats, format).await?;
    }
    Ok(())
}

async fn make_views(work: &mut Work, older: OlderViews) -> Result<(), Error> {
    match newest(work, "formats").await? {
        0 => make(work, VIEWS, "formats", VIEWS_FORMAT).await,
        VIEWS_FORMAT => Ok(()),
        found if found > VIEWS_FORMAT => Err(Error::Newer { what: "views", found }),
        found if older == OlderViews::Refuse => Err(Error::OlderViews { found, needed: VIEWS_FORMAT }),
        found => {
            tracing::warn!(
                found,
                needed = VIEWS_FORMAT,
                "the views are of an older format; they are filled anew from the log"
            );
            remove_views(work).await?;
            make(work, VIEWS, "formats", VIEWS_FORMAT).await
        }
    }
}

/// Removes every table of the views, of whatever format. Without checkpoints the projection begins at the log's start.
async fn remove_views(work: &mut Work) -> Result<(), Error> {
    if matches!(work, Work::Postgres(..)) {
        work.script("DROP SCHEMA views CASCADE").await?;
        return work.script(FORMATS_POSTGRES).await;
    }
    let any = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' LIMIT 1";
    while let Some(TableName(name)) = work.maybe_one(sql(any)).await? {
        work.execute(sql(format!("DROP TABLE main.\"{name}\""))).await?;
    }
    work.script(FORMATS_SQLITE).await
}

/// The format of what is there; 0 if nothing is.
async fn newest(work: &mut Work, formats: &str) -> Result<i64, Error> {
    let newest = format!("SELECT COALESCE(MAX(format), 0) AS format FROM {formats}");
    Ok(work.maybe_one(sql(newest)).await?.map_or(0, |StoredFormat(found)| found))
}

async fn make(
    work: &mut Work,
    (postgres, sqlite): (&'static str, &'static str),
    formats: &str,
    format: i64,
) -> Result<(), Error> {
    work.script(if matches!(work, Work::Postgres(..)) { postgres } else { sqlite }).await?;
    work.execute(sql(format!("INSERT INTO {formats} (format) VALUES ($1)")).bind(format)).await?;
    Ok(())
}

struct StoredFormat(i64);

impl FromColumns for StoredFormat {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        row.int("format").map(Self)
    }
}

struct TableName(String);

impl FromColumns for TableName {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        row.text("name").map(Self)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// The tables of a script and their columns, in order.
    fn tables(script: &str) -> Vec<(String, Vec<String>)> {
        let mut tables: Vec<(String, Vec<String>)> = Vec::new();
        let mut is_inside = false;
        for line in script.lines() {
            if let Some(name) = line.strip_prefix("CREATE TABLE ") {
                tables.push((name.trim_end_matches(" (").to_owned(), Vec::new()));
                is_inside = true;
            } else if line.starts_with(')') {
                is_inside = false;
            } else if is_inside
                && let Some(column) = line.split_whitespace().next()
                && column != "PRIMARY"
            {
                tables.last_mut().expect("a column stands in a table").1.push(column.to_owned());
            }
        }
        tables
    }

    #[test]
    fn tables_that_change_have_another_format() {
        let digest = Sha256::digest([VIEWS.0, VIEWS.1].concat());
        let known = (7, "36d616cd4b11d58c10670c15c53084437bdfb97a575f187ae804e34ece2b8000");
        assert_eq!(
            (VIEWS_FORMAT, &*hex::encode(digest)),
            known,
            "raise VIEWS_FORMAT, then change the digest here"
        );
    }

    #[test]
    fn both_databases_have_the_same_tables_and_columns_in_the_same_order() {
        for (postgres, sqlite) in [VIEWS].iter().chain(OPERATIONAL) {
            assert_eq!(tables(postgres), tables(sqlite));
            assert!(tables(postgres).iter().all(|(_, columns)| !columns.is_empty()));
        }
        let views = tables(VIEWS.0);
        assert_eq!(views.len(), 13);
        assert_eq!(views[0].0, "checkpoints");
        assert_eq!(views[0].1[..2], ["place", "next"]);
    }
}
