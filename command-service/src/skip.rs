//! Skips a record that nobody can read: writes the event that every reader obeys
//! (docs/adr/0014-skipping-a-record.md).
//!
//! The record may stand where it keeps the owner of partition 0 from taking over. So this claims partition 0 itself, with
//! a replay that no record can stop, and the owner takes over again afterwards.

use std::sync::Arc;

use domain::actor::Actor;
use domain::deployment::{self, Event, RecordSkipped};
use domain::refusal::Refusal;
use event_log::{
    AppendError, Batch, ClaimError, EventLog, Read, Recorded, Replay, Skips, SnapshotParts, Unavailable,
};
use log_model::record::SEQUENCE;
use log_model::{RecordDigest, Stream, StreamPartition};
use tokio::runtime::Handle;

use crate::claiming::{ATTEMPTS, claim};
use crate::deployment_record;
use crate::ledger_entry::{fault, is_newer};

/// Why a record is not skipped.
#[derive(Debug, thiserror::Error)]
pub enum SkipError {
    /// The log has no such stream partition.
    #[error("the log has no {place}: {} has {partitions} partitions, counted from 0", place.stream)]
    UnknownPlace {
        /// The stream partition that was asked for.
        place: StreamPartition,
        /// How many the stream has.
        partitions: u32,
    },
    /// There is nothing to skip.
    #[error("{0} has no record at offset {1}")]
    NoRecord(StreamPartition, u64),
    /// The record is healthy.
    #[error("{place} offset {offset} can be read ({what}): only a record that can't be is skipped")]
    Readable {
        /// Where it stands.
        place: StreamPartition,
        /// Its offset there.
        offset: u64,
        /// What it is.
        what: String,
    },
    /// The record is an event that this release doesn't know.
    #[error("{place} offset {offset} is a `{name}`, which a newer release wrote: run that one")]
    Newer {
        /// Where it stands.
        place: StreamPartition,
        /// Its offset there.
        offset: u64,
        /// Its name.
        name: String,
    },
    /// A rule refuses the reason.
    #[error("the reason: {}", .0.message)]
    Refused(Refusal),
    /// The log can't be read.
    #[error(transparent)]
    Read(#[from] Unavailable),
    /// The log can't be claimed.
    #[error("the log can't be written")]
    Claim(#[from] ClaimError),
    /// The log can't be written.
    #[error("the log can't be written")]
    Append(#[from] AppendError),
}

/// A record that is skipped from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// What kept it from being read.
    pub fault: String,
    /// Whether it had been skipped before. Nothing was written then.
    pub was_skipped: bool,
}

/// Skips the record at this offset. `other_fault` says what keeps readers beside owners from reading a record.
///
/// A record that can be read is refused, and so is one that a newer release wrote.
pub async fn skip(
    log: &Arc<dyn EventLog>,
    (place, offset): (StreamPartition, u64),
    reason: &str,
    other_fault: impl Fn(&Recorded) -> Option<String>,
) -> Result<Skipped, SkipError> {
    let partitions = place.stream.partitions(log.partitions());
    if place.partition >= partitions {
        return Err(SkipError::UnknownPlace { place, partitions });
    }
    let recorded = read(&**log, (place, offset)).await?.ok_or(SkipError::NoRecord(place, offset))?;
    let record = &recorded.record;
    let Some(fault) = fault(&recorded).or_else(|| other_fault(&recorded)) else {
        let what =
            if record.is_claim() { "a claim record" } else { record.wire_name().unwrap_or("a record") };
        return Err(SkipError::Readable { place, offset, what: what.to_owned() });
    };
    if is_newer(record) {
        let name = record.wire_name().unwrap_or_default().to_owned();
        return Err(SkipError::Newer { place, offset, name });
    }
    let was_skipped = Skips::read(&**log).await?.of(&recorded).is_some();
    if !was_skipped {
        let digest = RecordDigest::of(record);
        let event =
            deployment::skip(&Actor::System, (place, offset), digest, reason).map_err(SkipError::Refused)?;
        let log = Arc::clone(log);
        let writing = tokio::task::spawn_blocking(move || write(&log, &event, &recorded));
        writing.await.map_err(|stopped| Unavailable(stopped.to_string()))??;
    }
    Ok(Skipped { fault, was_skipped })
}

/// The record at this offset, if there is one.
async fn read(log: &dyn EventLog, at: (StreamPartition, u64)) -> Result<Option<Recorded>, Unavailable> {
    match log.follow(vec![at]).next().await {
        Some(Read::Records(_, records)) => Ok(records.into_iter().find(|recorded| recorded.offset == at.1)),
        Some(Read::End(..)) => Ok(None),
        Some(Read::Unreachable(reason)) => Err(Unavailable(reason)),
        None => Err(Unavailable("it was closed".to_owned())),
    }
}

/// Writes the event, once. Blocks.
fn write(log: &Arc<dyn EventLog>, event: &RecordSkipped, recorded: &Recorded) -> Result<(), SkipError> {
    let mut last = AppendError::Fenced;
    for _ in 0..ATTEMPTS {
        let mut skips = Handle::current().block_on(Skips::read(&**log))?;
        // Another operator may have written it, or an attempt whose outcome was unknown.
        if skips.of(recorded).is_some() {
            return Ok(());
        }
        skips.add(event);
        let (mut writer, replayed) =
            claim(log, 0, || Ok(DeploymentReplay { skips: skips.clone(), version: 0 }))?;
        let record = deployment_record::of(&Event::from(event.clone()), replayed.version + 1);
        match writer.append(Batch { records: vec![(Stream::GroupEvents, record)] }) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last.into())
}

/// Learns the number of the deployment's last event, and stops at nothing.
struct DeploymentReplay {
    skips: Skips,
    version: u64,
}

impl Replay for DeploymentReplay {
    fn restore(&mut self, parts: &mut SnapshotParts<'_>) -> Result<(), String> {
        // Users are of no interest here, so the records that a snapshot stands for need not be read.
        for part in parts {
            part?;
        }
        Ok(())
    }

    fn replay(&mut self, recorded: &Recorded) -> Result<(), String> {
        let record = &recorded.record;
        if record.key == deployment::SUBJECT {
            let sequence = record.header(SEQUENCE).and_then(|sequence| sequence.parse().ok());
            self.version = self.version.max(sequence.unwrap_or_default());
        }
        Ok(())
    }

    /// The chain goes past what nobody can read, because that is what it does once all of it is skipped.
    fn is_skipped(&self, recorded: &Recorded) -> bool {
        self.skips.of(recorded).is_some()
            || (recorded.place.stream == Stream::GroupEvents
                && fault(recorded).is_some()
                && !is_newer(&recorded.record))
    }
}
