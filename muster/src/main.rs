//! The one binary: all services in one process, each by itself, and the operator's commands.

mod access;
mod as_of;
mod cli;
mod init;
mod keys;
mod log;
mod projection;
mod schemas;
mod serve;
mod services;
mod settings_file;
mod store;
mod topics;
mod user;
mod wiring;

use std::io::Write;
use std::process::ExitCode;

use mimalloc::MiMalloc;
use service_kit::telemetry;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::from(error).context("the runtime can't be started")),
    };
    let code = runtime.block_on(async {
        match cli::run().await {
            Ok(code) => code,
            Err(error) => failed(&error),
        }
    });
    telemetry::flush_logs();
    // Threads of the Kafka client may still be closing; nothing that was acknowledged depends on them.
    runtime.shutdown_background();
    code
}

/// One sentence and what lies under it; exit code 2 means that the command could not run.
fn failed(error: &anyhow::Error) -> ExitCode {
    telemetry::flush_logs();
    // The exit code says it even where nobody reads standard error.
    writeln!(std::io::stderr(), "muster: {error:#}").ok();
    ExitCode::from(2)
}
