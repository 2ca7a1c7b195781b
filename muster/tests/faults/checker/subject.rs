//! The story of one user or group: folds its events, decides every command once more and compares.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;

use domain::aggregate::Aggregate;
use domain::command::{Ask, Command};
use domain::decision_context::{DecisionContext, Limits};
use domain::group::{self, Group, GroupRef, KnownGroup};
use domain::id::GroupId;
use domain::timestamp::Timestamp;
use domain::user::{self, User};

use super::answers::{self, Told};
use super::log::Event;
use super::{Kind, Violation, expected};
use crate::history::{Attempt, Moment};

/// What is known beside one aggregate.
pub(super) struct World<'a> {
    pub(super) groups: &'a HashMap<GroupId, GroupRef>,
    /// Each command as it was first sent.
    pub(super) commands: &'a HashMap<&'a str, &'a Attempt>,
}

/// An aggregate whose stories can be checked.
pub(super) trait Subject: Aggregate<Event: PartialEq + Debug + Clone> + Clone {
    /// Before anything happened to the one with this id.
    fn before(id: &str) -> Option<Self>;
    fn event(name: &str, body: &[u8]) -> Option<Self::Event>;
    fn asked(ask: &Ask) -> Option<&Self::Command>;
}

impl Subject for User {
    fn before(id: &str) -> Option<Self> {
        id.parse().ok().map(Self::new)
    }

    fn event(name: &str, body: &[u8]) -> Option<Self::Event> {
        user::Event::from_json(name, body).ok()
    }

    fn asked(ask: &Ask) -> Option<&Self::Command> {
        if let Ask::User { command, .. } = ask { Some(command) } else { None }
    }
}

impl Subject for Group {
    fn before(_: &str) -> Option<Self> {
        Some(Self::default())
    }

    fn event(name: &str, body: &[u8]) -> Option<Self::Event> {
        group::Event::from_json(name, body).ok()
    }

    fn asked(ask: &Ask) -> Option<&Self::Command> {
        if let Ask::Group { command, .. } = ask { Some(command) } else { None }
    }
}

/// The events that one command wrote.
pub(super) struct Run<'a> {
    pub(super) command: &'a str,
    pub(super) first: u64,
    pub(super) last: u64,
    /// When the command was first sent; it can't have been written before.
    pub(super) asked: Moment,
}

/// What an aggregate was after each command that wrote something, from its beginning on.
pub(super) struct Story<'a, A> {
    pub(super) states: Vec<A>,
    /// `runs[i]` led from `states[i]` to `states[i + 1]`.
    pub(super) runs: Vec<Run<'a>>,
}

/// Checks one aggregate and returns the id of the command of each run.
pub(super) fn check<'a, A: Subject>(
    name: &str,
    events: &[&'a Event<'a>],
    attempts: &[&'a Attempt],
    world: &World<'a>,
    violations: &mut Vec<Violation>,
) -> Vec<&'a str> {
    let Some(state) = A::before(name) else {
        violations.push(Violation::new(Kind::Foreign, format!("{name} is no id")));
        return Vec::new();
    };
    let mut story = Story { states: vec![state], runs: Vec::new() };
    let mut rest = events;
    while let Some(first) = rest.first() {
        let id = first.envelope.command_id.as_str();
        let length = rest.iter().take_while(|event| event.envelope.command_id == id).count();
        let (run, after) = rest.split_at(length);
        if !tell(name, run, &mut story, world, violations) {
            // What follows would only repeat the same complaint.
            return story.runs.iter().map(|run| run.command).collect();
        }
        rest = after;
    }
    torn(name, &story, violations);
    answers::check(&Told { name, story: &story, attempts, world }, violations);
    story.runs.iter().map(|run| run.command).collect()
}

/// Goes on with the events of one command. False when there is no sense in going on.
fn tell<'a, A: Subject>(
    name: &str,
    run: &[&'a Event<'a>],
    story: &mut Story<'a, A>,
    world: &World<'a>,
    violations: &mut Vec<Violation>,
) -> bool {
    let envelope = &run[0].envelope;
    let id = envelope.command_id.as_str();
    let at = format!("{name}, command {id}, {} offset {}", run[0].place, run[0].offset);
    let mut say = |kind, what: String| violations.push(Violation::new(kind, format!("{at}: {what}")));
    let mut state = story.states.last().expect("a story has a beginning").clone();
    let first = state.version() + 1;
    let mut written = Vec::new();
    let mut read = state.clone();
    for (event, expected) in run.iter().zip(first..) {
        if event.envelope.sequence != expected {
            say(Kind::Gap, format!("event {} stands where {expected} should", event.envelope.sequence));
            return false;
        }
        let Some(happened) = A::event(event.name, event.body) else {
            say(Kind::Foreign, format!("{} can't be read", event.name));
            return false;
        };
        read.evolve(&happened, event.envelope.time);
        written.push(happened);
    }
    let asked = world.commands.get(id).copied();
    let one = |event: &&Event<'_>| {
        (&event.envelope.actor, &event.envelope.command_digest) == (&envelope.actor, &envelope.command_digest)
    };
    match asked {
        None => say(Kind::Foreign, "nobody sent this command".to_owned()),
        Some(asked) if asked.command.actor.id_text() != envelope.actor || !run.iter().all(one) => {
            say(Kind::Foreign, format!("it was written for {}", envelope.actor));
        }
        Some(asked) => match decide(&state, &asked.command, envelope.time, world) {
            Some(Ok(decided)) if decided == written => {}
            decided => {
                say(Kind::AgainstTheRules, format!("the rules say {decided:?}, the log has {written:?}"));
            }
        },
    }
    state = read;
    let last = state.version();
    story.states.push(state);
    story.runs.push(Run { command: id, first, last, asked: asked.map_or(0, |asked| asked.asked) });
    true
}

/// A command whose events do not stand together.
fn torn<A>(name: &str, story: &Story<'_, A>, violations: &mut Vec<Violation>) {
    let mut seen = HashSet::new();
    for run in &story.runs {
        if !seen.insert(run.command) {
            let what =
                format!("{name}: command {} stands in two places, again at {}", run.command, run.first);
            violations.push(Violation::new(Kind::Gap, what));
        }
    }
}

/// What the rules say to a command on a state: events, or the codes of the refusals. `None`: it is for another kind.
pub(super) fn decide<A: Subject>(
    state: &A,
    command: &Command,
    now: Timestamp,
    world: &World<'_>,
) -> Option<Result<Vec<A::Event>, Vec<domain::refusal::Code>>> {
    let asked = A::asked(&command.ask)?;
    if expected(&command.ask).is_some_and(|expected| expected != state.version()) {
        return Some(Err(vec![domain::refusal::Code::StaleVersion]));
    }
    let named = if let Ask::User { command, .. } = &command.ask { command.group() } else { None };
    let group = named.and_then(|id| world.groups.get(&id));
    let group = group.map(|group| KnownGroup { group: group.clone(), closed: false });
    let facts = DecisionContext { now, group, prepared: command.prepared.clone(), limits: Limits::default() };
    let decided = state.decide(asked, &facts);
    Some(match decided {
        Ok(decision) => Ok(decision.events().to_vec()),
        Err(refusals) => Err(refusals.into_iter().map(|refusal| refusal.code).collect()),
    })
}
