//! `muster log`: prints, replays, exports and verifies the log, and signs what it is.

mod checkpoint;
mod export;
mod line;
mod replay;
mod tail;
mod verify;

use std::process::ExitCode;

use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(clap::Subcommand)]
enum Subcommands {
    /// Prints records as JSON, one a line, and goes on as the log grows.
    Tail(tail::Tail),
    /// Prints the events of a feed, one a line, from any position or instant on.
    Replay(Box<replay::ReplayArguments>),
    /// Writes every chained record to a file, or adds what the file lacks, and ends it with a signed checkpoint.
    Export(export::Export),
    /// Prints a signed checkpoint: how far the log reaches, and its chains there. Keep it elsewhere.
    Checkpoint(checkpoint::PrintCheckpoint),
    /// Recomputes the hash chain of every partition, of the log or of an export. Exits with 1 when a record was changed, is
    /// missing or swapped, or a checkpoint does not fit.
    Verify(Box<verify::Verify>),
}

/// Runs one of them.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Subcommands::Tail(tail) => tail::run(tail).await,
        Subcommands::Replay(replay) => replay::run(*replay).await,
        Subcommands::Export(export) => export::run(export).await,
        Subcommands::Checkpoint(checkpoint) => checkpoint::run(checkpoint).await,
        Subcommands::Verify(verify) => verify::run(*verify).await,
    }
}
