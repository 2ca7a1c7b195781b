//! Decide and append, in process: registrations through the owners' door, beside raw appends of the same shape.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bench::{closed_loop, commands, limits, table};
use clap::{Args, FromArgMatches};
use command_service::{CommandConfig, CommandService, Door, Reach};
use domain::command::Answer;
use event_log::EventLog;
use event_log::kafka::{KafkaLog, KafkaSettings, ensure_topics};
use event_log::sqlite::SqliteLog;
use tokio::sync::oneshot;
use tokio::time::Instant;

const CLIENTS: [usize; 3] = [1, 64, 256];
const DURATION: Duration = Duration::from_secs(8);
const PARTITIONS: u32 = 8;

#[tokio::main]
async fn main() -> Result<()> {
    table::heading("decide and append, embedded (SQLite, full fsync)");
    for clients in CLIENTS {
        let directory = tempfile::tempdir()?;
        let raw = limits::sqlite(directory.path()).await?;
        let limit = closed_loop::run(clients, DURATION, move |n| write(raw.clone(), n)).await?;
        table::line("raw multi-row INSERT", clients, &limit, None);
        let directory = tempfile::tempdir()?;
        let measured = decided(SqliteLog::open(directory.path()).await?, clients).await?;
        table::line("RegisterUser, decided and appended", clients, &measured, Some(&limit));
    }
    let Ok(brokers) = std::env::var("MUSTER_TEST_KAFKA") else {
        bail!("MUSTER_TEST_KAFKA is not set: bench/run brings a broker and measures Kafka too");
    };
    table::heading("decide and append, Kafka, 8 partitions");
    for clients in CLIENTS {
        let prefix = format!("{}.", commands::run_name());
        let settings = KafkaSettings::new(&brokers, &prefix);
        ensure_topics(&settings, PARTITIONS, 1).await?;
        // The limit writes to a topic of the same shape, made by a second prefix.
        let beside = format!("{prefix}raw.");
        ensure_topics(&KafkaSettings::new(&brokers, &beside), PARTITIONS, 1).await?;
        let raw_topic = format!("{beside}user-events");
        let raw = tokio::task::spawn_blocking({
            let brokers = brokers.clone();
            move || limits::kafka(&brokers, &raw_topic, PARTITIONS)
        });
        let raw = raw.await??;
        let limit = closed_loop::run(clients, DURATION, move |n| write(raw.clone(), n)).await?;
        table::line("raw transactions", clients, &limit, None);
        let measured = decided(KafkaLog::connect(settings).await?, clients).await?;
        table::line("RegisterUser, decided and appended", clients, &measured, Some(&limit));
    }
    Ok(())
}

async fn write(raw: limits::Limit, number: u64) -> Result<()> {
    raw.write(number).await
}

async fn decided(log: Arc<dyn EventLog>, clients: usize) -> Result<closed_loop::Measured> {
    let command = CommandConfig::augment_args(clap::Command::new("bench"));
    let config = CommandConfig::from_arg_matches(&command.get_matches_from(["bench"]))?;
    let service = CommandService::build(&config, log.clone(), Reach::InProcess).await?;
    let door = service.door();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(service.run_until_stopped(async { stopped.await.unwrap_or(()) }));
    let partitions = log.partitions();
    log.owners().wait_for(|owners| (0..partitions).all(|p| owners.contains_key(&p))).await?;
    let run = commands::run_name();
    let measured =
        closed_loop::run(clients, DURATION, move |n| register(door.clone(), run.clone(), n)).await?;
    drop(stop);
    running.await??;
    Ok(measured)
}

async fn register(door: Door, run: String, number: u64) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    match door.submit(commands::register(&run, number), deadline).await.context("no answer")? {
        Answer::Accepted { .. } => Ok(()),
        other => bail!("{other:?}"),
    }
}
