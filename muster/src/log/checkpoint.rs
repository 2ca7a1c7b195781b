//! `muster log checkpoint`: says, signed, how far the log reaches and what its chains are there.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;

use crate::keys::KeyArguments;
use crate::store::LogArguments;

#[derive(clap::Args)]
pub(super) struct PrintCheckpoint {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    keys: KeyArguments,
}

/// Prints the checkpoint as a signed note.
pub(super) async fn run(arguments: PrintCheckpoint) -> Result<ExitCode> {
    let signer = arguments.keys.signer(&arguments.log)?;
    let log = arguments.log.open_for_reading().await?;
    let checkpoint = log_archive::read_heads(&*log).await?;
    let note = signer.sign(&checkpoint.to_string());
    std::io::stdout().write_all(note.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
