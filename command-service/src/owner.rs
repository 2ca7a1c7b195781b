//! The owner of one partition, on a thread of its own: takes over, serves, and takes over again if it is fenced or an
//! outcome is unknown (docs/adr/0001-one-writer-per-partition.md).

use std::time::{Duration, Instant};

use event_log::{ClaimError, Skips};
use log_model::StreamPartition;
use tokio::sync::mpsc;

use crate::queued_command::{QueuedCommand, TakenCommand};
use crate::serving::{Serving, ServingEnd};
use crate::takeover::{known_skips, take_over};
use crate::tenure::{FIRST_PAUSE, Tenure};

/// Longest pause between two attempts to take over.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Pause after a record that can't be replayed: every attempt reads everything, and only an operator can repair it.
const UNREADABLE_PAUSE: Duration = Duration::from_mins(5);
/// How often it looks meanwhile whether an operator has skipped the record.
const LOOK_FOR_SKIP_EVERY: Duration = Duration::from_millis(500);
/// Pause of an owner that was fenced. If the partition was assigned to another process, this one learns so meanwhile.
/// Another claim would only fence the rightful owner (docs/adr/0009-sharing-partitions.md).
const FENCED_PAUSE: Duration = Duration::from_secs(1);

/// The owner of one partition.
pub(crate) struct Owner {
    pub(crate) tenure: Tenure,
    /// Commands for the partition. Closed when the owner must end; commands still in it are answered.
    pub(crate) queue: mpsc::Receiver<QueuedCommand>,
}

impl Owner {
    /// Owns the partition until the tenure ends, or until another process claims the partition after it was yielded.
    /// While the partition is assigned to this process, a fenced owner takes over again.
    pub(crate) fn run(mut self) {
        // Commands of a batch with an unknown outcome. The next takeover finds in the log what was written of them.
        let mut in_doubt = Vec::new();
        let mut pause = FIRST_PAUSE;
        while self.tenure.is_assigned() {
            let skips = self.tenure.shared.groups.skips();
            match take_over(&self.tenure, &skips) {
                Ok(owned) => {
                    pause = FIRST_PAUSE;
                    let serving =
                        Serving::new(&mut self.tenure, &mut self.queue, owned, std::mem::take(&mut in_doubt));
                    let end = serving.run();
                    self.tenure.stop_accepting();
                    match end {
                        ServingEnd::Finished => break,
                        ServingEnd::Fenced(commands) => {
                            in_doubt = commands;
                            self.tenure.pause(FENCED_PAUSE);
                        }
                        ServingEnd::OutcomeUnknown(commands) => in_doubt = commands,
                    }
                }
                Err(_) if !self.tenure.is_assigned() => break,
                Err(error) => {
                    in_doubt.retain(|taken: &TakenCommand| !taken.is_given_up());
                    // At the start of a process the skips may not have been read yet.
                    if let ClaimError::Unreadable { place, offset, .. } = error
                        && known_skips(&self.tenure).at(place, offset) != skips.at(place, offset)
                    {
                        continue;
                    }
                    pause = self.pause_before_retry(&error, pause);
                    if let ClaimError::Unreadable { place, offset, .. } = error {
                        self.wait_for_skip(place, offset, &skips);
                        continue;
                    }
                    self.tenure.pause(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE.max(pause));
                }
            }
        }
        in_doubt.into_iter().for_each(TakenCommand::give_back);
        self.queue.close();
        while let Ok(queued) = self.queue.try_recv() {
            TakenCommand::take(queued).into_iter().for_each(TakenCommand::give_back);
        }
    }

    /// Logs why a takeover failed. `pause` is due next; some failures need a longer one.
    fn pause_before_retry(&self, error: &ClaimError, pause: Duration) -> Duration {
        let partition = self.tenure.partition;
        tracing::warn!(kafka.partition = partition, %error, "the partition can't be taken over yet");
        match error {
            // Another process claims as well. One of the two is about to learn that the partition is not its own.
            ClaimError::Fenced => pause.max(FENCED_PAUSE),
            ClaimError::Unreadable { .. } => {
                tracing::error!(kafka.partition = partition, %error, "the partition stays without an owner");
                FIRST_PAUSE
            }
            ClaimError::Unavailable(_) => pause,
        }
    }

    /// Pauses until an operator has skipped the record, the partition is no longer assigned, or it is time to try again.
    fn wait_for_skip(&mut self, place: StreamPartition, offset: u64, known: &Skips) {
        let until = Instant::now() + UNREADABLE_PAUSE;
        // One that was known and did not help names another record.
        while self.tenure.is_assigned()
            && Instant::now() < until
            && self.tenure.shared.groups.skips().at(place, offset) == known.at(place, offset)
        {
            self.tenure.pause(LOOK_FOR_SKIP_EVERY);
        }
    }
}
