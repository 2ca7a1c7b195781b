//! The database of the views: the same statements on PostgreSQL and SQLite (`docs/adr/0003-two-adapters-one-code.md`).

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Postgres, Sqlite, SqlitePool, Transaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tracing::Instrument;

use crate::error::Error;
use crate::row::FromColumns;
use crate::statement::{Sql, Value, WriteStatement};
use crate::views_at::ViewsAt;

mod hosts;
mod limits;
mod postgres;
mod server;
mod sqlite;

use limits::{ON_THE_WAY, SCHEMA, STATEMENT, WRITING};
pub(crate) use server::Server;
use server::{Lease, is_of_connection, is_read_only_error};

/// Connections to one of the two databases.
#[derive(Clone)]
pub(crate) enum Database {
    Postgres(Arc<Server>),
    Sqlite {
        /// One connection: SQLite has one writer at a time.
        writer: SqlitePool,
        readers: SqlitePool,
        /// Who may ask for that connection in the background: one at a time, so that nobody else waits behind many of them.
        background: Arc<Semaphore>,
    },
}

/// A transaction. Dropping it rolls it back.
pub(crate) enum Work {
    Postgres(Lease, Duration),
    Sqlite(
        Transaction<'static, Sqlite>,
        #[expect(dead_code, reason = "it is held until the transaction ends")] Option<OwnedSemaphorePermit>,
    ),
}

/// What one process does at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lock {
    /// Making tables.
    Schema,
    /// Applying a batch. Two transactions that move the same checkpoints in different orders would deadlock.
    Apply,
}

impl Lock {
    /// The key of the lock on PostgreSQL: the letters `muster` and a number.
    fn key(self) -> i64 {
        match self {
            Self::Schema => 0x006d_7573_7465_7201,
            Self::Apply => 0x006d_7573_7465_7202,
        }
    }
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
        Ok(match at {
            ViewsAt::Postgres { url, connections } => {
                Self::Postgres(Arc::new(Server::connect(url, *connections).await?))
            }
            ViewsAt::Sqlite { directory } => {
                let (writer, readers) = sqlite::connect(directory).await?;
                Self::Sqlite { writer, readers, background: Arc::new(Semaphore::new(1)) }
            }
        })
    }

    /// Every row of the statement.
    pub(crate) async fn all<T: FromColumns>(&self, statement: Sql) -> Result<Vec<T>, Error> {
        let rows = match self {
            Self::Postgres(server) => {
                let mut may_repeat = true;
                // Boxed, because every caller's future holds it.
                let rows = Box::pin(async {
                    loop {
                        let mut lease = server.lease().await?;
                        let asked = query!(Postgres, statement.clone()).fetch_all(lease.begin_use());
                        let answer = timeout(STATEMENT + ON_THE_WAY, asked).await;
                        match lease.end_use(answer) {
                            // What only reads is asked again on another connection.
                            Err(error) if is_of_connection(&error) && std::mem::take(&mut may_repeat) => {}
                            answer => return answer,
                        }
                    }
                });
                rows.await?.iter().map(T::from_columns).collect::<Result<_, _>>()
            }
            Self::Sqlite { readers, .. } => {
                let rows = query!(Sqlite, statement).fetch_all(readers).await?;
                rows.iter().map(T::from_columns).collect::<Result<_, _>>()
            }
        };
        Ok(rows?)
    }

    /// Every row of the statements, one statement after another.
    pub(crate) async fn all_of<T: FromColumns>(&self, statements: Vec<Sql>) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        for statement in statements {
            rows.append(&mut self.all(statement).await?);
        }
        Ok(rows)
    }

    /// The first row of the statement, if there is one.
    pub(crate) async fn maybe_one<T: FromColumns>(&self, statement: Sql) -> Result<Option<T>, Error> {
        let row = match self {
            Self::Postgres(server) => {
                let mut may_repeat = true;
                // Boxed, because every caller's future holds it.
                let row = Box::pin(async {
                    loop {
                        let mut lease = server.lease().await?;
                        let asked = query!(Postgres, statement.clone()).fetch_optional(lease.begin_use());
                        let answer = timeout(STATEMENT + ON_THE_WAY, asked).await;
                        match lease.end_use(answer) {
                            // What only reads is asked again on another connection.
                            Err(error) if is_of_connection(&error) && std::mem::take(&mut may_repeat) => {}
                            answer => return answer,
                        }
                    }
                });
                row.await?.map(|row| T::from_columns(&row)).transpose()
            }
            Self::Sqlite { readers, .. } => {
                let row = query!(Sqlite, statement).fetch_optional(readers).await?;
                row.map(|row| T::from_columns(&row)).transpose()
            }
        };
        Ok(row?)
    }

    /// The row of a statement that always has one.
    pub(crate) async fn one<T: FromColumns>(&self, statement: Sql) -> Result<T, Error> {
        self.maybe_one(statement).await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Changes rows. Returns how many.
    pub(crate) async fn execute(&self, statement: Sql) -> Result<u64, Error> {
        match self {
            Self::Postgres(server) => {
                let mut may_repeat = true;
                let done = Box::pin(async {
                    loop {
                        let mut lease = server.lease().await?;
                        let asked = query!(Postgres, statement.clone()).execute(lease.begin_use());
                        let answer = timeout(STATEMENT + ON_THE_WAY, asked).await;
                        match lease.end_use(answer) {
                            // Nothing was written.
                            Err(error) if is_read_only_error(&error) && std::mem::take(&mut may_repeat) => {}
                            answer => return answer,
                        }
                    }
                });
                Ok(done.await?.rows_affected())
            }
            Self::Sqlite { writer, .. } => {
                Ok(query!(Sqlite, statement).execute(writer).await?.rows_affected())
            }
        }
    }

    /// Runs a transaction to its end, even if the caller is dropped meanwhile. A connection dropped during BEGIN would go
    /// back to its pool inside a transaction, and everything written through it later would be lost.
    pub(crate) async fn whole<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
        match tokio::spawn(work.in_current_span()).await {
            Ok(done) => done,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is ending, and the caller with it.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Begins a transaction that writes. Only within [`Database::whole`].
    pub(crate) async fn begin(&self) -> Result<Work, Error> {
        self.begin_within(WRITING).await
    }

    /// Begins a transaction that makes tables.
    pub(crate) async fn begin_schema(&self) -> Result<Work, Error> {
        self.begin_within(SCHEMA).await
    }

    async fn begin_within(&self, limit: Duration) -> Result<Work, Error> {
        match self {
            Self::Postgres(server) => {
                let mut lease = server.lease().await?;
                lease.begin(limit).await?;
                Ok(Work::Postgres(lease, limit + ON_THE_WAY))
            }
            // Without IMMEDIATE, a transaction that reads first may be refused its write.
            Self::Sqlite { writer, .. } => {
                Ok(Work::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?, None))
            }
        }
    }

    /// Begins a transaction that many do side by side, and that nobody else is to wait behind. Only within [`Database::whole`].
    pub(crate) async fn begin_in_background(&self) -> Result<Work, Error> {
        let Self::Sqlite { background, .. } = self else { return self.begin().await };
        let permit = Arc::clone(background).acquire_owned().await.expect("it is never closed");
        match self.begin().await? {
            Work::Sqlite(work, _) => Ok(Work::Sqlite(work, Some(permit))),
            work @ Work::Postgres(..) => Ok(work),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Postgres(server) => server.close().await,
            Self::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

impl Work {
    /// Changes rows. Returns how many.
    pub(crate) async fn change(&mut self, change: WriteStatement) -> Result<u64, Error> {
        match (self, change) {
            (work, WriteStatement::One(statement)) => work.execute(statement).await,
            (_, WriteStatement::Rows(rows)) if rows.values.is_empty() => Ok(0),
            (Self::Postgres(lease, limit), WriteStatement::Rows(rows)) => {
                let answer = timeout(*limit, postgres::change(lease.begin_use(), rows)).await;
                Ok(lease.end_use(answer)?)
            }
            (work @ Self::Sqlite(..), WriteStatement::Rows(rows)) => {
                let mut changed = 0;
                for statement in rows.into_lists() {
                    changed += work.execute(statement).await?;
                }
                Ok(changed)
            }
        }
    }

    /// Changes rows with one statement. Returns how many.
    pub(crate) async fn execute(&mut self, statement: Sql) -> Result<u64, Error> {
        match self {
            Self::Postgres(lease, limit) => {
                let asked = query!(Postgres, statement).execute(lease.begin_use());
                let answer = timeout(*limit, asked).await;
                Ok(lease.end_use(answer)?.rows_affected())
            }
            Self::Sqlite(work, _) => {
                Ok(query!(Sqlite, statement).execute(&mut **work).await?.rows_affected())
            }
        }
    }

    /// The first row of the statement, if there is one.
    pub(crate) async fn maybe_one<T: FromColumns>(&mut self, statement: Sql) -> Result<Option<T>, Error> {
        let row = match self {
            Self::Postgres(lease, limit) => {
                let asked = query!(Postgres, statement).fetch_optional(lease.begin_use());
                let answer = timeout(*limit, asked).await;
                lease.end_use(answer)?.map(|row| T::from_columns(&row)).transpose()
            }
            Self::Sqlite(work, _) => {
                let row = query!(Sqlite, statement).fetch_optional(&mut **work).await?;
                row.map(|row| T::from_columns(&row)).transpose()
            }
        };
        Ok(row?)
    }

    /// Waits for a lock, and holds it until the transaction ends. SQLite has one writer at a time and needs none.
    pub(crate) async fn lock(&mut self, lock: Lock) -> Result<(), Error> {
        match self {
            Self::Postgres(lease, limit) => {
                let answer = timeout(*limit, postgres::lock(lease.begin_use(), lock.key())).await;
                Ok(lease.end_use(answer)?)
            }
            Self::Sqlite(..) => Ok(()),
        }
    }

    /// Notifies the other processes when the transaction commits. On SQLite there is none.
    pub(crate) async fn notify(&mut self, channel: &str, text: &str) -> Result<(), Error> {
        match self {
            Self::Postgres(lease, limit) => {
                let answer = timeout(*limit, postgres::notify(lease.begin_use(), channel, text)).await;
                Ok(lease.end_use(answer)?)
            }
            Self::Sqlite(..) => Ok(()),
        }
    }

    /// Runs a script: several statements without values.
    pub(crate) async fn script(&mut self, script: &'static str) -> Result<(), Error> {
        match self {
            Self::Postgres(lease, limit) => {
                let answer = timeout(*limit, sqlx::raw_sql(script).execute(lease.begin_use())).await;
                lease.end_use(answer).map(drop)?;
            }
            Self::Sqlite(work, _) => sqlx::raw_sql(script).execute(&mut **work).await.map(drop)?,
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Postgres(mut lease, limit) => lease.commit(limit).await?,
            Self::Sqlite(work, _) => work.commit().await?,
        }
        Ok(())
    }
}
