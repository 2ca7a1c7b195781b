//! `muster log verify`: recomputes the hash chains of the log, or of an export of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use event_log::{EventLog, Recorded, Skips};
use indicatif::{ProgressBar, ProgressStyle};
use log_archive::export::{ExportContent, ExportError};
use log_archive::{LogCheckpoint, PublicKey, Verification, note};
use log_consumer::{Scan, ScanError};
use log_model::{Anchor, RecordDigest, StreamPartition};

use crate::keys::KeyArguments;
use crate::store::{LogArguments, ViewsArguments};
use crate::wiring::say;

#[derive(clap::Args)]
pub(super) struct Verify {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    views: ViewsArguments,
    #[command(flatten)]
    keys: KeyArguments,
    /// An export, instead of the log.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// A file with a signed checkpoint of this log: it has to reach as far, with the same chains.
    #[arg(long, value_name = "NOTE")]
    checkpoint: Option<PathBuf>,
    /// What checkpoints are signed with, as `muster keys show` prints it. Can be given several times, for keys that were
    /// rotated. Without it, the keys of this deployment.
    #[arg(long = "public-key", value_name = "KEY")]
    public_keys: Vec<PublicKey>,
}

impl Verify {
    /// The keys of which one has to have signed a checkpoint. None if there are none.
    fn keys(&self) -> Result<Vec<PublicKey>> {
        if self.public_keys.is_empty() {
            self.keys.public_keys(&self.log)
        } else {
            Ok(self.public_keys.clone())
        }
    }

    /// The checkpoint that was given, or what is wrong with it.
    fn expected(&self) -> Result<Result<Option<LogCheckpoint>, String>> {
        let Some(path) = &self.checkpoint else { return Ok(Ok(None)) };
        let keys = self.keys()?;
        if keys.is_empty() {
            bail!("--checkpoint needs --public-key: what it has to be signed with")
        }
        let note = std::fs::read_to_string(path);
        let note = note.with_context(|| format!("the checkpoint `{}` can't be read", path.display()))?;
        let opened = note::open_with_any(&keys, &note).map_err(|error| error.to_string());
        Ok(opened.and_then(|text| {
            text.parse().map(Some).map_err(|error: log_archive::NotACheckpoint| error.to_string())
        }))
    }
}

/// Verifies the log or a file.
pub(super) async fn run(arguments: Verify) -> Result<ExitCode> {
    let expected = match arguments.expected()? {
        Ok(expected) => expected,
        Err(reason) => return Ok(broken("checkpoint", &reason)),
    };
    match &arguments.file {
        Some(file) => verify_file(&arguments, file, expected.as_ref()),
        None => verify_log(&arguments, expected.as_ref()).await,
    }
}

fn verify_file(arguments: &Verify, file: &Path, expected: Option<&LogCheckpoint>) -> Result<ExitCode> {
    let keys = arguments.keys()?;
    let name = file.display().to_string();
    let content = match ExportContent::read(file, &keys, expected.map_or(&[], std::slice::from_ref)) {
        Ok(content) => content,
        Err(ExportError::File(error)) => {
            return Err(error).with_context(|| format!("`{name}` can't be read"));
        }
        Err(error) => return Ok(broken(&name, &error.to_string())),
    };
    if let Some(reason) = other_log(expected, content.log()) {
        return Ok(broken("checkpoint", &reason));
    }
    let walk = Walk { verification: content.verification, ..Walk::default() };
    walk.report();
    if content.last.is_none() {
        // Whatever comes after the last checkpoint, or all of it, may have been written anew.
        return Ok(broken(
            &name,
            "it does not end with a signed checkpoint; the export was not finished, or it was changed",
        ));
    }
    let signed = if keys.is_empty() {
        "their signatures were not checked: --public-key says with what"
    } else {
        "signed as they should be"
    };
    say(&format!("checkpoints in it: {}, the last one at its end, {signed}", content.checkpoints));
    Ok(walk.exit_code())
}

async fn verify_log(arguments: &Verify, expected: Option<&LogCheckpoint>) -> Result<ExitCode> {
    let log = arguments.log.open_for_reading().await?;
    // Before the walk: records written meanwhile are behind the checkpoints.
    let seen_by_views = match arguments.views.open_existing(&arguments.log).await? {
        Some(views) => views.checkpoints().await.context("the checkpoints of the views can't be read")?,
        None => Vec::new(),
    };
    let ends = match log.ends().await {
        Ok(ends) => ends,
        Err(error) => return arguments.log.damaged(&error.to_string()),
    };
    let skips = match Skips::read(&*log).await {
        Ok(skips) => skips,
        Err(error) => return arguments.log.damaged(&error.to_string()),
    };
    let mut walk = Walk::default();
    for place in StreamPartition::all(log.partitions()).filter(|place| place.stream.is_chained()) {
        walk.verification.places.entry(place).or_default();
    }
    if let Some(expected) = expected {
        walk.verification.expect(expected);
    }
    walk.anchors = seen_by_views.iter().filter_map(|seen| Some((seen.place, seen.anchor?))).collect();
    if let Err(reason) = walk.read(&*log, &ends, &skips).await? {
        return arguments.log.damaged(&reason);
    }
    if let Some(reason) = other_log(expected, walk.verification.log) {
        return Ok(broken("checkpoint", &reason));
    }
    for seen in &seen_by_views {
        let end = ends.iter().find(|(place, _)| *place == seen.place).map_or(0, |(_, next)| *next);
        if seen.next > end {
            walk.break_off(
                seen.place,
                format!("the log ends at {end}, but the views have seen it up to {}", seen.next),
            );
        }
    }
    // What is not chained is not read here.
    for (place, offset, skip) in skips.iter().filter(|(place, ..)| !place.stream.is_chained()) {
        walk.skipped.push((place, offset, skip.reason.clone()));
    }
    walk.report();
    Ok(walk.exit_code())
}

/// Why a checkpoint says nothing of this log.
fn other_log(expected: Option<&LogCheckpoint>, log: Option<log_model::LogId>) -> Option<String> {
    let expected = expected?.log;
    match log {
        Some(log) if log == expected => None,
        Some(log) => Some(format!("it is of the log {expected}, and this is the log {log}")),
        None => Some(format!("it is of the log {expected}, and this one has no first record that names it")),
    }
}

fn broken(what: &str, reason: &str) -> ExitCode {
    say(&format!("{what}: BROKEN: {reason}"));
    ExitCode::from(1)
}

/// A walk through the log.
#[derive(Default)]
struct Walk {
    verification: Verification,
    /// Records that an operator has skipped, and why.
    skipped: Vec<(StreamPartition, u64, String)>,
    /// The last records that the views have seen, until they are met.
    anchors: BTreeMap<StreamPartition, Anchor>,
    /// What does not fit in stream partitions that are not chained.
    others: Vec<(StreamPartition, String)>,
}

impl Walk {
    /// Reads every chained stream partition to its end, or says why it can't be read.
    async fn read(
        &mut self,
        log: &dyn EventLog,
        ends: &[(StreamPartition, u64)],
        skips: &Skips,
    ) -> Result<Result<(), String>> {
        let progress =
            progress(ends.iter().filter(|(place, _)| place.stream.is_chained()).map(|(_, next)| next).sum());
        let places: Vec<_> =
            StreamPartition::all(log.partitions()).filter(|place| place.stream.is_chained()).collect();
        let mut scan = Scan::new(log, places.iter().copied());
        loop {
            match scan.next().await {
                Ok(Some(records)) => {
                    progress.inc(records.len() as u64);
                    for recorded in &records {
                        self.meet(recorded, skips);
                    }
                }
                Ok(None) => break,
                Err(ScanError::Unreachable(reason)) => return Ok(Err(reason)),
                Err(closed @ ScanError::Closed) => return Err(closed.into()),
            }
        }
        progress.finish_and_clear();
        self.verification.end();
        self.anchors.retain(|place, _| place.stream.is_chained());
        for (place, anchor) in std::mem::take(&mut self.anchors) {
            self.break_off(place, format!("offset {}: the views have seen a record there", anchor.offset));
        }
        Ok(Ok(()))
    }

    fn meet(&mut self, recorded: &Recorded, skips: &Skips) {
        let (place, offset) = (recorded.place, recorded.offset);
        let skip = skips.of(recorded);
        if let Some(skip) = skip {
            self.skipped.push((place, offset, skip.reason.clone()));
        }
        self.verification.meet(recorded, skip.is_some());
        if self.anchors.get(&place).is_some_and(|anchor| anchor.offset == offset) {
            let anchor = self.anchors.remove(&place);
            if anchor.is_some_and(|anchor| anchor.digest != RecordDigest::of(&recorded.record)) {
                self.break_off(place, format!("offset {offset}: the views have seen another record there"));
            }
        }
    }

    fn break_off(&mut self, place: StreamPartition, reason: String) {
        match self.verification.places.get_mut(&place) {
            Some(found) => found.break_off(reason),
            None => self.others.push((place, reason)),
        }
    }

    fn report(&self) {
        for (place, found) in &self.verification.places {
            match &found.broken {
                None => say(&format!("{place}: {} records, the chain is whole", found.records)),
                Some(broken) => say(&format!("{place}: BROKEN: {broken}")),
            }
        }
        for (place, offset, reason) in &self.skipped {
            say(&format!("{place}: offset {offset} is skipped: {reason}"));
        }
        for (place, reason) in &self.others {
            say(&format!("{place}: BROKEN: {reason}"));
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::from(u8::from(!self.others.is_empty() || self.verification.is_broken()))
    }
}

/// A bar for a number of records.
pub(super) fn progress(total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} records, {per_sec}, {eta} left");
    ProgressBar::new(total).with_style(style.expect("the template is well formed"))
}
