//! Registers and approves users through other event sourcing libraries on PostgreSQL, as Muster's own benchmark does.

mod cqrs_es;
mod database;
mod disintegrate;
mod payload;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use load::{Options, Report};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures peers of Muster on one PostgreSQL server.
#[derive(Parser)]
struct Arguments {
    /// The server, and a database to connect to; each peer gets an empty one of its own beside it.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Connections of each peer.
    #[arg(long, default_value_t = 32)]
    connections: u32,
    #[command(flatten)]
    options: Options,
}

/// The section of the table, the same as in Muster's benchmark.
const COMMANDS: &str = "register, then approve";
/// The section of the table with what it takes to read everything again.
const REPLAY: &str = "read every event again";

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let server = database::Server { url: arguments.database_url, connections: arguments.connections };
    let mut report = Report::begin(&arguments.options.show);
    report.section(COMMANDS);
    let cqrs_es = cqrs_es::measure(&server, &arguments.options, &mut report).await?;
    let disintegrate = disintegrate::measure(&server, &arguments.options, &mut report).await?;
    report.section(REPLAY);
    report.line(cqrs_es::replay(&cqrs_es).await?);
    report.line(disintegrate::replay(&disintegrate).await?);
    report.finish()
}
