//! The projection's report about itself: how far each stream partition is, and whether the process is ready.

use log_consumer::Consumed;
use log_model::StreamPartition;
use read_model::Progress;
use read_model::checkpoint::Halt;
use tokio::sync::watch;

/// How far the projection of this process is. Clones show the same.
#[derive(Debug, Clone)]
pub struct Status {
    progress: Progress,
    places: Vec<StreamPartition>,
    consumed: watch::Receiver<Consumed>,
}

/// How far one stream partition is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionStatus {
    /// Which one.
    pub place: StreamPartition,
    /// The offset to read next.
    pub next: u64,
    /// Whether the projection has stood at the end since the process started.
    pub has_met_end: bool,
    /// The record that could not be applied.
    pub halted: Option<Halt>,
}

impl Status {
    pub(crate) fn new(
        progress: Progress,
        places: Vec<StreamPartition>,
        consumed: watch::Receiver<Consumed>,
    ) -> Self {
        Self { progress, places, consumed }
    }

    /// Every stream partition.
    pub fn places(&self) -> Vec<PartitionStatus> {
        let place = |place: &StreamPartition| {
            let seen = self.progress.checkpoint(*place);
            PartitionStatus {
                place: *place,
                next: seen.as_ref().map_or(0, |seen| seen.next),
                has_met_end: self.consumed.borrow().has_met_end(*place),
                halted: seen.and_then(|seen| seen.halted),
            }
        };
        self.places.iter().map(place).collect()
    }

    /// Ok when every stream partition has caught up and none is halted; else what is missing, in one line.
    pub fn ready(&self) -> Result<(), String> {
        let places = self.places();
        if let Some((place, halt)) = places.iter().find_map(|it| Some((it.place, it.halted.as_ref()?))) {
            return Err(format!("{place} is halted at offset {}: {}", halt.offset, halt.reason));
        }
        match places.iter().find(|it| !it.has_met_end) {
            Some(behind) => Err(format!("the end of {} ({} is next)", behind.place, behind.next)),
            None => Ok(()),
        }
    }
}
