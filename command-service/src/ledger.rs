//! What one partition holds: everything that its owner knows, folded from the log.

use std::collections::HashMap;

use domain::actor::Roles;
use domain::aggregate::Limits;
use domain::deployment::{self, Initialised};
use domain::group::{self, Group};
use domain::id::{GroupId, UserId};
use domain::position::{Place, Position, Stream};
use domain::user;
use event_log::Recorded;

use crate::addresses::Addresses;
use crate::draft::{Changes, Draft};
use crate::remembered::Key;
use crate::resident::Residents;
use crate::slot::Slot;

/// Everything that a partition's owner knows. Only what is committed is in it.
pub(crate) struct Ledger {
    /// By which aggregates know commands again.
    pub(crate) key: Key,
    pub(crate) users: Residents,
    pub(crate) groups: HashMap<GroupId, Slot<Group>>,
    deployment: Option<Initialised>,
    pub(crate) deployment_version: u64,
    pub(crate) addresses: Addresses,
    committed: Position,
}

impl Ledger {
    /// Nothing yet, of one of so many partitions.
    pub(crate) fn of(partition: u32, partitions: u32) -> Self {
        Self {
            key: Key::random(),
            users: Residents::default(),
            groups: HashMap::new(),
            deployment: None,
            deployment_version: 0,
            addresses: Addresses::of(partition, partitions),
            committed: Position::new(),
        }
    }

    /// Takes in a record of the log.
    pub(crate) fn replay(&mut self, recorded: &Recorded) -> Result<(), String> {
        self.cover(recorded.place, recorded.offset);
        if recorded.record.is_claim() {
            return Ok(());
        }
        let record = &recorded.record;
        if recorded.place.stream == Stream::Claims {
            return self.addresses.replay(record);
        }
        let text = |error: &dyn std::error::Error| error.to_string();
        let stamp = record.stamp().map_err(|error| text(&error))?;
        let name = record.wire_name().map_err(|error| text(&error))?;
        let body = record.body.as_deref().unwrap_or_default();
        if stamp.subject == deployment::SUBJECT {
            let deployment::Event::Initialised(first) =
                deployment::Event::from_json(name, body).map_err(|error| text(&error))?;
            self.deployment.get_or_insert(first);
            self.deployment_version = stamp.sequence;
        } else if recorded.place.stream == Stream::GroupEvents {
            let id: GroupId = stamp.subject.parse().map_err(|error| text(&error))?;
            let event = group::Event::from_json(name, body).map_err(|error| text(&error))?;
            self.groups
                .entry(id)
                .or_insert_with(|| Slot::new(Group::default()))
                .evolve(&event, &stamp, self.key);
        } else {
            let id: UserId = stamp.subject.parse().map_err(|error| text(&error))?;
            let event = user::Event::from_json(name, body).map_err(|error| text(&error))?;
            self.users.awake(id).evolve(&event, &stamp, self.key);
        }
        Ok(())
    }

    /// Takes in that everything up to the claim was replayed.
    pub(crate) fn replayed(&mut self) {
        self.users.each(|user| self.addresses.replayed(user));
    }

    /// Begins a batch.
    pub(crate) fn draft(&self, limits: Limits) -> Draft<'_> {
        Draft::on(self, limits)
    }

    /// Takes in what a batch changed, now that it is committed up to `position`.
    pub(crate) fn commit(&mut self, changes: Changes, position: &Position) {
        for (id, slot) in changes.users {
            self.users.rest(id, &slot);
        }
        self.groups.extend(changes.groups);
        self.addresses.commit(changes.addresses);
        for (place, offset) in position.iter() {
            self.cover(place, offset);
        }
    }

    /// Answers name this position to those who wait for views, so places that no view follows are not in it.
    fn cover(&mut self, place: Place, offset: u64) {
        if place.stream.is_followed() {
            self.committed.cover(place, offset);
        }
    }

    /// Takes in that nothing else was committed up to `position`.
    pub(crate) fn confirmed(&mut self, position: &Position) {
        self.commit(Changes::default(), position);
    }

    /// Whether somebody has seen more of this owner's places than it has read itself. A marker may stand behind the
    /// last record, so one offset more is no sign of another writer.
    pub(crate) fn is_behind(&self, seen: &Position) -> bool {
        seen.iter().any(|(place, offset)| self.committed.covered(place).is_some_and(|own| offset > own + 1))
    }

    /// Everything committed that this owner knows of.
    pub(crate) fn committed(&self) -> &Position {
        &self.committed
    }

    /// Number of users that were ever registered.
    pub(crate) fn users(&self) -> usize {
        self.users.len()
    }

    /// Who initialised the deployment.
    pub(crate) fn deployment(&self) -> Option<&Initialised> {
        self.deployment.as_ref()
    }

    /// What a user holds; `None` for one who was never registered.
    pub(crate) fn roles(&self, id: UserId) -> Option<Roles> {
        self.users.wake(id)?.aggregate.account().map(|account| account.roles)
    }
}
