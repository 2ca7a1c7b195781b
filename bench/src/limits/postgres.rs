//! Raw appends to PostgreSQL: what a log in a database could do at most, one transaction an event or in batches.

use anyhow::{Context, Result};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Executor};

use super::{HEADERS, Jobs, KEY, Limit, MOST, answer, rows};

/// As tables of event sourcing libraries are: the key is what makes two writers collide.
const TABLE: &str = "create table event (stream text not null, sequence bigint not null, kind text not null, \
    metadata text not null, payload bytea not null, primary key (stream, sequence))";
const INSERT: &str = "insert into event (stream, sequence, kind, metadata, payload) \
    select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bytea[])";

/// The limit of this many connections. Each writes what waits for it: every command in its own transaction, or in
/// batches.
pub async fn postgres(url: &str, connections: usize, in_batches: bool) -> Result<Limit> {
    let options: PgConnectOptions = url.parse().context("DATABASE_URL is no address of PostgreSQL")?;
    let mut first = options.connect().await.context("PostgreSQL does not answer")?;
    first.execute("drop database if exists bench_limit with (force)").await?;
    first.execute("create database bench_limit").await?;
    first.close().await?;
    let options = options.database("bench_limit");
    options.connect().await?.execute(TABLE).await?;
    let mut lanes = Vec::new();
    for lane in 0..connections {
        let (sender, jobs) = Jobs::lane(if in_batches { MOST } else { 1 });
        tokio::spawn(write(options.connect().await?, jobs, lane));
        lanes.push(sender);
    }
    Ok(Limit::new(lanes))
}

async fn write(mut connection: PgConnection, mut jobs: Jobs, lane: usize) {
    let (headers, body) = ("h".repeat(HEADERS), vec![b'b'; 256]);
    let mut sequence = 0_i64;
    while let Some(batch) = jobs.waiting().await {
        let (mut streams, mut sequences, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
        let (mut metadata, mut payloads) = (Vec::new(), Vec::new());
        for row in rows(&batch) {
            sequence += 1;
            streams.push(format!("{:k<KEY$}", format!("{lane}-{sequence}")));
            sequences.push(sequence);
            kinds.push("muster.user.registered");
            metadata.push(&headers[..row.headers()]);
            payloads.push(&body[..row.body]);
        }
        let insert =
            sqlx::query(INSERT).bind(streams).bind(sequences).bind(kinds).bind(metadata).bind(payloads);
        if insert.execute(&mut connection).await.is_err() {
            return;
        }
        answer(batch);
    }
}
