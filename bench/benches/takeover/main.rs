//! Takeovers as callers meet them: of three command services one is killed, or told to end, again and again under load.

mod callers;
mod fleet;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bench::{commands, population};
use clap::Parser;
use event_log::kafka::{KafkaLog, KafkaSettings, ensure_topics};
use event_log::{EventLog, Owners};
use load::{Line, Measured, Report, Show, Who};
use tokio::time::{Instant, timeout};

use crate::callers::Callers;
use crate::fleet::{End, Fleet};

const PARTITIONS: u32 = 8;
const SERVICES: usize = 3;
/// With at least this many users, every partition has enough events for a snapshot.
const SNAPSHOTS_FROM: u64 = 200_000;
const LOOK: Duration = Duration::from_millis(200);
/// How long the others may take for what one has left, whatever the size of the log.
const PATIENCE: Duration = Duration::from_mins(3);

/// Ends command services under load and measures for how long their partitions give no answer.
#[derive(Parser)]
struct Arguments {
    /// `host:port` of a Kafka broker.
    #[arg(long, env = "MUSTER_TEST_KAFKA")]
    kafka: String,
    /// The binary of Muster.
    #[arg(long, env = "MUSTER_TEST_BENCH_BINARY", default_value = "target/dist/muster")]
    binary: PathBuf,
    /// The token of the deployments that are made.
    #[arg(long, env = "MUSTER_SERVICE_TOKEN", hide_env_values = true)]
    token: String,
    /// Users of the logs.
    #[arg(long, value_name = "NUMBER,…", value_delimiter = ',', default_values_t = [0, 1_000_000])]
    users: Vec<u64>,
    /// How often a service is ended in each way.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    #[command(flatten)]
    show: Show,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut report = Report::begin(&arguments.show);
    report.section("one of three command services ends, each pause of a partition");
    for &users in &arguments.users {
        let settings = KafkaSettings::new(&arguments.kafka, format!("{}.", commands::run_name()));
        ensure_topics(&settings, PARTITIONS, 1).await?;
        let prefix = settings.prefix.clone();
        let log: Arc<dyn EventLog> = KafkaLog::connect(settings).await?;
        population::fill(&log, users).await?;
        let mut fleet = Fleet::try_new(&arguments.binary, &arguments.kafka, &prefix, &arguments.token)?;
        for _ in 0..SERVICES {
            fleet.start_one().await?;
        }
        let callers = Callers::begin(&log, &arguments.token)?;
        // As it is in a deployment that has run for a while.
        if users >= SNAPSHOTS_FROM {
            timeout(PATIENCE, kept(&fleet)).await.context("not every partition gets a snapshot")??;
        }
        for end in [End::Killed, End::Told] {
            let mut pauses = Measured::new(Duration::ZERO);
            let begun = Instant::now();
            callers.take_all();
            for round in 0..arguments.rounds {
                settle(&log, &fleet, &callers).await?;
                for pause in once(&log, &mut fleet, &callers, end, round % SERVICES).await? {
                    pauses.take(pause, Ok(()));
                }
                fleet.start_one().await?;
            }
            let mut answers = callers.take_all();
            (pauses.duration, answers.duration) = (begun.elapsed(), begun.elapsed());
            let what = match end {
                End::Killed => "kill -9",
                End::Told => "SIGTERM",
            };
            let load = format!("{users} users");
            report.line(Line::new(Who::Muster, format!("{what}: pause of a partition"), &load, &pauses));
            report.line(Line::new(Who::Muster, format!("{what}: every command"), &load, &answers));
        }
    }
    report.finish()
}

/// Waits until the owner of every partition has kept a snapshot.
async fn kept(fleet: &Fleet) -> Result<()> {
    let http = reqwest::Client::new();
    while fleet.snapshots(&http).await? < u64::from(PARTITIONS) {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Waits until every service has its share and every partition answers.
async fn settle(log: &Arc<dyn EventLog>, fleet: &Fleet, callers: &Callers) -> Result<()> {
    let least = PARTITIONS as usize / SERVICES;
    let shared = |owners: &Owners| {
        let of = |url: &str| owners.values().filter(|owner| owner.url == url).count();
        fleet.urls().all(|url| of(url) >= least) && fleet.urls().map(of).sum::<usize>() == PARTITIONS as usize
    };
    let mut owners = log.owners();
    timeout(PATIENCE, owners.wait_for(shared)).await.context("the partitions are not shared evenly")??;
    timeout(PATIENCE, callers.all_answered()).await.context("a partition gives no answer")?
}

/// Ends one service and says for how long each of its partitions gave no answer.
async fn once(
    log: &Arc<dyn EventLog>,
    fleet: &mut Fleet,
    callers: &Callers,
    end: End,
    index: usize,
) -> Result<Vec<Duration>> {
    let url = fleet.urls().nth(index).context("there are as many services as rounds go through")?.to_owned();
    let mut owners = log.owners();
    let of_it = |owners: &Owners| -> Vec<u32> {
        let its = owners.iter().filter(|(_, owner)| owner.url == url);
        its.map(|(partition, _)| *partition).collect()
    };
    let partitions = of_it(&owners.borrow());
    callers.begin_to_watch();
    fleet.end(index, end).await?;
    let gone = owners.wait_for(|owners| of_it(owners).is_empty());
    timeout(PATIENCE, gone).await.context("nobody takes over")??;
    timeout(PATIENCE, callers.pauses(&partitions)).await.context("a partition gives no answer")?
}
