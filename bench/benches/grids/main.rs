//! The users grid of a running Muster: every page beside the bare SQL that reads the same rows by their names, with
//! commands going on, and the memory of the process.

mod bare;
mod fill;
mod portal;
mod questions;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use bare::Bare;
use bench::commands::run_name;
use bench::watched::Watched;
use clap::{Parser, Subcommand};
use load::{Line, Options, Report, Turn, Who, closed_loop, line, open_loop};
use portal::Portal;
use read_model::ViewsAt;

/// Fills a log and views with users, or measures the grid of a Muster that runs on them.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Writes the users' events into an empty log.
    FillLog {
        /// The data directory.
        #[arg(long)]
        data_dir: PathBuf,
        /// How many users.
        #[arg(long, default_value_t = 1_000_000)]
        users: u64,
    },
    /// Writes the users' rows into empty views.
    FillViews {
        /// The data directory of the log.
        #[arg(long)]
        data_dir: PathBuf,
        /// Where the views are, if not in the data directory.
        #[arg(long, env = "MUSTER_VIEWS", hide_env_values = true)]
        views: Option<String>,
    },
    /// Measures.
    Measure(Box<Measure>),
}

#[derive(clap::Args)]
struct Measure {
    /// What is measured, in words.
    #[arg(long, env = "MUSTER_TEST_BENCH_NAME")]
    name: String,
    /// The portal API.
    #[arg(long, env = "MUSTER_TEST_BENCH_URL")]
    url: String,
    /// The temporary password of `administrator`; it is changed. Or the one that it was changed to.
    #[arg(long, env = "MUSTER_TEST_BENCH_PASSWORD", hide_env_values = true)]
    password: String,
    /// The process.
    #[arg(long, env = "MUSTER_TEST_BENCH_PROCESS")]
    process: u32,
    /// The data directory.
    #[arg(long)]
    data_dir: PathBuf,
    /// Where the views are, if not in the data directory.
    #[arg(long, env = "MUSTER_VIEWS", hide_env_values = true)]
    views: Option<String>,
    /// Only questions that very many users match.
    #[arg(long)]
    broad: bool,
    /// Commands a second beside.
    #[arg(long, default_value_t = 50.0)]
    beside: f64,
    #[command(flatten)]
    options: Options,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    // What `cargo bench` adds is no argument of a subcommand.
    let arguments = std::env::args_os().filter(|argument| argument != "--bench");
    match Arguments::parse_from(arguments).what {
        What::FillLog { data_dir, users } => fill::log(&data_dir, users).await?,
        What::FillViews { data_dir, views } => fill::views(&data_dir, &at(views, data_dir.clone())).await?,
        What::Measure(measure) => return measure.run().await,
    }
    Ok(ExitCode::SUCCESS)
}

fn at(views: Option<String>, directory: PathBuf) -> ViewsAt {
    views.map_or(ViewsAt::Sqlite { directory }, |url| ViewsAt::Postgres { url, connections: 8 })
}

impl Measure {
    async fn run(self) -> Result<ExitCode> {
        let Self { name, url, password, process, data_dir, views, broad, beside, options } = self;
        let portal = Portal::sign_in(&url, &password, fill::users(&data_dir)?).await?;
        let bare = Bare::open(&at(views, data_dir)).await?;
        let mut process = Watched::new(process);
        let mut report = Report::begin(&options.show);
        report.section(format!("Users grid, {name}"));
        let is_over = Arc::new(AtomicBool::new(false));
        let writing = tokio::spawn(write(portal.clone(), beside, is_over.clone()));
        let mut worst = (0.0, String::new());
        let mut farthest = (0.0, String::new());
        let asked = questions::all(portal.users).into_iter().filter(|question| !broad || question.is_broad);
        for question in asked {
            let page = portal.page_of(&question).await?;
            let first = portal.ask(&page).await?;
            for &clients in &options.clients {
                let names = Arc::new(first.names.clone());
                let reading = {
                    let bare = bare.clone();
                    move |_: Turn| {
                        let (bare, names) = (bare.clone(), names.clone());
                        async move { bare.read(&names).await }
                    }
                };
                let measured = closed_loop::run(clients, options.duration() / 2, reading).await?;
                let limit = Line::new(
                    Who::Limit,
                    format!("its rows in SQL: {}", question.name),
                    line::clients(clients),
                    &measured,
                );
                let asking = {
                    let (portal, page) = (portal.clone(), Arc::new(page.clone()));
                    move |_: Turn| {
                        let (portal, page) = (portal.clone(), page.clone());
                        async move { portal.ask(&page).await.map(drop) }
                    }
                };
                let measured = closed_loop::run(clients, options.duration(), asking).await?;
                let what = format!("{} ({} users)", question.name, first.total);
                let line =
                    Line::new(Who::Muster, what.clone(), line::clients(clients), &measured).beside(&limit);
                let p95 = line.latency.map_or(0.0, |latency| latency.p95_ms);
                let ratio = line.beside.as_ref().and_then(|beside| beside.p95_ratio).unwrap_or_default();
                report.line(limit);
                report.line(line);
                if p95 > worst.0 {
                    worst = (p95, what.clone());
                }
                if ratio > farthest.0 {
                    farthest = (ratio, what);
                }
            }
            process.look()?;
        }
        is_over.store(true, Ordering::Relaxed);
        for line in writing.await?? {
            report.line(line);
        }
        report.note(&format!("the worst p95: {:.1} ms, {}", worst.0, worst.1));
        report.note(&format!("the most beside its rows in SQL: {:.1} times, {}", farthest.0, farthest.1));
        let resident = process.since(0.0).iter().map(|sample| sample.resident / 1e6);
        let (least, most) =
            resident.fold((f64::MAX, 0.0_f64), |(least, most), now| (least.min(now), most.max(now)));
        report.note(&format!("resident memory of the process between questions: {least:.0} to {most:.0} MB"));
        report.finish()
    }
}

/// Commands beside, until it is over: users are created, and changed.
async fn write(portal: Portal, rate: f64, is_over: Arc<AtomicBool>) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    if rate <= 0.0 {
        return Ok(lines);
    }
    let group = portal.group().await.context("no group")?;
    while !is_over.load(Ordering::Relaxed) {
        let (portal, group, run) = (portal.clone(), group.clone(), run_name());
        let writing = move |turn: Turn| {
            let (portal, group, name) = (portal.clone(), group.clone(), format!("{run}-{}", turn.number));
            async move { portal.change(&group, &name, turn.number).await }
        };
        let measured = open_loop::run(rate, Duration::from_secs(20), writing).await?;
        lines.push(Line::new(Who::Muster, "commands beside, until visible", line::rate(rate), &measured));
    }
    Ok(lines)
}
