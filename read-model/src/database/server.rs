//! Pooled connections to PostgreSQL, each use within a deadline. One that falls silent, or that can't write any more, is
//! closed instead of used again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, Postgres};
use tokio::time::timeout;

use super::hosts::Hosts;
use super::limits::{LOCK, ON_THE_WAY, PATIENCE, STATEMENT};
use crate::error::Error;

/// A connection that was idle for this long is tested before use: its server may have gone meanwhile.
const IDLE: Duration = Duration::from_secs(1);
/// How long the test of a connection may take.
const TEST: Duration = Duration::from_secs(1);
/// The least time between two changes of the host. Connections that fail together change it once.
const BETWEEN_HOSTS: Duration = Duration::from_millis(200);

/// The servers of a URL, one of them in use.
pub(crate) struct Server {
    pool: PgPool,
    shared: Arc<SharedServer>,
}

/// What the callbacks of the pool and its users share.
struct SharedServer {
    hosts: Vec<PgConnectOptions>,
    current: AtomicUsize,
    changed_at: Mutex<Instant>,
    /// Connections made before this instant are closed instead of used.
    distrusted: Mutex<Instant>,
    /// For the callbacks. Taken out by the end of the [`Server`], because the pool owns its callbacks.
    pool: Mutex<Option<PgPool>>,
}

impl Server {
    /// Connects, and refuses what can't hold the views.
    pub(super) async fn connect(url: &str, connections: u32) -> Result<Self, Error> {
        let Hosts { options, must_write } = Hosts::parse(url)?;
        let first = options[0].clone();
        let shared = Arc::new(SharedServer {
            hosts: options,
            current: AtomicUsize::new(0),
            changed_at: Mutex::new(Instant::now()),
            distrusted: Mutex::new(Instant::now()),
            pool: Mutex::new(None),
        });
        let (made, used) = (shared.clone(), shared.clone());
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                let shared = made.clone();
                Box::pin(async move {
                    sqlx::raw_sql(AssertSqlSafe(settings())).execute(&mut *connection).await?;
                    if must_write && is_read_only(connection).await? {
                        shared.change_host();
                        return Err(sqlx::Error::Configuration("the server takes no writes".into()));
                    }
                    Ok(())
                })
            })
            .before_acquire(move |connection, meta| {
                let shared = used.clone();
                Box::pin(async move {
                    let is_distrusted = Instant::now()
                        .checked_sub(meta.age)
                        .is_none_or(|made| made < *lock(&shared.distrusted));
                    if is_distrusted {
                        return Ok(false);
                    }
                    Ok(meta.idle_for <= IDLE || matches!(timeout(TEST, connection.ping()).await, Ok(Ok(()))))
                })
            })
            .connect_lazy_with(first);
        *lock(&shared.pool) = Some(pool.clone());
        let server = Self { pool, shared };
        server.require_utf8().await?;
        server.require_sessions().await?;
        Ok(server)
    }

    /// A connection for one use.
    pub(super) async fn lease(&self) -> Result<Lease, sqlx::Error> {
        let mut hosts_left = self.shared.hosts.len();
        loop {
            hosts_left -= 1;
            let since = Instant::now();
            match self.pool.acquire().await {
                Ok(connection) => {
                    let shared = self.shared.clone();
                    return Ok(Lease { connection: Some(connection), shared, since, state: State::Idle });
                }
                Err(sqlx::Error::PoolTimedOut | sqlx::Error::Io(_)) if hosts_left > 0 => {
                    self.shared.change_host();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// A connection that hears notifications, to the host in use.
    pub(crate) async fn listener(&self) -> Result<PgListener, sqlx::Error> {
        // Finds the host that works.
        drop(self.lease().await?);
        let options = self.shared.hosts[self.shared.current.load(Ordering::Relaxed)].clone();
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_with(options)
            .await?;
        PgListener::connect_with(&pool).await
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Refuses a database in which not every name can be stored.
    async fn require_utf8(&self) -> Result<(), Error> {
        let found = "SELECT current_database()::text, current_setting('server_encoding')";
        let mut lease = self.lease().await?;
        let asking = sqlx::query_as(found).persistent(false).fetch_one(lease.begin_use());
        let answer = timeout(STATEMENT + ON_THE_WAY, asking).await;
        let (name, encoding): (String, String) = lease.end_use(answer)?;
        if encoding == "UTF8" {
            return Ok(());
        }
        Err(Error::Unsuitable(format!(
            "the database `{name}` has the encoding {encoding}, which can't store every name; create one with ENCODING \
             'UTF8'"
        )))
    }

    /// Refuses a pooler that gives a connection another session for each transaction. Settings, prepared statements and
    /// notifications belong to a session.
    async fn require_sessions(&self) -> Result<(), Error> {
        let (mut one, mut other) = (self.lease().await?, self.lease().await?);
        let before = one.session().await?;
        other.run("BEGIN").await?;
        let beside = other.session().await?;
        // While `other` is inside a transaction, a pooler can't give its session to `one` as well.
        let is_pooled = before == beside || one.session().await? != before;
        other.run("ROLLBACK").await?;
        if !is_pooled {
            return Ok(());
        }
        Err(Error::Unsuitable(
            "a pooler before PostgreSQL shares sessions among connections (PgBouncer: pool_mode transaction or \
             statement); the views need pool_mode session"
                .to_owned(),
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        lock(&self.shared.pool).take();
    }
}

impl SharedServer {
    /// Closes connections that were made before this instant when they are next asked for.
    fn distrust(&self, made_before: Instant) {
        let mut distrusted = lock(&self.distrusted);
        *distrusted = made_before.max(*distrusted);
    }

    /// Connects to the next host from now on.
    fn change_host(&self) {
        let mut changed_at = lock(&self.changed_at);
        if self.hosts.len() < 2 || changed_at.elapsed() < BETWEEN_HOSTS {
            return;
        }
        *changed_at = Instant::now();
        let next = (self.current.load(Ordering::Relaxed) + 1) % self.hosts.len();
        self.current.store(next, Ordering::Relaxed);
        if let Some(pool) = &*lock(&self.pool) {
            pool.set_connect_options(self.hosts[next].clone());
        }
        tracing::info!(
            host = self.hosts[next].get_host(),
            "the database of the views is asked on another host"
        );
    }
}

/// A connection for one use. Where a use fails in a way that the connection doesn't survive, and where it is given up
/// half-way and the server doesn't answer any more, it is closed instead of going back to the pool.
pub(crate) struct Lease {
    connection: Option<PoolConnection<Postgres>>,
    shared: Arc<SharedServer>,
    since: Instant,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    InUse,
    InTransaction,
}

impl Lease {
    /// The connection for a statement whose answer goes to [`Self::end_use`].
    pub(super) fn begin_use(&mut self) -> &mut PgConnection {
        if self.state == State::Idle {
            self.state = State::InUse;
        }
        self.connection.as_mut().expect("it is taken by a failed use, and no use follows that")
    }

    /// The answer, unless none has come in time.
    pub(super) fn end_use<T>(
        &mut self,
        answer: Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, sqlx::Error> {
        let answer = answer.unwrap_or_else(|_| {
            let silent = "the database does not answer any more on this connection";
            Err(std::io::Error::new(std::io::ErrorKind::TimedOut, silent).into())
        });
        if self.state == State::InUse {
            self.state = State::Idle;
        }
        if answer.as_ref().is_err_and(is_of_connection) {
            // Others of its age have most likely met the same.
            self.shared.distrust(self.since);
            self.discard();
        }
        answer
    }

    /// Runs a statement without values.
    pub(super) async fn run(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        let answer = timeout(STATEMENT + ON_THE_WAY, sqlx::raw_sql(text).execute(self.begin_use())).await;
        self.end_use(answer).map(drop)
    }

    /// Begins a transaction. Until [`Self::commit`], dropping the lease rolls it back.
    pub(super) async fn begin(&mut self, limit: Duration) -> Result<(), sqlx::Error> {
        let text = format!("BEGIN; SET LOCAL statement_timeout = {}", limit.as_millis());
        self.state = State::InTransaction;
        let beginning = sqlx::raw_sql(AssertSqlSafe(text)).execute(self.begin_use());
        let answer = timeout(STATEMENT + ON_THE_WAY, beginning).await;
        self.end_use(answer).map(drop)
    }

    pub(super) async fn commit(&mut self, limit: Duration) -> Result<(), sqlx::Error> {
        let answer = timeout(limit, sqlx::raw_sql("COMMIT").execute(self.begin_use())).await;
        self.end_use(answer)?;
        self.state = State::Idle;
        Ok(())
    }

    /// The server process behind the connection.
    async fn session(&mut self) -> Result<i32, sqlx::Error> {
        use sqlx::Row;

        let asking = sqlx::raw_sql("SELECT pg_backend_pid()").fetch_one(self.begin_use());
        let answer = timeout(STATEMENT + ON_THE_WAY, asking).await;
        self.end_use(answer)?.try_get(0)
    }

    /// Closes the connection without a word to the server: it may not listen any more.
    fn discard(&mut self) {
        drop(self.connection.take().map(PoolConnection::detach));
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.state == State::Idle {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return drop(connection.detach()) };
        let end = if self.state == State::InTransaction { "ROLLBACK" } else { "" };
        runtime.spawn(async move {
            let ending = sqlx::raw_sql(end).execute(&mut *connection);
            if !matches!(timeout(TEST, ending).await, Ok(Ok(_))) {
                drop(connection.detach());
            }
        });
    }
}

/// What a session needs. Not among the start parameters, because a pooler takes no unknown ones.
fn settings() -> String {
    format!(
        "SET search_path = views; \
         SET jit = off; \
         SET statement_timeout = {}; \
         SET lock_timeout = {}; \
         SET idle_in_transaction_session_timeout = 30000; \
         SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; \
         SET tcp_user_timeout = 10000",
        STATEMENT.as_millis(),
        LOCK.as_millis()
    )
}

async fn is_read_only(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    use sqlx::Row;

    let row = sqlx::raw_sql("SHOW transaction_read_only").fetch_one(connection).await?;
    Ok(row.try_get::<String, _>(0)? == "on")
}

/// The server has become one that takes no writes (SQLSTATE 25006).
pub(super) fn is_read_only_error(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().as_deref() == Some("25006"))
}

/// Another connection may do better.
pub(super) fn is_of_connection(error: &sqlx::Error) -> bool {
    is_read_only_error(error) || is_lost(error)
}

/// The connection is of no more use.
fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        // Connection exceptions, and a server that shuts down.
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "57P03")),
        _ => false,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;
    use crate::statement::sql;

    #[tokio::test(flavor = "multi_thread")]
    async fn f03_connections_that_became_read_only_are_replaced() {
        let Ok(url) = std::env::var("DATABASE_URL") else {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "DATABASE_URL must say where PostgreSQL is"
            );
            eprintln!("SKIPPED: DATABASE_URL names no PostgreSQL; ./test brings one");
            return;
        };
        let server = Arc::new(Server::connect(&url, 2).await.unwrap());
        let mut leases = [server.lease().await.unwrap(), server.lease().await.unwrap()];
        for lease in &mut leases {
            lease.run("SET default_transaction_read_only = on").await.unwrap();
        }
        drop(leases);
        let database = Database::Postgres(server);
        // Changes nothing, and is refused in a transaction that takes no writes.
        let write = || sql("CREATE SCHEMA IF NOT EXISTS public");
        for _ in 0..4 {
            database.execute(write()).await.unwrap();
        }
    }
}
