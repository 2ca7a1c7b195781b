//! Decide and append, in process: registrations through the owners' door, beside raw appends of the same shape.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use bench::limits::{self, REGISTRATION};
use bench::{commands, muster};
use clap::Parser;
use event_log::EventLog;
use event_log::kafka::{KafkaLog, KafkaSettings, ensure_topics};
use event_log::sqlite::SqliteLog;
use load::{Line, Measured, Options, Report, Who, closed_loop, line, open_loop};

const PARTITIONS: u32 = 8;
const RAW_SQLITE: &str = "SQLite alone, multi-row INSERTs";
const RAW_KAFKA: &str = "Kafka alone, transactions";
const REGISTER: &str = "RegisterUser, decided and appended";

/// Measures `RegisterUser`, decided and appended in process, beside raw appends of the same shape.
#[derive(Parser)]
struct Arguments {
    /// `host:port` of a Kafka broker.
    #[arg(long, env = "MUSTER_TEST_KAFKA")]
    kafka: Option<String>,
    #[command(flatten)]
    options: Options,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let Arguments { kafka, options } = Arguments::parse();
    let mut report = Report::begin(&options.show);
    report.section("RegisterUser, embedded (SQLite, full fsync)");
    for &clients in &options.clients {
        let directory = tempfile::tempdir()?;
        let raw = limits::sqlite(directory.path()).await?;
        let limit = raw_loop(raw, clients, &options).await?;
        let limit = Line::new(Who::Limit, RAW_SQLITE, line::clients(clients), &limit);
        report.line(limit.clone());
        let directory = tempfile::tempdir()?;
        let measured = decided(SqliteLog::open(directory.path()).await?, clients, &options).await?;
        report.line(Line::new(Who::Muster, REGISTER, line::clients(clients), &measured).beside(&limit));
    }
    let Some(brokers) = kafka else {
        bail!("MUSTER_TEST_KAFKA is not set: bench/run brings a broker and measures Kafka too");
    };
    report.section("RegisterUser, Kafka, 8 partitions");
    for &clients in &options.clients {
        let settings = fresh(&brokers).await?;
        // The limit writes to topics of the same shape.
        let beside = fresh(&brokers).await?;
        let raw = {
            let brokers = brokers.clone();
            tokio::task::spawn_blocking(move || limits::kafka(&brokers, &beside.prefix, PARTITIONS)).await??
        };
        let limit = raw_loop(raw, clients, &options).await?;
        let limit = Line::new(Who::Limit, RAW_KAFKA, line::clients(clients), &limit);
        report.line(limit.clone());
        let measured = decided(KafkaLog::connect(settings).await?, clients, &options).await?;
        report.line(Line::new(Who::Muster, REGISTER, line::clients(clients), &measured).beside(&limit));
    }
    if !options.rates.is_empty() {
        report.section("RegisterUser, constant arrivals, Kafka, 8 partitions");
    }
    for &rate in &options.rates {
        let owners = muster::Owners::start(KafkaLog::connect(fresh(&brokers).await?).await?).await?;
        let (way, run) = (owners.way(), commands::run_name());
        let request = move |turn: load::Turn| way.clone().accept(commands::register(&run, turn.number));
        let measured = open_loop::run(rate, options.duration(), request).await?;
        report.line(Line::new(Who::Muster, REGISTER, line::rate(rate), &measured));
        owners.stop().await?;
    }
    report.finish()
}

/// Topics that nobody has written to.
async fn fresh(brokers: &str) -> Result<KafkaSettings> {
    let settings = KafkaSettings::new(brokers, format!("{}.", commands::run_name()));
    ensure_topics(&settings, PARTITIONS, 1).await?;
    Ok(settings)
}

async fn raw_loop(raw: limits::Limit, clients: usize, options: &Options) -> Result<Measured> {
    closed_loop::run(clients, options.duration(), move |turn| raw.clone().write(turn.number, REGISTRATION))
        .await
}

async fn decided(log: Arc<dyn EventLog>, clients: usize, options: &Options) -> Result<Measured> {
    let owners = muster::Owners::start(log).await?;
    let (way, run) = (owners.way(), commands::run_name());
    let request = move |turn: load::Turn| way.clone().accept(commands::register(&run, turn.number));
    let measured = closed_loop::run(clients, options.duration(), request).await?;
    owners.stop().await?;
    Ok(measured)
}
