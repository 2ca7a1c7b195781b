//! Views of a test's own, on either database, removed when the test ends.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use read_model::{ReadModel, ViewWriter, ViewsAt};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::task::LocalSet;
use uuid::Uuid;

/// A place for the views and the log of a test.
pub(crate) struct Stage {
    pub(crate) directory: tempfile::TempDir,
    postgres: Option<String>,
    times: AtomicU64,
}

/// Views that a test reads, and that its projections fill.
#[derive(Clone)]
pub(crate) struct Views(Arc<ViewWriter>);

impl Views {
    pub(crate) fn writer(&self) -> &Arc<ViewWriter> {
        &self.0
    }
}

impl Deref for Views {
    type Target = ReadModel;

    fn deref(&self) -> &ReadModel {
        self.0.views()
    }
}

/// Runs each test on both databases.
macro_rules! on_both {
    ($($test:ident)*) => {$(
        mod $test {
            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                crate::stage::on_sqlite(super::$test).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                crate::stage::on_postgres(super::$test).await;
            }
        }
    )*};
}
pub(crate) use on_both;

pub(crate) async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Stage) -> F) {
    test(Stage::new(None)).await;
}

pub(crate) async fn on_postgres<F: Future<Output = ()> + 'static>(test: impl FnOnce(Stage) -> F) {
    let Ok(server) = std::env::var("DATABASE_URL") else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "DATABASE_URL must say where PostgreSQL is");
        eprintln!(
            "!!!! LEFT OUT: no PostgreSQL (DATABASE_URL is not set). ./test starts one and runs everything."
        );
        return;
    };
    let name = format!("muster_test_{}", Uuid::now_v7().simple());
    run(&server, &format!("CREATE DATABASE {name}")).await;
    let address = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
    // In a task of its own, so that the database is dropped even if the test panics.
    let test = test(Stage::new(Some(address)));
    let ended = LocalSet::new().run_until(async { tokio::task::spawn_local(test).await }).await;
    run(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(failed) = ended {
        std::panic::resume_unwind(failed.into_panic());
    }
}

async fn run(server: &str, statement: &str) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

impl Stage {
    fn new(postgres: Option<String>) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), postgres, times: AtomicU64::new(0) }
    }

    /// Where the present views are.
    pub(crate) fn at(&self) -> ViewsAt {
        let directory = || self.directory.path().join(format!("views-{}", self.times.load(Ordering::SeqCst)));
        self.postgres.as_ref().map_or_else(
            || ViewsAt::Sqlite { directory: directory() },
            |url| ViewsAt::Postgres { url: url.clone(), connections: 4 },
        )
    }

    /// The present views.
    pub(crate) async fn views(&self) -> Views {
        Views(Arc::new(ViewWriter::open(&self.at()).await.unwrap()))
    }

    /// Empty views.
    pub(crate) async fn fresh(&self) -> Views {
        self.times.fetch_add(1, Ordering::SeqCst);
        if let Some(url) = &self.postgres {
            run(url, "DROP SCHEMA IF EXISTS views CASCADE; DROP SCHEMA IF EXISTS operational CASCADE").await;
        }
        self.views().await
    }

    /// The number that a query of the views finds.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        let query = AssertSqlSafe(query.to_owned());
        match (&self.postgres, self.at()) {
            (Some(url), _) => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                sqlx::raw_sql("SET search_path = views").execute(&mut connection).await.unwrap();
                sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
            }
            (None, ViewsAt::Sqlite { directory }) => {
                let file = format!("sqlite://{}", directory.join("views.db").display());
                let mut connection = sqlx::SqliteConnection::connect(&file).await.unwrap();
                sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
            }
            (None, ViewsAt::Postgres { .. }) => unreachable!("a stage without a server is on SQLite"),
        }
    }

    /// Runs statements on the views directly.
    pub(crate) async fn tamper(&self, statements: &str) {
        match (&self.postgres, self.at()) {
            (Some(url), _) => run(url, &format!("SET search_path = views; {statements}")).await,
            (None, ViewsAt::Sqlite { directory }) => {
                let file = format!("sqlite://{}", directory.join("views.db").display());
                let mut connection = sqlx::SqliteConnection::connect(&file).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await.unwrap();
            }
            (None, ViewsAt::Postgres { .. }) => unreachable!("a stage without a server is on SQLite"),
        }
    }
}
