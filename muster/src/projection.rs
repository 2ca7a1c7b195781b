//! `muster projection`: where the views are, and letting a halted one try again.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use log_model::{Stream, StreamPartition};
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
    #[arg(long, value_name = "PARTITION", value_parser = place)]
    partition: Option<StreamPartition>,
}

/// Shows or retries.
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

fn place(text: &str) -> Result<StreamPartition, String> {
    let wrong = || format!("`{text}` is not a partition such as user-events-3");
    let (stream, partition) = text.rsplit_once('-').ok_or_else(wrong)?;
    let stream = Stream::from_name(stream).ok_or_else(wrong)?;
    Ok(StreamPartition::new(stream, partition.parse().map_err(|_| wrong())?))
}
