//! Takes over a partition: claims it, replays it, waits until the groups are known, and announces the new owner.

use std::time::{Duration, Instant};

use domain::deployment::Event;
use event_log::{AppendError, Batch, ClaimError, Recorded, Replay, Skip, Skips, SnapshotParts, Writer};
use log_model::{Position, Stream, StreamPartition};

use crate::appender::Appender;
use crate::deployment_record;
use crate::ledger::Ledger;
use crate::telemetry::millis;
use crate::tenure::Tenure;

/// Longest wait of a new owner for the groups.
const GROUPS_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for the group events to say whether a record is skipped.
const SKIPS_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a new owner that waits for the groups checks whether the partition is still assigned.
const ASSIGNMENT_CHECK: Duration = Duration::from_millis(500);
/// Records replayed between two reports to the watchdog.
const PROGRESS_EVERY: usize = 1_024;

/// A partition that was taken over.
pub(crate) struct OwnedPartition {
    /// State of the partition as of the claim.
    pub(crate) ledger: Ledger,
    pub(crate) writer: Box<dyn Writer>,
    pub(crate) appender: Appender,
}

/// Claims the partition and makes it ready to be served. Gateways know of the new owner afterwards.
///
/// On an error nothing is served, though the claim may stand and have fenced the previous owner. The claim fences every
/// earlier owner, and its record marks the end of what has to be replayed
/// (docs/adr/0006-hash-chain-and-claim-records.md). Records that operators have skipped are passed over.
pub(crate) fn take_over(tenure: &Tenure, skips: &Skips) -> Result<OwnedPartition, ClaimError> {
    let begun = Instant::now();
    let (partition, log, watchdog) = (tenure.partition, &tenure.shared.log, tenure.watchdog());
    let appender = Appender::start(partition, watchdog.clone())
        .map_err(|error| ClaimError::Unavailable(error.to_string()))?;
    let ledger = Ledger::new(partition, log.partitions()).skipping(skips.clone());
    let mut replaying = ReplayingLedger { tenure, ledger, restored: 0, replayed: 0 };
    let mut writer = watchdog.during(|| log.claim(partition, &mut replaying))?;
    if !tenure.is_assigned() {
        return Err(ClaimError::Fenced);
    }
    let ReplayingLedger { mut ledger, restored, replayed, .. } = replaying;
    ledger.finish_replay();
    adopt_partitions(&mut ledger, &mut *writer, tenure)?;
    let ends = watchdog.during(|| tenure.shared.runtime.block_on(log.ends()));
    let ends = ends.map_err(|error| ClaimError::Unavailable(error.to_string()))?;
    let mut end = Position::new();
    ends.into_iter().filter(|(_, next)| *next > 0).for_each(|(place, next)| end.cover(place, next - 1));
    // Before this claim an earlier owner may have passed a barrier, and so promised to admit nobody to a closed group.
    // The promise binds this owner as well (docs/adr/0010-deleting-a-group.md).
    if !wait_for_groups(tenure, &end) {
        return Err(ClaimError::Unavailable("the groups are not read to their end yet".to_owned()));
    }
    // A process that has just started may learn of a skip only now, after it has replayed the record: owners can read some
    // that others can't.
    let is_new = |(place, offset, skip): (StreamPartition, u64, &Skip)| {
        let is_replayed =
            matches!(place.stream, Stream::UserEvents | Stream::GroupEvents | Stream::Reservations);
        is_replayed && place.partition == partition && skips.at(place, offset) != Some(skip)
    };
    if tenure.shared.groups.skips().iter().any(is_new) {
        return Err(ClaimError::Unavailable("a replayed record is skipped".to_owned()));
    }
    // Positions in answers to repeated commands cover credentials too, which a claim does not replay.
    let credentials = StreamPartition::new(Stream::Credentials, partition);
    if let Some(last) = end.covered(credentials) {
        ledger.advance(&Position::at(credentials, last));
    }
    // Commands are accepted before the announcement, because gateways send them as soon as they hear of it.
    tenure.start_accepting(writer.epoch());
    if let Err(error) = watchdog.during(|| writer.announce(&tenure.shared.url)) {
        tenure.stop_accepting();
        return Err(not_claimed(error));
    }
    tracing::info!(
        kafka.partition = partition,
        users = ledger.users(),
        restored,
        replayed,
        duration_ms = millis(begun),
        "partition taken over"
    );
    metrics::histogram!("muster_takeover_duration_seconds").record(begun.elapsed().as_secs_f64());
    Ok(OwnedPartition { ledger, writer, appender })
}

fn not_claimed(error: AppendError) -> ClaimError {
    match error {
        AppendError::Fenced => ClaimError::Fenced,
        other => ClaimError::Unavailable(other.to_string()),
    }
}

/// Adds the number of partitions to the deployment's record, if an earlier release wrote it without. Only the owner of
/// partition 0 knows a record.
fn adopt_partitions(ledger: &mut Ledger, writer: &mut dyn Writer, tenure: &Tenure) -> Result<(), ClaimError> {
    let partitions = tenure.shared.log.partitions();
    let Some(event) = ledger.deployment().and_then(|record| record.adopt(partitions)) else { return Ok(()) };
    let sequence = ledger.deployment_version + 1;
    let record = deployment_record::of(&Event::from(event.clone()), sequence);
    let batch = Batch { records: vec![(Stream::GroupEvents, record)] };
    let position = tenure.watchdog().during(|| writer.append(batch)).map_err(not_claimed)?;
    ledger.adopt(event, sequence);
    ledger.advance(&position);
    tracing::info!(partitions, "the number of partitions is in the deployment's record from now on");
    Ok(())
}

/// The records that operators have skipped, as the group events say at their end. Blocks. A process that has just started
/// may not have read that far in time; then it is what is known so far.
pub(crate) fn known_skips(tenure: &Tenure) -> Skips {
    let groups = &tenure.shared.groups;
    wait(tenure, SKIPS_TIMEOUT, |until| groups.wait_for_end(until, &tenure.shared.runtime));
    groups.skips()
}

/// Blocks until the groups are read up to `end`. False after a timeout, or once the partition is no longer assigned.
///
/// The claim is kept meanwhile, because another claim would only fence others for no reason.
fn wait_for_groups(tenure: &Tenure, end: &Position) -> bool {
    let shared = &tenure.shared;
    wait(tenure, GROUPS_TIMEOUT, |until| shared.groups.wait(end, until, &shared.runtime))
}

/// Blocks until it is so. `is_so` waits up to an instant. False after a timeout, or once the partition is no longer
/// assigned.
fn wait(tenure: &Tenure, timeout: Duration, is_so: impl Fn(Instant) -> bool) -> bool {
    let until = Instant::now() + timeout;
    loop {
        if is_so(until.min(Instant::now() + ASSIGNMENT_CHECK)) {
            return true;
        }
        if !tenure.is_assigned() || Instant::now() >= until {
            return false;
        }
    }
}

/// A ledger during a claim. Counts what it reads, reports progress, and stops the replay if the partition is taken away.
struct ReplayingLedger<'a> {
    tenure: &'a Tenure,
    ledger: Ledger,
    /// Users restored from a snapshot.
    restored: usize,
    replayed: usize,
}

impl Replay for ReplayingLedger<'_> {
    fn restore(&mut self, parts: &mut SnapshotParts<'_>) -> Result<(), String> {
        if self.tenure.shared.snapshot_every.is_none() {
            return Err("snapshots are switched off".to_owned());
        }
        self.ledger.restore(parts)?;
        self.restored = self.ledger.users();
        Ok(())
    }

    fn headers(&self) -> Option<&'static [&'static str]> {
        self.ledger.headers()
    }

    fn replay(&mut self, recorded: &Recorded) -> Result<(), String> {
        self.replayed += 1;
        if self.replayed.is_multiple_of(PROGRESS_EVERY) {
            self.on_progress()?;
        }
        self.ledger.replay(recorded)
    }

    fn is_skipped(&self, recorded: &Recorded) -> bool {
        self.ledger.is_skipped(recorded)
    }

    fn on_progress(&mut self) -> Result<(), String> {
        self.tenure.watchdog().report_progress();
        if self.tenure.is_assigned() { Ok(()) } else { Err("the partition was taken away".to_owned()) }
    }
}
