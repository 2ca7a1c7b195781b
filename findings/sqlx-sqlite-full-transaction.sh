#!/usr/bin/env bash
# After a transaction that found its SQLite database full, sqlx-sqlite 0.9.0 begins no other one on that connection, though
# there is room again: every begin_with says "attempted to call begin_with at non-zero transaction depth".
# It should begin one: SQLite has ended the transaction by itself (https://www.sqlite.org/lang_transaction.html, "Response To
# Errors Within A Transaction"), and a statement outside of a transaction is taken.
# Muster gives such a connection up: read-model/src/database/sqlite.rs, `before_acquire`.
#
#   findings/sqlx-sqlite-full-transaction.sh      needs Rust 1.95 and a C compiler; exit code 0: still so, 1: this has changed
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat >"$dir/Cargo.toml" <<'MANIFEST'
[package]
name = "full"
version = "0.0.0"
edition = "2024"

[dependencies]
sqlx = { version = "=0.9.0", default-features = false, features = ["runtime-tokio", "sqlite"] }
tokio = { version = "=1.54.1", features = ["macros", "rt"] }
MANIFEST
cat >"$dir/src/main.rs" <<'PROGRAM'
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

async fn write(pool: &SqlitePool, begin: &'static str) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin_with(begin).await?;
    sqlx::query("INSERT INTO large VALUES (zeroblob(1000000))").execute(&mut *transaction).await?;
    transaction.commit().await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), sqlx::Error> {
    let path = std::env::args().nth(1).expect("a path");
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    // A bound on the size stands for a full disk.
    sqlx::raw_sql("CREATE TABLE large (content BLOB); PRAGMA max_page_count = 10").execute(&pool).await?;
    println!("full:    {:?}", write(&pool, "BEGIN IMMEDIATE").await.map_err(|error| error.to_string()));
    sqlx::raw_sql("PRAGMA max_page_count = 100000").execute(&pool).await?;
    for _ in 0..2 {
        println!("roomy:   {:?}", write(&pool, "BEGIN IMMEDIATE").await.map_err(|error| error.to_string()));
    }
    let written = sqlx::query("INSERT INTO large VALUES (x'00')").execute(&pool).await;
    println!("without: {:?}", written.map(drop).map_err(|error| error.to_string()));
    Ok(())
}
PROGRAM
cd "$dir"
rustc --version
cargo run --quiet -- "$dir/full.db" | tee said
cargo tree --quiet --depth 2 --prefix none | grep -E '^(sqlx-sqlite|libsqlite3-sys) ' | sort -u || true
refused=$(grep -c '^roomy: .*non-zero transaction depth' said || true)
if [[ $refused == 2 ]] && grep -q '^full: .*is full' said && grep -q '^without: Ok' said; then
    echo "still so: with room again no transaction begins, and a statement without one is fine"
else
    echo "this has changed" && exit 1
fi
