//! Register, then approve: the same two commands through Muster's logs and doors, beside what the servers do alone.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use bench::commands::{self, Group};
use bench::limits::{self, APPROVAL, Limit, REGISTRATION};
use bench::muster::{Http, Owners, Way};
use clap::Parser;
use event_log::EventLog;
use event_log::kafka::{Acknowledge, KafkaLog, KafkaSettings, ensure_topics};
use event_log::sqlite::SqliteLog;
use load::{Line, Measured, Options, Report, Turn, Who, closed_loop, line};

const PARTITIONS: u32 = 8;
/// Connections of the appender that writes each command in a transaction of its own: as many as each peer has.
const CONNECTIONS: usize = 32;
/// Connections of the appender that writes batches.
const APPENDERS: usize = 2;

/// Measures register, then approve.
#[derive(Parser)]
struct Arguments {
    /// `host:port` of a Kafka broker.
    #[arg(long, env = "MUSTER_TEST_KAFKA")]
    kafka: String,
    /// A PostgreSQL server, whose limit is what peers are measured against.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Base address of a running command service on the same Kafka; its HTTP door is measured when it is given.
    #[arg(long, env = "MUSTER_TEST_BENCH_COMMANDS")]
    commands: Option<String>,
    /// The token of that deployment.
    #[arg(long, env = "MUSTER_SERVICE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    #[command(flatten)]
    options: Options,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut report = Report::begin(&arguments.options.show);
    report.section("register, then approve");
    for &clients in &arguments.options.clients {
        let load = line::clients(clients);
        let run = Run { arguments: &arguments, clients };
        let directory = tempfile::tempdir()?;
        let measured = run.raw(limits::sqlite(directory.path()).await?).await?;
        let sqlite = Line::new(Who::Limit, "SQLite alone, multi-row INSERTs", &load, &measured);
        report.line(sqlite.clone());
        let directory = tempfile::tempdir()?;
        let measured = run.decided(SqliteLog::open(directory.path()).await?).await?;
        report.line(Line::new(Who::Muster, "Muster embedded, in process", &load, &measured).beside(&sqlite));

        let measured = run.raw(run.kafka_alone().await?).await?;
        let kafka = Line::new(Who::Limit, "Kafka alone, transactions", &load, &measured);
        report.line(kafka.clone());
        for (what, acknowledge) in [
            ("Muster on Kafka, in process, after the commit", Acknowledge::Committed),
            ("Muster on Kafka, in process, read back (default)", Acknowledge::ReadBack),
        ] {
            let settings = KafkaSettings { acknowledge, ..run.fresh().await? };
            let measured = run.decided(KafkaLog::connect(settings).await?).await?;
            report.line(Line::new(Who::Muster, what, &load, &measured).beside(&kafka));
        }
        if let Some(url) = &arguments.commands {
            let token = arguments.token.clone().context("MUSTER_SERVICE_TOKEN is not set")?;
            let measured = run.through(Way::Http(Http::try_new(url, token)?)).await?;
            report
                .line(Line::new(Who::Muster, "Muster on Kafka, HTTP door", &load, &measured).beside(&kafka));
        }

        for (what, connections, in_batches) in [
            ("PostgreSQL alone, a transaction each", CONNECTIONS, false),
            ("PostgreSQL alone, 2 appenders, UNNEST", APPENDERS, true),
        ] {
            let limit = limits::postgres(&arguments.database_url, connections, in_batches).await?;
            let measured = run.raw(limit).await?;
            report.line(Line::new(Who::Limit, what, &load, &measured));
        }
    }
    report.finish()
}

/// One number of clients.
struct Run<'a> {
    arguments: &'a Arguments,
    clients: usize,
}

impl Run<'_> {
    /// Topics that nobody has written to.
    async fn fresh(&self) -> Result<KafkaSettings> {
        let settings = KafkaSettings::new(&self.arguments.kafka, format!("{}.", commands::run_name()));
        ensure_topics(&settings, PARTITIONS, 1).await?;
        Ok(settings)
    }

    async fn kafka_alone(&self) -> Result<Limit> {
        let settings = self.fresh().await?;
        let starting = move || limits::kafka(&settings.brokers, &settings.prefix, PARTITIONS);
        tokio::task::spawn_blocking(starting).await?
    }

    async fn raw(&self, limit: Limit) -> Result<Measured> {
        let request = move |turn: Turn| {
            let rows = if turn.count.is_multiple_of(2) { REGISTRATION } else { APPROVAL };
            // Both commands about a user go to the same partition.
            limit.clone().write(turn.client + turn.count / 2, rows)
        };
        closed_loop::run(self.clients, self.arguments.options.duration(), request).await
    }

    async fn decided(&self, log: Arc<dyn EventLog>) -> Result<Measured> {
        let owners = Owners::start(log).await?;
        let measured = self.through(owners.way()).await?;
        owners.stop().await?;
        Ok(measured)
    }

    async fn through(&self, way: Way) -> Result<Measured> {
        let run = commands::run_name();
        let group = Arc::new(Group::created(&run, way.submit(Group::creation(&run)).await?)?);
        let request = move |turn| way.clone().accept(commands::onboarding(&run, turn, &group));
        closed_loop::run(self.clients, self.arguments.options.duration(), request).await
    }
}
