//! The rows of a page by their names: what no grid can do without.

use anyhow::{Result, ensure};
use read_model::ViewsAt;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row};

/// Connections: one for each client.
const CONNECTIONS: u32 = 16;

/// The database of the views.
#[derive(Clone)]
pub(crate) enum Bare {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Bare {
    pub(crate) async fn open(at: &ViewsAt) -> Result<Self> {
        Ok(match at {
            ViewsAt::Sqlite { directory } => {
                let file = format!("sqlite://{}?mode=ro", directory.join("views.db").display());
                Self::Sqlite(SqlitePoolOptions::new().max_connections(CONNECTIONS).connect(&file).await?)
            }
            ViewsAt::Postgres { url, .. } => {
                Self::Postgres(PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?)
            }
        })
    }

    /// Reads every column of these users.
    pub(crate) async fn read(&self, names: &[String]) -> Result<()> {
        let places: Vec<_> = (1..=names.len()).map(|number| format!("${number}")).collect();
        let found = match self {
            Self::Sqlite(pool) => {
                let text = format!("SELECT * FROM users WHERE username IN ({})", places.join(", "));
                let mut query = sqlx::query(AssertSqlSafe(text));
                for name in names {
                    query = query.bind(name);
                }
                let rows = query.fetch_all(pool).await?;
                rows.iter()
                    .map(|row| row.try_get::<String, _>("username"))
                    .collect::<Result<Vec<_>, _>>()?
                    .len()
            }
            Self::Postgres(pool) => {
                let text = format!("SELECT * FROM views.users WHERE username IN ({})", places.join(", "));
                let mut query = sqlx::query(AssertSqlSafe(text));
                for name in names {
                    query = query.bind(name);
                }
                let rows = query.fetch_all(pool).await?;
                rows.iter()
                    .map(|row| row.try_get::<String, _>("username"))
                    .collect::<Result<Vec<_>, _>>()?
                    .len()
            }
        };
        ensure!(found == names.len(), "{found} of {} rows", names.len());
        Ok(())
    }
}
