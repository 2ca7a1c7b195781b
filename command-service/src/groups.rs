//! What every owner of this process knows of groups and of skipped records, and up to where.
//!
//! Partitions are shared among processes (`docs/adr/0009-sharing-partitions.md`), and one of them decides about groups. The
//! others consume its events from the log.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Instant;

use domain::aggregate::Aggregate;
use domain::command::{Ask, Command};
use domain::deployment::{self, RecordSkipped};
use domain::group::{self, Group, KnownGroup};
use domain::id::GroupId;
use domain::timestamp::Timestamp;
use event_log::envelope::Envelope;
use event_log::{EventLog, Recorded, Skips, deployment_event};
use log_consumer::{
    ApplyError, Checkpoint, Consumed, Consumer, ConsumerConfig, Halt, MemoryCheckpoints, Move, Sink,
    SinkUnavailable,
};
use log_model::{Position, Stream, StreamPartition};
use service_kit::causes::Causes;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// The one stream partition of the group events.
const PLACE: StreamPartition = StreamPartition::new(Stream::GroupEvents, 0);

/// A decision on a wrong picture of groups would be worse than none, so after a halt nothing is read until an operator has
/// skipped the record. Outages are reported by those who write to the log.
const CONSUMER: ConsumerConfig = ConsumerConfig {
    halted: "group events can't be read; commands that name groups will wait",
    has_quiet_outages: true,
    ..ConsumerConfig::new("owner", "the groups")
};

/// What the group events say.
#[derive(Default)]
struct Known {
    groups: HashMap<GroupId, Group>,
    skips: Skips,
}

type KnownGroups = Arc<RwLock<Known>>;

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
        let sink = GroupsSink { known: known.clone(), checkpoints: MemoryCheckpoints::default() };
        let consumer = Consumer::new(log, [PLACE], sink, CONSUMER);
        let seen = consumer.consumed();
        let (handle, mut handles) = watch::channel(());
        tokio::spawn(async move {
            tokio::select! {
                () = consumer.run() => {}
                _ = handles.changed() => {}
            }
        });
        Self { known, consumed: seen, _handle: Arc::new(handle) }
    }

    /// What is known of the group that a command names.
    pub(crate) fn of(&self, command: &Command) -> Option<KnownGroup> {
        let id = group(command)?;
        self.known.read().expect("nobody panics while holding it").groups.get(&id)?.known(id)
    }

    /// Waits until the end was met once. False when that took too long. Blocks.
    pub(crate) fn wait_for_end(&self, until: Instant, runtime: &Handle) -> bool {
        let mut consumed = self.consumed.clone();
        let met = async { consumed.wait_for(|consumed| consumed.has_met_end(PLACE)).await.is_ok() };
        runtime.block_on(async { tokio::time::timeout_at(until.into(), met).await.unwrap_or(false) })
    }

    /// The records that operators have skipped.
    pub(crate) fn skips(&self) -> Skips {
        self.known.read().expect("nobody panics while holding it").skips.clone()
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

/// The group that a command names: the one that it puts its user into, or whose events a webhook sends.
fn group(command: &Command) -> Option<GroupId> {
    match &command.ask {
        Ask::User { command: asked, .. } => asked.group(),
        Ask::Webhook { command: asked, .. } => asked.group(),
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
}

/// What a record of the group events means here.
enum GroupEntry {
    /// What happened to a group, and when.
    Group(GroupId, group::Event, Timestamp),
    /// A record is skipped.
    Skip(RecordSkipped),
}

impl Sink for GroupsSink {
    /// `None` for records that are about no group and skip nothing.
    type Entry = Option<GroupEntry>;
    type Batch = Vec<GroupEntry>;

    async fn checkpoints(&mut self, places: &[StreamPartition]) -> Result<Vec<Checkpoint>, SinkUnavailable> {
        Ok(self.checkpoints.of(places))
    }

    fn read(&self, recorded: &Recorded) -> Result<Option<GroupEntry>, String> {
        let record = &recorded.record;
        if record.key == deployment::SUBJECT {
            // What can't be read is reported by the owner of the group events.
            return Ok(match deployment_event(record) {
                Some(deployment::Event::RecordSkipped(skipped)) => Some(GroupEntry::Skip(skipped)),
                Some(deployment::Event::Initialised(_)) | None => None,
            });
        }
        let Ok(id) = record.key.parse::<GroupId>() else { return Ok(None) };
        let envelope = Envelope::read(record).map_err(|error| Causes(&error).to_string())?;
        let name = record.wire_name().map_err(|error| Causes(&error).to_string())?;
        let event = group::Event::from_json(name, record.body.as_deref().unwrap_or_default());
        let event = event.map_err(|error| Causes(&error).to_string())?;
        Ok(Some(GroupEntry::Group(id, event, envelope.time)))
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
        for entry in batch {
            match entry {
                GroupEntry::Group(id, event, time) => {
                    known.groups.entry(id).or_default().evolve(&event, time);
                }
                GroupEntry::Skip(skipped) => known.skips.add(&skipped),
            }
        }
        Ok(())
    }

    async fn halt(&mut self, halt: &Halt) -> Result<(), SinkUnavailable> {
        self.checkpoints.halt(halt);
        Ok(())
    }

    async fn resume(&mut self, place: StreamPartition) -> Result<(), SinkUnavailable> {
        self.checkpoints.resume(place);
        Ok(())
    }
}
