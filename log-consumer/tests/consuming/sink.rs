//! A sink that keeps texts, shows everything it is told, and fails as a test wants.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use event_log::{EventLog, Recorded};
use log_consumer::{
    ApplyError, Checkpoint, Consumer, ConsumerConfig, Halt, MemoryCheckpoints, Move, Sink, SinkUnavailable,
};
use log_model::StreamPartition;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::log::PLACE;

/// What the sink holds and has heard.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    pub(crate) texts: Vec<String>,
    pub(crate) next: u64,
    /// Most records of one batch.
    pub(crate) most: usize,
    pub(crate) halts: Vec<Halt>,
    pub(crate) confirmed: usize,
    pub(crate) unreachable: usize,
    pub(crate) conflicts: usize,
    pub(crate) asked_for_checkpoints: usize,
}

/// How the next calls go wrong.
#[derive(Default)]
pub(crate) struct Faults {
    /// Texts that can't be read.
    pub(crate) unreadable: BTreeSet<String>,
    /// Texts that the sink refuses.
    pub(crate) refused: BTreeSet<String>,
    /// How many calls find the sink away.
    pub(crate) away: usize,
    /// How many applied batches are reported as unavailable all the same.
    pub(crate) unknown: usize,
}

/// What consumers and the test share.
#[derive(Clone, Default)]
pub(crate) struct Shared {
    pub(crate) faults: Arc<Mutex<Faults>>,
    pub(crate) checkpoints: Arc<Mutex<MemoryCheckpoints>>,
    pub(crate) shown: Arc<watch::Sender<Shown>>,
}

impl Shared {
    /// Starts a consumer of [`PLACE`] into this sink.
    pub(crate) fn consume(&self, log: &Arc<dyn EventLog>) -> JoinHandle<()> {
        self.consume_all(log, [PLACE])
    }

    /// Starts a consumer of several stream partitions into this sink.
    pub(crate) fn consume_all<const N: usize>(
        &self,
        log: &Arc<dyn EventLog>,
        places: [StreamPartition; N],
    ) -> JoinHandle<()> {
        let sink = Texts { shared: self.clone() };
        tokio::spawn(Consumer::new(log, places, sink, ConsumerConfig::new("test", "the texts")).run())
    }

    /// Waits until what the sink shows is as it should be.
    pub(crate) async fn shows(&self, what: impl FnMut(&Shown) -> bool) -> Shown {
        crate::log::soon(async { self.shown.subscribe().wait_for(what).await.unwrap().clone() }).await
    }

    fn is_away(&self) -> Result<(), SinkUnavailable> {
        let mut faults = self.faults.lock().unwrap();
        if faults.away > 0 {
            faults.away -= 1;
            return Err(SinkUnavailable("on leave".to_owned()));
        }
        Ok(())
    }
}

pub(crate) struct Texts {
    pub(crate) shared: Shared,
}

impl Sink for Texts {
    type Entry = String;
    type Batch = Vec<String>;

    async fn checkpoints(&mut self, places: &[StreamPartition]) -> Result<Vec<Checkpoint>, SinkUnavailable> {
        self.shared.is_away()?;
        self.shared.shown.send_modify(|shown| shown.asked_for_checkpoints += 1);
        Ok(self.shared.checkpoints.lock().unwrap().of(places))
    }

    fn read(&self, recorded: &Recorded) -> Result<String, String> {
        let text = &recorded.record.key;
        if self.shared.faults.lock().unwrap().unreadable.contains(text) {
            return Err(format!("{text} can't be read"));
        }
        Ok(text.clone())
    }

    async fn load(&mut self, _entries: &[&String]) -> Result<Vec<String>, SinkUnavailable> {
        self.shared.is_away()?;
        Ok(Vec::new())
    }

    fn fold(&self, batch: &mut Vec<String>, entry: String, _recorded: &Recorded) -> Result<(), String> {
        batch.push(entry);
        Ok(())
    }

    async fn apply(&mut self, batch: Vec<String>, moves: Vec<Move>) -> Result<(), ApplyError> {
        self.shared.is_away()?;
        if let Some(text) =
            batch.iter().find(|text| self.shared.faults.lock().unwrap().refused.contains(*text))
        {
            return Err(ApplyError::Refused(format!("{text} is refused")));
        }
        // Both under one lock: the texts move with the checkpoints or not at all.
        let mut checkpoints = self.shared.checkpoints.lock().unwrap();
        if let Err(conflict) = checkpoints.advance(&moves) {
            self.shared.shown.send_modify(|shown| shown.conflicts += 1);
            return Err(conflict);
        }
        self.shared.shown.send_modify(|shown| {
            shown.most = shown.most.max(batch.len());
            shown.texts.extend(batch);
            shown.next = moves.iter().map(|moved| moved.to).fold(shown.next, u64::max);
        });
        drop(checkpoints);
        let mut faults = self.shared.faults.lock().unwrap();
        if faults.unknown > 0 {
            faults.unknown -= 1;
            return Err(ApplyError::Unavailable("no answer".to_owned()));
        }
        Ok(())
    }

    async fn halt(&mut self, halt: &Halt) -> Result<(), SinkUnavailable> {
        self.shared.is_away()?;
        self.shared.checkpoints.lock().unwrap().halt(halt);
        self.shared.shown.send_modify(|shown| shown.halts.push(halt.clone()));
        Ok(())
    }

    async fn resume(&mut self, place: StreamPartition) -> Result<(), SinkUnavailable> {
        self.shared.checkpoints.lock().unwrap().resume(place);
        Ok(())
    }

    async fn confirm(&mut self, _: &[StreamPartition], _: OffsetDateTime) -> Result<(), SinkUnavailable> {
        self.shared.shown.send_modify(|shown| shown.confirmed += 1);
        Ok(())
    }

    async fn log_unreachable(
        &mut self,
        _: &[StreamPartition],
        _: OffsetDateTime,
    ) -> Result<(), SinkUnavailable> {
        self.shared.shown.send_modify(|shown| shown.unreachable += 1);
        Ok(())
    }
}
