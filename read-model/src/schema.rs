//! The tables. The first process that opens the views makes them, also when several open them at once.

use crate::database::{Database, Lock, Work};
use crate::error::Error;
use crate::row::{Columns, FromColumns};
use crate::statement::sql;

/// Scripts that make tables, the oldest first, each for PostgreSQL and for SQLite.
type Scripts = &'static [(&'static str, &'static str)];

/// The views are never migrated: a release that needs other ones fills them anew.
const VIEWS: Scripts = &[(include_str!("schema/postgres.sql"), include_str!("schema/sqlite.sql"))];

/// Operational state is not in the log, so it is migrated. Scripts are never changed, only added.
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

/// Makes missing tables, all or none.
pub(crate) async fn prepare(database: Database) -> Result<(), Error> {
    let mut work = database.begin_schema().await?;
    work.lock(Lock::Schema).await?;
    let formats = if matches!(work, Work::Postgres(..)) { FORMATS_POSTGRES } else { FORMATS_SQLITE };
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
        work.script(if matches!(work, Work::Postgres(..)) { postgres } else { sqlite }).await?;
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

#[cfg(test)]
mod tests {
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
    fn both_databases_have_the_same_tables_and_columns_in_the_same_order() {
        for (postgres, sqlite) in VIEWS.iter().chain(OPERATIONAL) {
            assert_eq!(tables(postgres), tables(sqlite));
            assert!(tables(postgres).iter().all(|(_, columns)| !columns.is_empty()));
        }
        let views: Vec<_> = VIEWS.iter().flat_map(|(postgres, _)| tables(postgres)).collect();
        assert_eq!(views.len(), 10);
        assert_eq!(views[0].0, "checkpoints");
        assert_eq!(views[0].1[..2], ["place", "next"]);
    }
}
