//! Passing over the records that operators have skipped, and going on where a consumer was halted at one.

use std::time::Duration;

use event_log::{Skips, Unavailable};
use log_model::StreamPartition;
use tokio::time::Instant;

use super::Consumer;
use crate::sink::{Sink, SinkUnavailable};

/// How often a halted consumer looks whether an operator has skipped the record.
const LOOK_EVERY: Duration = Duration::from_secs(3);

impl<S: Sink> Consumer<S> {
    /// Reads which records to pass over, as soon as the log can be read.
    pub(super) async fn learn_skips(&mut self) {
        while let Some(log) = self.log.upgrade() {
            let read = Skips::read(&*log).await;
            drop(log);
            self.skips_read = Instant::now();
            match read {
                Ok(skips) => {
                    self.skips = skips;
                    return;
                }
                Err(Unavailable(reason)) => {
                    self.tell_log_unreachable(&reason).await;
                    self.log_outage.wait(&reason).await;
                }
            }
        }
    }

    /// Takes back the halts at records that an operator has skipped. Returns whether there were any.
    pub(super) async fn resume_skipped(&mut self) -> bool {
        let is_skipped =
            |(place, offset): &(&StreamPartition, &u64)| self.skips.at(**place, **offset).is_some();
        let skipped: Vec<_> =
            self.halted.iter().filter(is_skipped).map(|(place, at)| (*place, *at)).collect();
        for (place, offset) in &skipped {
            tracing::info!(log.place = %place, log.offset = offset, "the record is skipped; {} go on", self.config.sink);
            while let Err(SinkUnavailable(reason)) = self.sink.resume(*place).await {
                self.sink_outage.wait(&reason).await;
            }
        }
        !skipped.is_empty()
    }

    /// Whether an operator has skipped a record at which this consumer is halted since the reading began. Looks every few
    /// seconds.
    pub(super) async fn are_new_halts_skipped(&mut self) -> bool {
        if self.skips_read.elapsed() < LOOK_EVERY {
            return false;
        }
        self.skips_read = Instant::now();
        let Some(log) = self.log.upgrade() else { return false };
        let Ok(skips) = Skips::read(&*log).await else { return false };
        // One that was known and did not help names another record.
        let is_new = |(place, offset): (&StreamPartition, &u64)| {
            skips.at(*place, *offset) != self.skips.at(*place, *offset)
        };
        self.halted.iter().any(is_new)
    }
}
