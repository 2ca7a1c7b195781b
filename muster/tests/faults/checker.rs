//! Compares what clients were told with what the log holds. Pure: a history and records in, violations out.

mod answers;
mod log;
mod spec;
mod subject;
mod world;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use domain::command::{Ask, Command};
use domain::group::{self, Group, GroupRef};
use domain::id::GroupId;
use domain::user::User;
use event_log::Recorded;
use log_model::Stream;

use crate::history::Attempt;
use log::Event;

/// What kind of promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A command was acknowledged and is not in the log.
    Lost,
    /// A command is in the log more than once.
    WrittenTwice,
    /// A command is in the log although its sender was told that nothing was written.
    WrittenAgainstAnswer,
    /// Two senders were told that theirs was the first.
    AcknowledgedTwice,
    /// The acknowledged version is not that of the command's last event.
    WrongVersion,
    /// The answer fits no state that the aggregate had between the question and the answer.
    Stale,
    /// The events of an aggregate are not numbered 1, 2, 3 …, or those of a command are torn apart.
    Gap,
    /// A record was changed, is missing or out of order.
    BrokenChain,
    /// The rules would not have written this for the command.
    AgainstTheRules,
    /// A record that nobody asked for, or in the wrong place, or under somebody else's name.
    Foreign,
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) kind: Kind,
    pub(crate) what: String,
}

impl Violation {
    pub(crate) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.what)
    }
}

/// Everything that is wrong. `records` is all of the chained streams, in order per place. A command is to be sent again
/// only after it was accepted or its outcome stayed unknown: what was refused is decided anew, and may then be written.
pub(crate) fn check(history: &[Attempt], records: &[Recorded], partitions: u32) -> Vec<Violation> {
    let mut violations = log::chains(records);
    let events = log::events(records, partitions, &mut violations);
    let groups = groups(&events);
    let commands = commands(history);
    let attempts = by_subject(history);
    let mut written: BTreeMap<&str, Vec<&Event<'_>>> = BTreeMap::new();
    for event in &events {
        written.entry(&event.envelope.subject).or_default().push(event);
    }
    let mut times_written: HashMap<&str, u32> = HashMap::new();
    let subjects: BTreeSet<&str> =
        attempts.keys().map(String::as_str).chain(written.keys().copied()).collect();
    let world = subject::World { groups: &groups, commands: &commands };
    for name in subjects {
        let (events, attempts) = (written.get(name), attempts.get(name));
        let events = events.map(Vec::as_slice).unwrap_or_default();
        let attempts = attempts.map(Vec::as_slice).unwrap_or_default();
        let runs = if name.starts_with(GroupId::KIND) {
            subject::check::<Group>(name, events, attempts, &world, &mut violations)
        } else {
            subject::check::<User>(name, events, attempts, &world, &mut violations)
        };
        for id in runs {
            *times_written.entry(id).or_default() += 1;
        }
    }
    for (id, times) in times_written.into_iter().filter(|(_, times)| *times > 1) {
        violations
            .push(Violation::new(Kind::WrittenTwice, format!("command {id} was written {times} times")));
    }
    violations.sort_by_key(|violation| violation.kind);
    violations
}

/// The groups that users' rules know, by the log.
fn groups(events: &[Event<'_>]) -> HashMap<GroupId, GroupRef> {
    let created = |event: &Event<'_>| {
        let group::Event::Created(created) = group::Event::from_json(event.name, event.body).ok()? else {
            return None;
        };
        let id = event.envelope.subject.parse().ok()?;
        Some((id, GroupRef { id, name: created.name }))
    };
    events.iter().filter(|event| event.place.stream == Stream::GroupEvents).filter_map(created).collect()
}

/// The command of each id, as it was first sent, and when.
fn commands(history: &[Attempt]) -> HashMap<&str, &Attempt> {
    let mut commands: HashMap<&str, &Attempt> = HashMap::new();
    for attempt in history {
        let first = commands.entry(&attempt.command.id).or_insert(attempt);
        if attempt.asked < first.asked {
            *first = attempt;
        }
    }
    commands
}

fn by_subject(history: &[Attempt]) -> HashMap<String, Vec<&Attempt>> {
    let mut by_subject: HashMap<_, Vec<_>> = HashMap::new();
    for attempt in history {
        by_subject.entry(attempt.command.ask.subject()).or_default().push(attempt);
    }
    by_subject
}

/// Whether both ask the same, as far as the command's digest goes.
fn same(one: &Command, other: &Command) -> bool {
    one.ask == other.ask && one.actor == other.actor
}

/// The version that the caller had seen.
fn expected(ask: &Ask) -> Option<u64> {
    match ask {
        Ask::User { expected_version, .. }
        | Ask::Group { expected_version, .. }
        | Ask::Webhook { expected_version, .. } => *expected_version,
        Ask::ReserveAddress { .. } | Ask::ReleaseAddress { .. } | Ask::Barrier { .. } => None,
    }
}
