//! `muster projection`: where the views are, letting a halted one try again, and skipping a record that nobody can read.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use command_service::skip::{self, SkipError, Skipped};
use log_model::StreamPartition;
use read_model::checkpoint::Checkpoint;
use read_model::{ReadModel, ViewWriter};

use crate::store::{LogArguments, ViewsArguments};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(clap::Subcommand)]
enum Subcommands {
    /// Prints a line per partition. Exits with 1 when one is halted.
    Status(StatusArguments),
    /// Lets halted partitions try the record again at which they stopped.
    Retry(Retry),
    /// Skips a record that can't be read, for every reader and permanently. The audit log shows who did so and why.
    Skip(SkipArguments),
}

#[derive(clap::Args)]
struct StatusArguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    views: ViewsArguments,
}

#[derive(clap::Args)]
struct Retry {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    views: ViewsArguments,
    /// Which one, such as `user-events-3`; all that are halted by default.
    #[arg(long, value_name = "PARTITION")]
    partition: Option<StreamPartition>,
}

#[derive(clap::Args)]
struct SkipArguments {
    #[command(flatten)]
    log: LogArguments,
    /// The partition that holds the record, such as `user-events-3`.
    #[arg(value_name = "PARTITION")]
    place: StreamPartition,
    /// The offset of the record there, as `muster projection status` or the log line names it.
    #[arg(value_name = "OFFSET")]
    offset: u64,
    /// Why it is skipped, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Shows, retries or skips.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Subcommands::Status(status) => {
            let views = status.views.open_soon(&status.log).await?;
            Ok(report(&checkpoints(&views).await?))
        }
        Subcommands::Retry(retry) => {
            // Refuses views of an older format, which a writer would replace.
            drop(retry.views.open_soon(&retry.log).await?);
            let writer = retry.views.open_writer_soon(&retry.log).await?;
            self::retry(&writer, retry.partition).await
        }
        Subcommands::Skip(skip) => self::skip(skip).await,
    }
}

async fn checkpoints(views: &ReadModel) -> Result<Vec<Checkpoint>> {
    views.checkpoints().await.context("the checkpoints of the views can't be read")
}

async fn retry(writer: &ViewWriter, only: Option<StreamPartition>) -> Result<ExitCode> {
    let halted: Vec<StreamPartition> = checkpoints(writer.views())
        .await?
        .into_iter()
        .filter(|checkpoint| {
            checkpoint.halted.is_some() && only.is_none_or(|place| place == checkpoint.place)
        })
        .map(|checkpoint| checkpoint.place)
        .collect();
    if let (Some(place), true) = (only, halted.is_empty()) {
        bail!("{place} is not halted");
    }
    for place in &halted {
        writer.resume(*place).await.with_context(|| format!("{place} can't be resumed"))?;
        crate::wiring::say(&format!("{place} tries again"));
    }
    if halted.is_empty() {
        crate::wiring::say("nothing is halted");
    }
    Ok(ExitCode::SUCCESS)
}

async fn skip(arguments: SkipArguments) -> Result<ExitCode> {
    let SkipArguments { log, place, offset, reason } = arguments;
    let log = log.open_soon().await?;
    match skip::skip(&log, (place, offset), &reason, projection_service::fault).await {
        Ok(Skipped { was_skipped: true, .. }) => {
            crate::wiring::say(&format!("{place} offset {offset} was skipped before"));
            Ok(ExitCode::SUCCESS)
        }
        Ok(Skipped { fault, .. }) => {
            crate::wiring::say(&format!("{place} offset {offset} is skipped. It could not be read: {fault}"));
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ (SkipError::Read(_) | SkipError::Claim(_) | SkipError::Append(_))) => Err(error.into()),
        Err(refused) => {
            writeln!(std::io::stderr(), "muster: {refused}").ok();
            Ok(ExitCode::from(1))
        }
    }
}

fn report(checkpoints: &[Checkpoint]) -> ExitCode {
    for checkpoint in checkpoints {
        let confirmed = checkpoint.confirmed_at.map_or("never".to_owned(), |at| at.to_string());
        let state = match &checkpoint.halted {
            Some(halt) => format!("HALTED at offset {}: {}", halt.offset, halt.reason),
            None => format!("at the end of the log: {confirmed}"),
        };
        crate::wiring::say(&format!("{}: next offset {}, {state}", checkpoint.place, checkpoint.next));
    }
    ExitCode::from(u8::from(checkpoints.iter().any(|checkpoint| checkpoint.halted.is_some())))
}
