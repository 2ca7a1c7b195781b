//! Churn: millions of commands about a population that stays the same, while memory and descriptors of the owner are watched.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench::churn::Population;
use bench::commands::{self, Group};
use bench::muster::{Http, Way};
use bench::watched::{Trend, Watched};
use clap::Parser;
use load::report::say;
use load::{Line, Measured, Report, Show, Turn, Who};
use tokio::time::{Instant, sleep, sleep_until};

/// Owners remember every command of two minutes, so until then memory grows with the rate of commands.
const REMEMBERED: f64 = 120.0;
/// Growth over the judged time that counts as level, as a share: allocators breathe.
const LEVEL: f64 = 0.05;
/// By how many descriptors the second half may have more than the first: connections of clients come and go.
const BREATH: usize = 8;
const MIB: f64 = 1_048_576.0;

/// Drives a command service with a mixture of commands and watches its memory and its descriptors.
#[derive(Parser)]
struct Arguments {
    /// What is measured, in words.
    #[arg(long, env = "MUSTER_TEST_BENCH_NAME")]
    name: String,
    /// Base address of a command service that owns every partition.
    #[arg(long, env = "MUSTER_TEST_BENCH_COMMANDS")]
    url: String,
    /// The token of its deployment.
    #[arg(long, env = "MUSTER_SERVICE_TOKEN", hide_env_values = true)]
    token: String,
    /// Id of its process.
    #[arg(long, env = "MUSTER_TEST_BENCH_PROCESS")]
    process: u32,
    /// Commands in all.
    #[arg(long, default_value_t = 2_000_000)]
    commands: u64,
    /// Commands per second at most. Slow enough that most of the run comes after the two minutes for which owners
    /// remember every command.
    #[arg(long, default_value_t = 5_000.0)]
    rate: f64,
    /// Users, about.
    #[arg(long, default_value_t = 20_000)]
    users: u64,
    /// Clients, each with users of its own.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=4_096))]
    clients: u64,
    /// Seconds between two looks at the process.
    #[arg(long, default_value_t = 5)]
    every: u64,
    #[command(flatten)]
    show: Show,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let way = Way::Http(Http::try_new(&arguments.url, arguments.token.clone())?);
    let run = commands::run_name();
    let group = Group::created(&run, way.submit(Group::creation(&run)).await?)?;
    let population = Arc::new(Population::new(run, arguments.users, arguments.clients, group));
    ensure!(
        arguments.commands > population.beginning(),
        "fewer commands than it takes to have every user there"
    );

    let mut report = Report::begin(&arguments.show);
    say(&format!("churn, {}: {} users, {} commands", arguments.name, population.users(), arguments.commands));
    let ended = Arc::new(AtomicBool::new(false));
    let watching =
        tokio::spawn(watch(arguments.process, Duration::from_secs(arguments.every), ended.clone()));
    let begun = Instant::now();
    let clients: Vec<_> = (0..arguments.clients)
        .map(|client| {
            let pace = Pace {
                begun,
                rate: arguments.rate,
                clients: arguments.clients,
                commands: arguments.commands,
            };
            tokio::spawn(drive(way.clone(), population.clone(), client, pace))
        })
        .collect();
    let mut measured = Measured::new(Duration::ZERO);
    for client in clients {
        measured.add(client.await?);
    }
    measured.duration = begun.elapsed();
    ended.store(true, Ordering::Relaxed);
    let watched = watching.await??;

    report.section(format!("churn, {}", arguments.name));
    let load = load::line::rate(arguments.rate);
    report.line(Line::new(Who::Muster, "a mixture of commands, HTTP door", load, &measured));
    let seconds = measured.duration.as_secs_f64();
    let is_level = judge(&watched, seconds, measured.per_second(), &mut report);
    let code = report.finish()?;
    Ok(if is_level { code } else { ExitCode::from(1) })
}

/// How fast one client is to be, and for how long.
struct Pace {
    begun: Instant,
    rate: f64,
    clients: u64,
    commands: u64,
}

impl Pace {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn due(&self, number: u64) -> Instant {
        self.begun + Duration::from_secs_f64(number as f64 / self.rate)
    }
}

async fn drive(way: Way, population: Arc<Population>, client: u64, pace: Pace) -> Measured {
    let mut measured = Measured::new(Duration::ZERO);
    for count in 0.. {
        let number = count * pace.clients + client;
        if number >= pace.commands {
            break;
        }
        let due = pace.due(number);
        sleep_until(due).await;
        // A client that is late begins at once; only waiting for an answer counts.
        let sent = due.max(Instant::now());
        let outcome = way.clone().accept(population.command(Turn { client, count, number })).await;
        measured.take(sent.elapsed(), outcome);
    }
    measured
}

/// Looks until the commands are done.
async fn watch(process: u32, every: Duration, ended: Arc<AtomicBool>) -> Result<Watched> {
    let mut watched = Watched::new(process);
    say("  seconds   resident MiB   descriptors");
    while !ended.load(Ordering::Relaxed) {
        let sample = watched.look().context("the command service ended")?;
        say(&format!("{:>9.0} {:>14.1} {:>13}", sample.seconds, sample.resident / MIB, sample.descriptors));
        sleep(every).await;
    }
    Ok(watched)
}

/// Says whether memory and descriptors stayed where they were once everything had been there for a while.
fn judge(watched: &Watched, seconds: f64, per_second: f64, report: &mut Report) -> bool {
    let settled = (seconds / 5.0).max(REMEMBERED + 15.0);
    let Some(trend) = Trend::of(watched.since(settled)) else {
        report.note(&format!(
            "no verdict: it ended after {seconds:.0} s, and is judged from {settled:.0} s on"
        ));
        return true;
    };
    let growth = trend.growth(seconds - settled);
    let (is_level, is_steady) = (growth < LEVEL, trend.leaked <= BREATH);
    report.note(&format!(
        "from {settled:.0} s to {seconds:.0} s resident memory was {:.1} MiB on average and moved by {:+.2} %, {:+.1} \
         bytes a command: {}; {} more descriptors than before: {}",
        trend.mean / MIB,
        growth * 100.0,
        trend.slope / per_second,
        if is_level { "LEVEL" } else { "IT GROWS" },
        trend.leaked,
        if is_steady { "STEADY" } else { "THEY GROW" },
    ));
    is_level && is_steady
}
