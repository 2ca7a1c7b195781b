//! Databases of a test's own on the server that `DATABASE_URL` names, removed when the test ends.

use std::future::Future;

use read_model::ViewsAt;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::task::LocalSet;
use uuid::Uuid;

/// Runs a test with the URL of a database that was made with these options.
pub(crate) async fn with_database<F: Future<Output = ()> + 'static>(
    options: &str,
    test: impl FnOnce(String) -> F,
) {
    let Ok(server) = std::env::var("DATABASE_URL") else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "DATABASE_URL must say where PostgreSQL is");
        eprintln!("SKIPPED: DATABASE_URL names no PostgreSQL; ./test brings one");
        return;
    };
    let name = format!("muster_test_{}", Uuid::now_v7().simple());
    run(&server, &format!("CREATE DATABASE {name} {options}")).await;
    let test = test(format!("{}/{name}", server.rsplit_once('/').unwrap().0));
    // In a task of its own, so that the database is dropped even if the test panics.
    let ended = LocalSet::new().run_until(async { tokio::task::spawn_local(test).await }).await;
    run(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(failed) = ended {
        std::panic::resume_unwind(failed.into_panic());
    }
}

/// Runs statements on a connection of their own.
pub(crate) async fn run(url: &str, statements: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Views in this database.
pub(crate) fn at(url: impl Into<String>) -> ViewsAt {
    ViewsAt::Postgres { url: url.into(), connections: 4 }
}
