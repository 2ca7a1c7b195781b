//! `muster log export`: the log as a file, which is gone on with when it is there.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use event_log::{EventLog, Skips};
use log_archive::export::Exporter;
use log_consumer::{Scan, ScanError};
use log_model::StreamPartition;

use super::verify::progress;
use crate::keys::KeyArguments;
use crate::store::LogArguments;
use crate::wiring::say;

#[derive(clap::Args)]
pub(super) struct Export {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    keys: KeyArguments,
    /// The file: lines of JSON in zstd. What it lacks is added, and what a killed export has begun is cut off.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Exports up to the end that the log has when it is read.
pub(super) async fn run(arguments: Export) -> Result<ExitCode> {
    // Before anything is written, because a file without a checkpoint is not finished.
    let signer = arguments.keys.signer(&arguments.log)?;
    let log = arguments.log.open_for_reading().await?;
    let id = event_feed::identify(&*log).await?;
    let file = || format!("the export `{}`", arguments.file.display());
    let places = StreamPartition::all(log.partitions()).filter(|place| place.stream.is_chained());
    let mut exporter = Exporter::open(&arguments.file, id, places).with_context(file)?;
    let before = records(&exporter);
    add_all(&*log, &mut exporter).await.with_context(file)?;
    let after = records(&exporter);
    let checkpoint = exporter.finish(&signer).with_context(file)?;
    say(&format!("{} records added, {after} in all", after - before));
    for head in &checkpoint.heads {
        say(&format!("{}: exported up to {}", head.place, head.next));
    }
    Ok(ExitCode::SUCCESS)
}

async fn add_all(log: &dyn EventLog, exporter: &mut Exporter) -> Result<()> {
    let skips = Skips::read(log).await?;
    let ends = log.ends().await?;
    let from: Vec<_> =
        exporter.verification().places.iter().map(|(place, found)| (*place, found.next)).collect();
    for (place, next) in &from {
        let end = ends.iter().find(|(of, _)| of == place).map_or(0, |(_, end)| *end);
        if *next > end {
            bail!(
                "{place}: the export reaches {next}, but the log ends at {end}: it was cut off, or is an older one"
            );
        }
    }
    let total: u64 = ends.iter().filter(|(place, _)| place.stream.is_chained()).map(|(_, end)| end).sum();
    let progress = progress(total);
    progress.inc(from.iter().map(|(_, next)| next).sum());
    let mut scan = Scan::from(log, from);
    loop {
        match scan.next().await {
            Ok(Some(records)) => {
                progress.inc(records.len() as u64);
                for recorded in records {
                    if skips.of(&recorded).is_none() {
                        exporter.add(recorded)?;
                    }
                }
            }
            Ok(None) => break,
            Err(error @ (ScanError::Unreachable(_) | ScanError::Closed)) => return Err(error.into()),
        }
    }
    progress.finish_and_clear();
    Ok(())
}

fn records(exporter: &Exporter) -> u64 {
    exporter.verification().places.values().map(|found| found.records).sum()
}
