//! What every owner of this process knows of groups, and up to where: followed, because another partition decides it.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Instant;

use domain::aggregate::Aggregate;
use domain::command::{Ask, Command};
use domain::group::{self, Group, KnownGroup};
use domain::id::GroupId;
use event_log::envelope::Envelope;
use event_log::{EventLog, Read, Recorded};
use log_model::{Position, Stream, StreamPartition};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// The one place of the group events.
const PLACE: StreamPartition = StreamPartition::new(Stream::GroupEvents, 0);

/// The groups as far as they were read.
#[derive(Clone)]
pub(crate) struct Groups {
    known: Arc<RwLock<HashMap<GroupId, Group>>>,
    next: watch::Receiver<u64>,
}

impl Groups {
    /// Begins to follow the group events, for as long as the log is open.
    pub(crate) fn follow(log: &dyn EventLog) -> Self {
        let known = Arc::new(RwLock::new(HashMap::new()));
        let (sender, next) = watch::channel(0);
        let mut follow = log.follow(vec![(PLACE, 0)]);
        let map = known.clone();
        tokio::spawn(async move {
            while let Some(read) = follow.next().await {
                match read {
                    Read::Records(_, records) => {
                        let Some(last) = records.last().map(|record| record.offset) else { continue };
                        let mut map = map.write().expect("nobody panics while holding it");
                        if let Some(broken) =
                            records.iter().find_map(|record| take_in(&mut map, record).err())
                        {
                            // Deciding on a wrong picture of groups would be worse than not deciding.
                            tracing::error!(
                                reason = broken,
                                "group events can't be read; commands that name groups will wait"
                            );
                            return;
                        }
                        drop(map);
                        sender.send_replace(last + 1);
                    }
                    Read::End(_, next) => {
                        sender.send_if_modified(|known| std::mem::replace(known, next.max(*known)) < next);
                    }
                    Read::Unreachable(reason) => {
                        tracing::debug!(reason, "group events can't be read at the moment");
                    }
                }
                if sender.is_closed() {
                    return;
                }
            }
        });
        Self { known, next }
    }

    /// What is known of the group that a command is about a user's place in.
    pub(crate) fn of(&self, command: &Command) -> Option<KnownGroup> {
        let id = group(command)?;
        self.known.read().expect("nobody panics while holding it").get(&id)?.known(id)
    }

    /// Whether the groups that a command is decided by, if it is, were read as far as its caller has seen.
    pub(crate) fn suffice(&self, command: &Command) -> bool {
        !is_by_groups(command) || self.have_read(&command.seen)
    }

    /// Waits until they were. False when that took too long. Blocks.
    pub(crate) fn wait_for(&self, command: &Command, until: Instant, runtime: &Handle) -> bool {
        !is_by_groups(command) || self.wait(&command.seen, until, runtime)
    }

    /// Waits until everything that `position` covers was read. False when that took too long. Blocks.
    pub(crate) fn wait(&self, position: &Position, until: Instant, runtime: &Handle) -> bool {
        if self.have_read(position) {
            return true;
        }
        let Some(offset) = position.covered(PLACE) else { return true };
        let mut next = self.next.clone();
        let passed = async { next.wait_for(|next| *next > offset).await.is_ok() };
        runtime.block_on(async { tokio::time::timeout_at(until.into(), passed).await.unwrap_or(false) })
    }

    fn have_read(&self, position: &Position) -> bool {
        position.covered(PLACE).is_none_or(|offset| *self.next.borrow() > offset)
    }
}

/// The group that a command is about a user's place in.
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

fn take_in(groups: &mut HashMap<GroupId, Group>, recorded: &Recorded) -> Result<(), String> {
    let record = &recorded.record;
    let Ok(id) = record.key.parse::<GroupId>() else { return Ok(()) };
    let at = |reason: &dyn std::fmt::Display| format!("{PLACE} offset {}: {reason}", recorded.offset);
    let envelope = Envelope::read(record).map_err(|error| at(&error))?;
    let name = record.wire_name().map_err(|error| at(&error))?;
    let event = group::Event::from_json(name, record.body.as_deref().unwrap_or_default());
    groups.entry(id).or_default().evolve(&event.map_err(|error| at(&error))?, envelope.time);
    Ok(())
}
