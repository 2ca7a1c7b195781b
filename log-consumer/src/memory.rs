//! Checkpoints of a sink that is in memory alone.

use std::collections::BTreeMap;

use log_model::StreamPartition;

use crate::sink::{ApplyError, Checkpoint, Halt, Move};

/// The checkpoints of a sink in memory. They begin at 0 in every process, so the sink reads the whole log.
#[derive(Debug, Clone, Default)]
pub struct MemoryCheckpoints {
    places: BTreeMap<StreamPartition, Checkpoint>,
}

impl MemoryCheckpoints {
    /// The checkpoints of these stream partitions.
    pub fn of(&mut self, places: &[StreamPartition]) -> Vec<Checkpoint> {
        places.iter().map(|place| *self.place(*place)).collect()
    }

    /// Moves all of them, or none if one does not stand at its `from`.
    pub fn advance(&mut self, moves: &[Move]) -> Result<(), ApplyError> {
        if moves.iter().any(|moved| self.place(moved.place).next != moved.from) {
            return Err(ApplyError::Conflict);
        }
        for moved in moves {
            let place = self.place(moved.place);
            (place.next, place.anchor) = (moved.to, moved.anchor);
        }
        Ok(())
    }

    /// Marks a stream partition as halted.
    pub fn halt(&mut self, halt: &Halt) {
        self.place(halt.place).halted = Some(halt.offset);
    }

    /// Takes the halt of a stream partition back.
    pub fn resume(&mut self, place: StreamPartition) {
        self.place(place).halted = None;
    }

    fn place(&mut self, place: StreamPartition) -> &mut Checkpoint {
        self.places.entry(place).or_insert(Checkpoint { place, next: 0, anchor: None, halted: None })
    }
}
