//! `muster log`: reads the log, or verifies its hash chain.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use event_log::chain::Chain;
use event_log::{EventLog, Recorded, Skips};
use indicatif::{ProgressBar, ProgressStyle};
use log_consumer::{Scan, ScanError};
use log_model::{Anchor, RecordDigest, Stream, StreamPartition};
use service_kit::lifecycle::Shutdown;

use crate::store::{LogArguments, ViewsArguments};
use crate::wiring::say;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(clap::Subcommand)]
enum Subcommands {
    /// Prints events as JSON, one a line, and goes on as the log grows.
    Tail(Tail),
    /// Recomputes the hash chain of every partition. Exits with 1 when a record was changed, is missing or swapped.
    Verify(Verify),
}

#[derive(clap::Args)]
struct Tail {
    #[command(flatten)]
    log: LogArguments,
    /// Ends where the log ends now instead of going on.
    #[arg(long)]
    until_end: bool,
}

#[derive(clap::Args)]
struct Verify {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    views: ViewsArguments,
}

/// Tails or verifies.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Subcommands::Tail(tail) => self::tail(tail).await,
        Subcommands::Verify(verify) => self::verify(verify).await,
    }
}

async fn tail(arguments: Tail) -> Result<ExitCode> {
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

/// A record as one line of JSON. `data` holds the body byte for byte, because `ce_chain` covers its bytes.
fn line(recorded: &Recorded) -> String {
    let headers: serde_json::Map<_, _> = recorded
        .record
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into()))
        .collect();
    let headers = serde_json::Value::Object(headers);
    let key = serde_json::Value::from(&*recorded.record.key);
    let StreamPartition { stream, partition } = recorded.place;
    format!(
        r#"{{"data":{},"headers":{headers},"key":{key},"offset":{},"partition":{partition},"stream":"{stream}"}}"#,
        data(recorded.record.body.as_deref()),
        recorded.offset,
    )
}

/// A body as JSON on one line. What is no JSON, or has line breaks, becomes a string.
fn data(body: Option<&[u8]>) -> Cow<'_, str> {
    let Some(body) = body else { return Cow::Borrowed("null") };
    let text = String::from_utf8_lossy(body);
    let is_json = serde_json::from_slice::<serde_json::Value>(body).is_ok();
    if is_json && !text.contains(['\n', '\r']) {
        return text;
    }
    Cow::Owned(serde_json::Value::from(text.into_owned()).to_string())
}

/// What was found in one stream partition.
#[derive(Default)]
struct Found {
    chain: Chain,
    records: u64,
    broken: Option<String>,
    /// Records that an operator has skipped: their offsets and why.
    skipped: Vec<(u64, String)>,
    /// The last record that the views have seen, until it is met.
    anchor: Option<Anchor>,
}

impl Found {
    fn meet(&mut self, recorded: &Recorded, skips: &Skips) {
        self.records += 1;
        if let Some(skip) = skips.of(recorded) {
            self.skipped.push((recorded.offset, skip.reason.clone()));
        } else if self.broken.is_none()
            && let Err(broken) = self.chain.verify(recorded)
        {
            self.broken = Some(broken.to_string());
        }
        if let Some(anchor) = self.anchor.take_if(|anchor| anchor.offset == recorded.offset)
            && anchor.digest != RecordDigest::of(&recorded.record)
        {
            let reason = format!("offset {}: the views have seen another record there", anchor.offset);
            self.broken.get_or_insert(reason);
        }
    }

    fn end(&mut self) {
        if let Some(anchor) = self.anchor {
            let reason = format!("offset {}: the views have seen a record there", anchor.offset);
            self.broken.get_or_insert(reason);
        }
    }
}

async fn verify(arguments: Verify) -> Result<ExitCode> {
    let log = arguments.log.open_for_reading().await?;
    // Before the walk: records written meanwhile are behind the checkpoints.
    let checkpoints = match arguments.views.open_existing(&arguments.log).await? {
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
    let anchor = |place| checkpoints.iter().find(|seen| seen.place == place)?.anchor;
    let mut found = match walk(&*log, &ends, &skips, anchor).await? {
        Ok(found) => found,
        Err(reason) => return arguments.log.damaged(&reason),
    };
    let mut behind = Vec::new();
    for checkpoint in &checkpoints {
        let end = ends.iter().find(|(place, _)| *place == checkpoint.place).map_or(0, |(_, next)| *next);
        if checkpoint.next > end {
            let seen = checkpoint.next;
            let reason = format!("the log ends at {end}, but the views have seen it up to {seen}");
            match found.get_mut(&checkpoint.place) {
                Some(found) => drop(found.broken.get_or_insert(reason)),
                None => behind.push((checkpoint.place, reason)),
            }
        }
    }
    found.values_mut().for_each(Found::end);
    Ok(report(&found, &behind, &skips))
}

/// Reads every chained stream partition to its end, or says why it can't be read.
async fn walk(
    log: &dyn EventLog,
    ends: &[(StreamPartition, u64)],
    skips: &Skips,
    anchor: impl Fn(StreamPartition) -> Option<Anchor>,
) -> Result<Result<BTreeMap<StreamPartition, Found>, String>> {
    let total = ends.iter().filter(|(place, _)| place.stream.is_chained()).map(|(_, next)| next).sum();
    let progress = ProgressBar::new(total).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} records, {per_sec}, {eta} left")
            .expect("the template is well formed"),
    );
    let places = StreamPartition::all(log.partitions()).filter(|place| place.stream.is_chained());
    let mut found: BTreeMap<StreamPartition, Found> =
        places.map(|place| (place, Found { anchor: anchor(place), ..Found::default() })).collect();
    let mut scan = Scan::new(log, found.keys().copied());
    loop {
        let records = match scan.next().await {
            Ok(Some(records)) => records,
            Ok(None) => break,
            Err(ScanError::Unreachable(reason)) => return Ok(Err(reason)),
            Err(closed @ ScanError::Closed) => return Err(closed.into()),
        };
        progress.inc(records.len() as u64);
        for recorded in &records {
            let found =
                found.get_mut(&recorded.place).context("a stream partition that was not asked for")?;
            found.meet(recorded, skips);
        }
    }
    progress.finish_and_clear();
    Ok(Ok(found))
}

fn report(
    found: &BTreeMap<StreamPartition, Found>,
    behind: &[(StreamPartition, String)],
    skips: &Skips,
) -> ExitCode {
    for (place, found) in found {
        match &found.broken {
            None => say(&format!("{place}: {} records, the chain is whole", found.records)),
            Some(broken) => say(&format!("{place}: BROKEN: {broken}")),
        }
        for (offset, reason) in &found.skipped {
            say(&format!("{place}: offset {offset} is skipped: {reason}"));
        }
    }
    // What is not chained is not read here.
    for (place, offset, skip) in skips.iter().filter(|(place, ..)| !place.stream.is_chained()) {
        say(&format!("{place}: offset {offset} is skipped: {}", skip.reason));
    }
    for (place, reason) in behind {
        say(&format!("{place}: BROKEN: {reason}"));
    }
    let is_broken = !behind.is_empty() || found.values().any(|found| found.broken.is_some());
    ExitCode::from(u8::from(is_broken))
}

#[cfg(test)]
mod tests {
    use log_model::record::{CHAIN, TYPE};
    use log_model::{Record, Stream};

    use super::*;

    fn printed(body: Option<&str>) -> String {
        let headers = vec![(TYPE, "muster.user.approved".to_owned()), (CHAIN, "0a".to_owned())];
        let record =
            Record { key: "user_1".to_owned(), headers, body: body.map(|text| text.as_bytes().to_vec()) };
        line(&Recorded { place: StreamPartition::new(Stream::UserEvents, 3), offset: 7, record })
    }

    #[test]
    fn f28_data_is_the_body_byte_for_byte() {
        let body = r#"{"username":"zoë", "groupId":"group_1","at":1.50,"at":2e3}"#;
        let head =
            r#""headers":{"ce_chain":"0a","ce_type":"muster.user.approved"},"key":"user_1","offset":7"#;
        assert_eq!(
            printed(Some(body)),
            format!(r#"{{"data":{body},{head},"partition":3,"stream":"user-events"}}"#)
        );
    }

    #[test]
    fn every_body_is_printed_on_one_line_of_json() {
        let data = |body| {
            let line = printed(body);
            assert!(!line.contains('\n'), "{line}");
            serde_json::from_str::<serde_json::Value>(&line).unwrap()["data"].clone()
        };
        assert_eq!(data(None), serde_json::Value::Null);
        for body in ["hello", "", "{\"a\":", "{\n\"a\":1}", "{} {}"] {
            assert_eq!(data(Some(body)), body);
        }
    }
}
