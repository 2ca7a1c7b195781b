//! `muster log tail`: prints events as they are in the log.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use log_consumer::{Scan, ScanError};
use log_model::{Stream, StreamPartition};
use service_kit::lifecycle::Shutdown;

use super::line::line;
use crate::store::LogArguments;

#[derive(clap::Args)]
pub(super) struct Tail {
    #[command(flatten)]
    log: LogArguments,
    /// Ends where the log ends now instead of going on.
    #[arg(long)]
    until_end: bool,
}

/// Prints until the end, or until it is told to stop.
pub(super) async fn run(arguments: Tail) -> Result<ExitCode> {
    let log = arguments.log.open_for_reading().await?;
    let shutdown = Shutdown::on_signals()?;
    let places =
        StreamPartition::followed(log.partitions()).filter(|place| place.stream != Stream::Credentials);
    let mut scan = Scan::new(&*log, places);
    let mut stdout = std::io::stdout().lock();
    loop {
        let next = tokio::select! {
            next = scan.next() => next,
            () = shutdown.requested() => return Ok(ExitCode::SUCCESS),
        };
        match next {
            Ok(Some(records)) => {
                for recorded in &records {
                    let printed = writeln!(stdout, "{}", line(recorded)).and_then(|()| stdout.flush());
                    // The reader of the pipe has seen enough.
                    if printed.is_err() {
                        return Ok(ExitCode::SUCCESS);
                    }
                }
            }
            Ok(None) if arguments.until_end => return Ok(ExitCode::SUCCESS),
            Ok(None) => {}
            Err(ScanError::Unreachable(reason)) => {
                tracing::warn!(reason, "the log can't be read at the moment");
            }
            Err(ScanError::Closed) => return Ok(ExitCode::SUCCESS),
        }
    }
}
