//! What owners hold, at scale: memory per user, replay beside raw reading, takeovers, latency on long logs.

mod heard;
mod process;
mod raw;
mod service;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bench::{commands, population};
use event_log::EventLog;
use event_log::kafka::{KafkaLog, KafkaSettings, ensure_topics};
use event_log::sqlite::SqliteLog;
use load::closed_loop;

use crate::heard::Heard;
use crate::process::Begun;
use crate::service::Running;

/// Users of the logs that are measured; `MUSTER_TEST_BENCH_USERS` leaves out those that are longer.
const USERS: [u64; 4] = [0, 10_000, 100_000, 1_000_000];
const CLIENTS: usize = 64;
const DURATION: Duration = Duration::from_secs(8);
const PARTITIONS: u32 = 8;
/// The directory of an embedded log that a separate process takes over. Its memory then holds nothing else.
const RESIDENT: &str = "MUSTER_TEST_BENCH_RESIDENT";
const OF_USERS: &str = "MUSTER_TEST_BENCH_OF_USERS";
const OF_EVENTS: &str = "MUSTER_TEST_BENCH_OF_EVENTS";
/// The partition that is also taken over while nothing else is.
const ALONE: u32 = 3;

#[tokio::main]
async fn main() -> Result<()> {
    let heard = Heard::install()?;
    if let Ok(directory) = std::env::var(RESIDENT) {
        return resident(Path::new(&directory), &heard).await;
    }
    let most: u64 = match std::env::var("MUSTER_TEST_BENCH_USERS") {
        Ok(most) => most.parse().context("MUSTER_TEST_BENCH_USERS is a number")?,
        Err(_) => u64::MAX,
    };
    let sizes = || USERS.into_iter().filter(|users| *users <= most);
    let only = std::env::var("MUSTER_TEST_BENCH_ONLY").ok();
    let is_wanted = |log| only.as_deref().is_none_or(|only| only == log);
    if is_wanted("embedded") {
        say("\nembedded (SQLite), one partition");
        for users in sizes() {
            embedded(users, &heard).await?;
        }
    }
    if is_wanted("kafka") {
        let brokers = std::env::var("MUSTER_TEST_KAFKA")
            .context("MUSTER_TEST_KAFKA is not set: bench/run brings a broker and measures Kafka too")?;
        say(&format!("\nKafka, {PARTITIONS} partitions"));
        for users in sizes() {
            kafka(users, &brokers, &heard).await?;
        }
    }
    Ok(())
}

async fn embedded(users: u64, heard: &Heard) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let log: Arc<dyn EventLog> = SqliteLog::open(directory.path()).await?;
    let events = fill(&log, users).await?;
    drop(log);
    let begun = Begun::now()?;
    let records = raw::sqlite(directory.path()).await?;
    line(users, "raw read", &begun.spent()?.of(records));
    let mut child = std::process::Command::new(std::env::current_exe()?);
    child.env(RESIDENT, directory.path()).env(OF_USERS, users.to_string()).env(OF_EVENTS, events.to_string());
    ensure!(child.status()?.success(), "the process that takes over failed");
    let log: Arc<dyn EventLog> = SqliteLog::open(directory.path()).await?;
    Running::start(log, heard).await?.measure(users, 0, heard).await
}

/// Takes over an embedded log in this process and says what that cost.
async fn resident(directory: &Path, heard: &Heard) -> Result<()> {
    let number = |name| anyhow::Ok(std::env::var(name)?.parse::<u64>()?);
    let (users, events) = (number(OF_USERS)?, number(OF_EVENTS)?);
    let log: Arc<dyn EventLog> = SqliteLog::open(directory).await?;
    let before = process::resident()?;
    let begun = Begun::now()?;
    let running = Running::start(log, heard).await?;
    line(users, "replay", &begun.spent()?.of(events));
    line(users, "takeover", &format!("{:.2} s", running.takeovers[0]));
    let grown = process::resident()?.saturating_sub(before);
    let each = grown.checked_div(users).unwrap_or_default();
    line(users, "resident", &format!("{} MB more, {each} bytes a user", grown / 1_000_000));
    line(users, "at most while taking over", &format!("{} MB", process::most_resident()? / 1_000_000));
    running.stop().await
}

async fn kafka(users: u64, brokers: &str, heard: &Heard) -> Result<()> {
    let prefix = format!("{}.", commands::run_name());
    let settings = KafkaSettings::new(brokers, &prefix);
    ensure_topics(&settings, PARTITIONS, 1).await?;
    let topic = format!("{prefix}user-events");
    let log: Arc<dyn EventLog> = KafkaLog::connect(settings).await?;
    let events = fill(&log, users).await?;
    for (what, partitions) in
        [("raw read, 8 at once", 0..PARTITIONS), ("raw read, one alone", ALONE..ALONE + 1)]
    {
        let begun = Begun::now()?;
        let records = raw::kafka(brokers, &topic, partitions).await?;
        line(users, what, &begun.spent()?.of(records));
    }
    let begun = Begun::now()?;
    let running = Running::start(log, heard).await?;
    line(users, "replay, 8 at once, joining the group included", &begun.spent()?.of(events));
    let longest = running.takeovers.iter().copied().fold(0.0, f64::max);
    line(users, "takeover, 8 at once, the longest", &format!("{longest:.2} s"));
    let begun = Begun::now()?;
    let alone = running.fence(ALONE, heard).await?;
    line(
        users,
        "replay, one alone, 1 s of pause included",
        &begun.spent()?.of(events / u64::from(PARTITIONS)),
    );
    line(users, "takeover, one alone", &format!("{alone:.2} s"));
    running.measure(users, ALONE, heard).await
}

impl Running {
    /// Has users registered, and then one partition taken over from a snapshot, if the log is long enough for one.
    async fn measure(self, users: u64, of: u32, heard: &Heard) -> Result<()> {
        let (door, run) = (self.door.clone(), commands::run_name());
        let known = heard.snapshots();
        let measured = closed_loop::run(CLIENTS, DURATION, move |turn: load::Turn| {
            service::register(door.clone(), commands::register(&run, turn.number))
        });
        let measured = measured.await?;
        let (half, most) = (measured.millis(50.0), measured.millis(99.0));
        let text = format!("{:.0}/s, p50 {half:.2} ms, p99 {most:.2} ms", measured.per_second());
        line(users, "RegisterUser, 64 clients", &text);
        let pauses = heard.pauses_after(known).await?;
        if !pauses.is_empty() {
            let longest = pauses.iter().copied().fold(0.0, f64::max);
            let text = format!("{} taken, the longest in {:.0} ms", pauses.len(), longest * 1_000.0);
            line(users, "snapshots meanwhile", &text);
            let alone = self.fence(of, heard).await?;
            line(users, "takeover from a snapshot", &format!("{alone:.2} s"));
        }
        self.stop().await
    }
}

/// Writes the events of this many users. Returns the number of events.
async fn fill(log: &Arc<dyn EventLog>, users: u64) -> Result<u64> {
    let begun = Instant::now();
    let events = population::fill(log, users).await?;
    line(users, "filled", &format!("{events} events in {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(events)
}

fn line(users: u64, what: &str, text: &str) {
    say(&format!("{users:>9} users  {what:<48} {text}"));
}

#[expect(clippy::print_stdout, reason = "the result of a benchmark")]
fn say(text: &str) {
    println!("{text}");
}
