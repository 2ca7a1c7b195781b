//! Two databases, one way to ask them.

use std::future::Future;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use tracing::Instrument;

use crate::error::Error;
use crate::only_postgres;
use crate::row::FromColumns;
use crate::statement::{Change, Sql, Value};

/// How long a caller waits for a connection, also while the server is away.
const PATIENCE: Duration = Duration::from_secs(3);
/// A connection that lay idle this long is tried before it is used: its server may have gone meanwhile.
const IDLE: Duration = Duration::from_secs(1);
/// Connections that read the file at a time.
const READERS: u32 = 4;
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 400;
/// Rows that SQLite's thread hands over before it waits for them to be taken.
const ROW_BUFFER: usize = 1_000;

/// Where the views are.
#[derive(Clone)]
pub enum ViewsAt {
    /// In two files of a directory: `views.db`, and `operational.db` for what is not in the log.
    Sqlite {
        /// The directory; made where it is missing.
        directory: PathBuf,
    },
    /// In a database of a server, in the schemas `views` and `operational`.
    Postgres {
        /// `postgres://user:password@host/database`.
        url: String,
        /// Most connections of this process, beside the one that listens.
        connections: u32,
    },
}

/// Never shows the password in the address.
impl std::fmt::Debug for ViewsAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { directory } => write!(f, "Sqlite({})", directory.display()),
            Self::Postgres { .. } => f.write_str("Postgres(…)"),
        }
    }
}

#[derive(Clone)]
pub(crate) enum Database {
    Postgres(PgPool),
    Sqlite {
        /// One connection: SQLite has one writer at a time.
        writer: SqlitePool,
        readers: SqlitePool,
    },
}

/// A transaction under way. Dropping it undoes it.
pub(crate) enum Work {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
}

/// A statement in the form that sqlx runs.
macro_rules! query {
    (Postgres, $statement:expr) => {{
        let mut statement: Sql = $statement;
        let text = std::mem::take(&mut statement.text);
        query!(Postgres, statement, text)
    }};
    (Sqlite, $statement:expr) => {{
        let mut statement: Sql = $statement;
        let text = statement.text_for_sqlite();
        query!(Sqlite, statement, text)
    }};
    ($database:ty, $statement:ident, $text:ident) => {{
        let statement = $statement;
        let mut query = sqlx::query::<$database>(AssertSqlSafe($text)).persistent(statement.is_kept);
        for value in statement.values {
            query = match value {
                Value::Flag(value) => query.bind(value),
                Value::Small(value) => query.bind(value),
                Value::Int(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Uuid(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
            };
        }
        query
    }};
}

impl Database {
    pub(crate) async fn connect(at: &ViewsAt) -> Result<Self, Error> {
        match at {
            ViewsAt::Postgres { url, connections } => {
                let options = PgConnectOptions::from_str(url)
                    .map_err(Error::from)?
                    .application_name("muster")
                    // Compiling a query that walks an index for a page takes longer than the page.
                    .options([("search_path", "views"), ("jit", "off")])
                    .statement_cache_capacity(STATEMENTS)
                    .disable_statement_logging();
                let pool = PgPoolOptions::new()
                    .max_connections(*connections)
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
                Ok(Self::Postgres(pool))
            }
            ViewsAt::Sqlite { directory } => {
                make_private(directory).map_err(|error| Error::Directory(directory.clone(), error))?;
                let writer = sqlite(directory, 1, false).await?;
                let readers = sqlite(directory, READERS, true).await?;
                Ok(Self::Sqlite { writer, readers })
            }
        }
    }

    /// Every row that the statement gives.
    pub(crate) async fn all<T: FromColumns>(&self, statement: Sql) -> Result<Vec<T>, Error> {
        let rows = match self {
            Self::Postgres(pool) => {
                let rows = query!(Postgres, statement).fetch_all(pool).await?;
                rows.iter().map(T::from_columns).collect::<Result<_, _>>()
            }
            Self::Sqlite { readers, .. } => {
                let rows = query!(Sqlite, statement).fetch_all(readers).await?;
                rows.iter().map(T::from_columns).collect::<Result<_, _>>()
            }
        };
        Ok(rows?)
    }

    /// Every row that the statements give, one after another.
    pub(crate) async fn all_of<T: FromColumns>(&self, statements: Vec<Sql>) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        for statement in statements {
            rows.append(&mut self.all(statement).await?);
        }
        Ok(rows)
    }

    /// The row that the statement gives, if it gives one.
    pub(crate) async fn maybe_one<T: FromColumns>(&self, statement: Sql) -> Result<Option<T>, Error> {
        let row = match self {
            Self::Postgres(pool) => {
                let row = query!(Postgres, statement).fetch_optional(pool).await?;
                row.map(|row| T::from_columns(&row)).transpose()
            }
            Self::Sqlite { readers, .. } => {
                let row = query!(Sqlite, statement).fetch_optional(readers).await?;
                row.map(|row| T::from_columns(&row)).transpose()
            }
        };
        Ok(row?)
    }

    /// The row that the statement always gives.
    pub(crate) async fn one<T: FromColumns>(&self, statement: Sql) -> Result<T, Error> {
        self.maybe_one(statement).await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Changes rows and says how many.
    pub(crate) async fn execute(&self, statement: Sql) -> Result<u64, Error> {
        match self {
            Self::Postgres(pool) => Ok(query!(Postgres, statement).execute(pool).await?.rows_affected()),
            Self::Sqlite { writer, .. } => {
                Ok(query!(Sqlite, statement).execute(writer).await?.rows_affected())
            }
        }
    }

    /// Runs what uses a transaction to its end, also when the caller goes away meanwhile: a connection whose BEGIN was
    /// not waited for goes back to its pool inside of a transaction, and whatever it writes from then on is lost.
    pub(crate) async fn whole<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
        match tokio::spawn(work.in_current_span()).await {
            Ok(done) => done,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is ending, and with it whoever waits.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Begins a transaction that writes. Only within [`Database::whole`].
    pub(crate) async fn begin(&self) -> Result<Work, Error> {
        match self {
            Self::Postgres(pool) => Ok(Work::Postgres(pool.begin().await?)),
            // Without IMMEDIATE a transaction that reads first can't be sure to be let write.
            Self::Sqlite { writer, .. } => Ok(Work::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

impl Work {
    /// Changes rows and says how many.
    pub(crate) async fn change(&mut self, change: Change) -> Result<u64, Error> {
        match (self, change) {
            (work, Change::One(statement)) => work.execute(statement).await,
            (_, Change::Rows(rows)) if rows.values.is_empty() => Ok(0),
            (Self::Postgres(work), Change::Rows(rows)) => only_postgres::change(work, rows).await,
            (work @ Self::Sqlite(_), Change::Rows(rows)) => {
                let mut changed = 0;
                for statement in rows.into_lists() {
                    changed += work.execute(statement).await?;
                }
                Ok(changed)
            }
        }
    }

    /// Changes rows with one statement and says how many.
    pub(crate) async fn execute(&mut self, statement: Sql) -> Result<u64, Error> {
        match self {
            Self::Postgres(work) => {
                Ok(query!(Postgres, statement).execute(&mut **work).await?.rows_affected())
            }
            Self::Sqlite(work) => Ok(query!(Sqlite, statement).execute(&mut **work).await?.rows_affected()),
        }
    }

    /// The row that the statement gives, if it gives one.
    pub(crate) async fn maybe_one<T: FromColumns>(&mut self, statement: Sql) -> Result<Option<T>, Error> {
        let row = match self {
            Self::Postgres(work) => {
                let row = query!(Postgres, statement).fetch_optional(&mut **work).await?;
                row.map(|row| T::from_columns(&row)).transpose()
            }
            Self::Sqlite(work) => {
                let row = query!(Sqlite, statement).fetch_optional(&mut **work).await?;
                row.map(|row| T::from_columns(&row)).transpose()
            }
        };
        Ok(row?)
    }

    /// Runs a script: several statements without values.
    pub(crate) async fn script(&mut self, script: &'static str) -> Result<(), Error> {
        match self {
            Self::Postgres(work) => sqlx::raw_sql(script).execute(&mut **work).await.map(drop)?,
            Self::Sqlite(work) => sqlx::raw_sql(script).execute(&mut **work).await.map(drop)?,
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Postgres(work) => work.commit().await?,
            Self::Sqlite(work) => work.commit().await?,
        }
        Ok(())
    }
}

/// Connections to the two files. Losing the last transactions when the computer fails is no loss for the views: the log has
/// them. Sessions that are lost so ask for one more sign-in.
async fn sqlite(directory: &Path, connections: u32, reads_only: bool) -> Result<SqlitePool, Error> {
    let options = SqliteConnectOptions::new()
        .filename(directory.join("views.db"))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .row_buffer_size(ROW_BUFFER)
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging()
        .pragma("cache_size", if reads_only { "-8192" } else { "-32768" });
    // A path in a SQL text: a quote in it is doubled.
    let operational = directory.join("operational.db").display().to_string().replace('\'', "''");
    let attach = format!(
        "ATTACH DATABASE '{operational}' AS operational; PRAGMA operational.journal_mode = WAL; \
         PRAGMA operational.synchronous = NORMAL; PRAGMA query_only = {}",
        if reads_only { "ON" } else { "OFF" }
    );
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            let attach = attach.clone();
            Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(attach)).execute(connection).await.map(drop) })
        })
        .connect_with(options)
        .await?;
    Ok(pool)
}

/// Makes the directory and its files, for this user alone. SQLite gives its side files the mode of the main one.
fn make_private(directory: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    for file in ["views.db", "operational.db"] {
        let mut options = std::fs::OpenOptions::new();
        options.create(true).append(true).mode(0o600).open(directory.join(file))?;
    }
    Ok(())
}
