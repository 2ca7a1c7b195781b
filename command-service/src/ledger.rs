//! The state of one partition: everything its owner knows, folded from the log.

use std::collections::{HashMap, HashSet};

use domain::actor::Roles;
use domain::deployment::{self, Initialised};
use domain::group::Group;
use domain::id::{GroupId, UserId, WebhookId};
use domain::user::User;
use domain::webhook::Webhook;
use event_log::envelope::Stamp;
use event_log::{Recorded, Replay, Skips, SnapshotParts};
use log_model::{Position, Stream, StreamPartition};

use crate::addresses::{AddressChanges, Addresses};
use crate::fingerprint::FingerprintKey;
use crate::ledger_entry::LedgerEntry;
use crate::packed_users::PackedUsers;
use crate::snapshot::{self, DecodedSnapshot};
use crate::tracked_aggregate::TrackedAggregate;

#[cfg(test)]
#[path = "ledger_spec.rs"]
mod spec;

/// Everything the owner of a partition knows. Only what is committed is in it.
pub(crate) struct Ledger {
    /// Key of the fingerprints by which repeated commands are recognised.
    pub(crate) key: FingerprintKey,
    pub(crate) users: PackedUsers,
    pub(crate) groups: HashMap<GroupId, TrackedAggregate<Group>>,
    pub(crate) webhooks: HashMap<WebhookId, TrackedAggregate<Webhook>>,
    deployment: Option<Initialised>,
    pub(crate) deployment_version: u64,
    pub(crate) addresses: Addresses,
    committed: Position,
    /// User events applied since the last snapshot.
    since_snapshot: usize,
    /// During a replay that began with a snapshot, the users who have changed since. Their addresses are out of
    /// `addresses` until [`Self::finish_replay`].
    changed: Option<HashSet<UserId>>,
    /// The records that a replay passes over.
    skips: Skips,
}

/// What a batch changes in the ledger once it is committed. Until then the next batch is decided on top of it.
#[derive(Default)]
pub(crate) struct LedgerChanges {
    pub(crate) users: HashMap<UserId, TrackedAggregate<User>>,
    pub(crate) groups: HashMap<GroupId, TrackedAggregate<Group>>,
    pub(crate) webhooks: HashMap<WebhookId, TrackedAggregate<Webhook>>,
    pub(crate) addresses: AddressChanges,
    /// User events among its records.
    pub(crate) user_events: usize,
}

impl Replay for Ledger {
    fn restore(&mut self, parts: &mut SnapshotParts<'_>) -> Result<(), String> {
        let DecodedSnapshot { key, users, addresses } = snapshot::decode(parts, self.addresses.emptied())?;
        (self.key, self.users, self.addresses) = (key, users, addresses);
        self.changed = Some(HashSet::new());
        Ok(())
    }

    fn headers(&self) -> Option<&'static [&'static str]> {
        // A skipped record is recognised by all of its headers.
        self.skips.iter().next().is_none().then_some(Stamp::HEADERS)
    }

    fn replay(&mut self, recorded: &Recorded) -> Result<(), String> {
        self.cover(recorded.place, recorded.offset);
        if recorded.record.is_claim() {
            return Ok(());
        }
        let record = &recorded.record;
        if recorded.place.stream == Stream::Reservations {
            return self.addresses.replay(record);
        }
        match LedgerEntry::read(recorded)? {
            LedgerEntry::Deployment(event, stamp) => {
                if let deployment::Event::Initialised(first) = event {
                    self.deployment = Some(first.after(self.deployment.take()));
                }
                self.deployment_version = stamp.sequence;
            }
            LedgerEntry::Group(id, event, stamp) => {
                self.groups
                    .entry(id)
                    .or_insert_with(|| TrackedAggregate::new(Group::default()))
                    .evolve(&event, &stamp, self.key);
            }
            LedgerEntry::Webhook(id, event, stamp) => {
                self.webhooks
                    .entry(id)
                    .or_insert_with(|| TrackedAggregate::new(Webhook::default()))
                    .evolve(&event, &stamp, self.key);
            }
            LedgerEntry::User(id, event, stamp) => {
                self.since_snapshot += 1;
                let is_first = self.changed.as_mut().is_some_and(|changed| changed.insert(id));
                let number = if is_first { self.users.number(id) } else { None };
                let tracked = self.users.load_for_replay(id);
                if let Some(number) = number {
                    self.addresses.remove_user(number, &tracked.aggregate);
                }
                tracked.evolve(&event, &stamp, self.key);
            }
        }
        Ok(())
    }

    fn is_skipped(&self, recorded: &Recorded) -> bool {
        let Some(skip) = self.skips.of(recorded) else { return false };
        let Recorded { place, offset, .. } = recorded;
        tracing::info!(log.place = %place, log.offset = offset, reason = skip.reason, "passed over a skipped record");
        true
    }
}

impl Ledger {
    /// Nothing known, for the owner of `partition` in a deployment of `partitions`.
    pub(crate) fn new(partition: u32, partitions: u32) -> Self {
        let key = FingerprintKey::random();
        Self {
            key,
            users: PackedUsers::default(),
            groups: HashMap::new(),
            webhooks: HashMap::new(),
            deployment: None,
            deployment_version: 0,
            addresses: Addresses::new(partition, partitions, key),
            committed: Position::new(),
            since_snapshot: 0,
            changed: None,
            skips: Skips::default(),
        }
    }

    /// The same, passing over these records in a replay.
    pub(crate) fn skipping(self, skips: Skips) -> Self {
        Self { skips, ..self }
    }

    /// Call after the last replayed record: packs the users and indexes the addresses they hold.
    pub(crate) fn finish_replay(&mut self) {
        self.users.flush();
        let Self { users, addresses, .. } = self;
        match self.changed.take() {
            Some(changed) => {
                for number in changed.into_iter().filter_map(|id| users.number(id)) {
                    if let Some(tracked) = users.at(number) {
                        addresses.add_user(number, &tracked.aggregate);
                    }
                }
            }
            None => users.for_each(|number, user| addresses.add_user(number, user)),
        }
    }

    /// Applies the changes of a batch that is committed up to `position`.
    pub(crate) fn commit(&mut self, changes: LedgerChanges, position: &Position) {
        self.since_snapshot += changes.user_events;
        for (id, tracked) in changes.users {
            self.users.store(id, &tracked);
        }
        self.groups.extend(changes.groups);
        self.webhooks.extend(changes.webhooks);
        self.addresses.commit(changes.addresses, &self.users);
        for (place, offset) in position.iter() {
            self.cover(place, offset);
        }
    }

    /// Leaves out stream partitions that no view follows, because callers wait until the views have reached this position.
    fn cover(&mut self, place: StreamPartition, offset: u64) {
        if place.stream.is_followed() {
            self.committed.cover(place, offset);
        }
    }

    /// Whether a snapshot is due: after `every` events, and after half as many events as there are users. The latter
    /// keeps the work for snapshots in proportion to the events.
    pub(crate) fn needs_snapshot(&self, every: usize) -> bool {
        self.since_snapshot >= every.max(self.users.len() / 2)
    }

    /// The parts of a snapshot.
    pub(crate) fn snapshot(&self) -> Vec<Vec<u8>> {
        snapshot::encode(self.key, &self.users, &self.addresses)
    }

    /// Notes that the log has taken a snapshot.
    pub(crate) fn snapshot_saved(&mut self) {
        self.since_snapshot = 0;
    }

    /// Notes that everything up to `position` is committed, and that the ledger has it already.
    pub(crate) fn advance(&mut self, position: &Position) {
        self.commit(LedgerChanges::default(), position);
    }

    /// Whether a caller has seen more of this partition than the ledger has. A transaction marker may follow the last
    /// record, so a difference of one offset is no sign of another writer.
    pub(crate) fn is_behind(&self, seen: &Position) -> bool {
        seen.iter().any(|(place, offset)| self.committed.covered(place).is_some_and(|own| offset > own + 1))
    }

    /// Position of the last committed record in each stream partition.
    pub(crate) fn committed(&self) -> &Position {
        &self.committed
    }

    /// Number of users with events.
    pub(crate) fn users(&self) -> usize {
        self.users.len()
    }

    /// The first administrator, if the deployment is initialised.
    pub(crate) fn deployment(&self) -> Option<&Initialised> {
        self.deployment.as_ref()
    }

    /// Notes that the number of partitions is in the log.
    pub(crate) fn adopt(&mut self, event: Initialised, sequence: u64) {
        self.deployment = Some(event.after(self.deployment.take()));
        self.deployment_version = sequence;
    }

    /// A user's roles; `None` for one without an account.
    pub(crate) fn roles(&self, id: UserId) -> Option<Roles> {
        self.users.load(id)?.aggregate.account().map(|account| account.roles)
    }
}
