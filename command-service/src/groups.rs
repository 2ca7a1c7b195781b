//! What every owner of this process knows of groups, and up to where.
//!
//! Partitions are shared among processes (`docs/adr/0009-sharing-partitions.md`), and one of them decides about groups. The
//! others consume its events from the log.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Instant;

use domain::aggregate::Aggregate;
use domain::command::{Ask, Command};
use domain::group::{self, Group, KnownGroup};
use domain::id::GroupId;
use domain::timestamp::Timestamp;
use event_log::envelope::Envelope;
use event_log::{EventLog, Recorded};
use log_consumer::{
    ApplyError, Checkpoint, Consumed, Consumer, ConsumerConfig, Halt, MemoryCheckpoints, Move, Sink,
    SinkUnavailable,
};
use log_model::{Position, Stream, StreamPartition};
use service_kit::causes::Causes;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

/// The one stream partition of the group events.
const PLACE: StreamPartition = StreamPartition::new(Stream::GroupEvents, 0);

/// A decision on a wrong picture of groups would be worse than none, so a halt ends the consumer. Outages are reported by
/// those who write to the log.
const CONSUMER: ConsumerConfig = ConsumerConfig {
    halted: "group events can't be read; commands that name groups will wait",
    has_quiet_outages: true,
    ..ConsumerConfig::new("owner", "the groups")
};

type KnownGroups = Arc<RwLock<HashMap<GroupId, Group>>>;

/// The groups as far as they were read. Clones share them.
#[derive(Clone)]
pub(crate) struct Groups {
    known: KnownGroups,
    consumed: watch::Receiver<Consumed>,
    /// Dropped with the last clone, which ends the consumer.
    _handle: Arc<watch::Sender<()>>,
}

impl Groups {
    /// Begins to consume the group events, for as long as the log is open and a clone is left.
    pub(crate) fn follow(log: &Arc<dyn EventLog>) -> Self {
        let known = KnownGroups::default();
        let halted = Arc::new(Notify::new());
        let checkpoints = MemoryCheckpoints::default();
        let sink = GroupsSink { known: known.clone(), checkpoints, halted: halted.clone() };
        let consumer = Consumer::new(log, [PLACE], sink, CONSUMER);
        let seen = consumer.consumed();
        let (handle, mut handles) = watch::channel(());
        tokio::spawn(async move {
            tokio::select! {
                () = consumer.run() => {}
                () = halted.notified() => {}
                _ = handles.changed() => {}
            }
        });
        Self { known, consumed: seen, _handle: Arc::new(handle) }
    }

    /// What is known of the group that a command puts its user into.
    pub(crate) fn of(&self, command: &Command) -> Option<KnownGroup> {
        let id = group(command)?;
        self.known.read().expect("nobody panics while holding it").get(&id)?.known(id)
    }

    /// Whether the groups were read as far as the caller has seen. True for commands that no group decides.
    pub(crate) fn suffice(&self, command: &Command) -> bool {
        !is_by_groups(command) || self.have_read(&command.seen)
    }

    /// Waits until they suffice. False when that took too long. Blocks.
    pub(crate) fn wait_for(&self, command: &Command, until: Instant, runtime: &Handle) -> bool {
        !is_by_groups(command) || self.wait(&command.seen, until, runtime)
    }

    /// Waits until everything that `position` covers was read. False when that took too long. Blocks.
    pub(crate) fn wait(&self, position: &Position, until: Instant, runtime: &Handle) -> bool {
        if self.have_read(position) {
            return true;
        }
        let Some(offset) = position.covered(PLACE) else { return true };
        let mut consumed = self.consumed.clone();
        let passed = async { consumed.wait_for(|consumed| has_passed(consumed, offset)).await.is_ok() };
        runtime.block_on(async { tokio::time::timeout_at(until.into(), passed).await.unwrap_or(false) })
    }

    fn have_read(&self, position: &Position) -> bool {
        position.covered(PLACE).is_none_or(|offset| has_passed(&self.consumed.borrow(), offset))
    }
}

/// The group that a command puts its user into.
fn group(command: &Command) -> Option<GroupId> {
    match &command.ask {
        Ask::User { command: asked, .. } => asked.group(),
        Ask::Group { .. } | Ask::Barrier { .. } | Ask::ReserveAddress { .. } | Ask::ReleaseAddress { .. } => {
            None
        }
    }
}

fn is_by_groups(command: &Command) -> bool {
    group(command).is_some() || matches!(command.ask, Ask::Barrier { .. })
}

fn has_passed(consumed: &Consumed, offset: u64) -> bool {
    consumed.next(PLACE).is_some_and(|next| next > offset)
}

/// The groups as the sink of a consumer.
struct GroupsSink {
    known: KnownGroups,
    checkpoints: MemoryCheckpoints,
    halted: Arc<Notify>,
}

/// What happened to a group, and when.
type GroupEntry = (GroupId, group::Event, Timestamp);

impl Sink for GroupsSink {
    /// `None` for records that are about no group.
    type Entry = Option<GroupEntry>;
    type Batch = Vec<GroupEntry>;

    async fn checkpoints(&mut self, places: &[StreamPartition]) -> Result<Vec<Checkpoint>, SinkUnavailable> {
        Ok(self.checkpoints.of(places))
    }

    fn read(&self, recorded: &Recorded) -> Result<Option<GroupEntry>, String> {
        let record = &recorded.record;
        let Ok(id) = record.key.parse::<GroupId>() else { return Ok(None) };
        let envelope = Envelope::read(record).map_err(|error| Causes(&error).to_string())?;
        let name = record.wire_name().map_err(|error| Causes(&error).to_string())?;
        let event = group::Event::from_json(name, record.body.as_deref().unwrap_or_default());
        Ok(Some((id, event.map_err(|error| Causes(&error).to_string())?, envelope.time)))
    }

    fn fold(
        &self,
        batch: &mut Vec<GroupEntry>,
        entry: Option<GroupEntry>,
        _recorded: &Recorded,
    ) -> Result<(), String> {
        batch.extend(entry);
        Ok(())
    }

    async fn apply(&mut self, batch: Vec<GroupEntry>, moves: Vec<Move>) -> Result<(), ApplyError> {
        self.checkpoints.advance(&moves)?;
        let mut known = self.known.write().expect("nobody panics while holding it");
        for (id, event, time) in batch {
            known.entry(id).or_default().evolve(&event, time);
        }
        Ok(())
    }

    async fn halt(&mut self, halt: &Halt) -> Result<(), SinkUnavailable> {
        self.checkpoints.halt(halt);
        self.halted.notify_one();
        Ok(())
    }
}
