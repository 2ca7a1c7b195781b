//! Whether every answer was true: what was acknowledged is there, what was refused is not, and nobody was told what was over.

use std::collections::HashMap;

use domain::refusal::Code;
use domain::timestamp::Timestamp;

use super::subject::{Run, Story, Subject, World, decide};
use super::{Kind, Violation, same};
use crate::history::{Attempt, Moment, Outcome};

/// What senders were told about one aggregate, beside its story.
pub(super) struct Told<'a, 'b, A> {
    pub(super) name: &'b str,
    pub(super) story: &'b Story<'a, A>,
    pub(super) attempts: &'b [&'a Attempt],
    pub(super) world: &'b World<'a>,
}

/// Judges every attempt.
pub(super) fn check<A: Subject>(told: &Told<'_, '_, A>, violations: &mut Vec<Violation>) {
    let runs: HashMap<&str, &Run<'_>> = told.story.runs.iter().map(|run| (run.command, run)).collect();
    let floors = Floors::of(told.attempts, &runs);
    let mut first_told: HashMap<&str, u32> = HashMap::new();
    for attempt in told.attempts {
        let id = attempt.command.id.as_str();
        let run = runs.get(id).copied();
        if let Some((kind, reason)) = told.judge(attempt, run, floors.at(attempt.asked)) {
            let (name, outcome) = (told.name, &attempt.outcome);
            let what = format!(
                "{name}, command {id} ({}) sent at {} µs, told {outcome:?} at {} µs: {reason}",
                attempt.command.ask.name(),
                attempt.asked,
                attempt.answered
            );
            violations.push(Violation::new(kind, what));
        } else if let (Outcome::Accepted { version, repeated: false }, Some(run)) = (&attempt.outcome, run)
            && *version == run.last
        {
            *first_told.entry(id).or_default() += 1;
        }
    }
    for (id, times) in first_told.into_iter().filter(|(_, times)| *times > 1) {
        let what =
            format!("{}: {times} senders of command {id} were told that theirs was the first", told.name);
        violations.push(Violation::new(Kind::AcknowledgedTwice, what));
    }
}

impl<A: Subject> Told<'_, '_, A> {
    fn judge(&self, attempt: &Attempt, run: Option<&Run<'_>>, floor: u64) -> Option<(Kind, String)> {
        let first = self.world.commands.get(attempt.command.id.as_str());
        let reused = first.is_some_and(|first| !same(&first.command, &attempt.command));
        match &attempt.outcome {
            Outcome::Accepted { .. } if reused => {
                Some((Kind::WrittenAgainstAnswer, "another command had this id".to_owned()))
            }
            Outcome::Accepted { version, repeated } => {
                self.accepted(attempt, run, floor, *version, *repeated)
            }
            // That the first one is remembered can only be expected where it is written.
            Outcome::Refused(codes) if reused => (run.is_some() && codes != &[Code::CommandIdReused])
                .then(|| (Kind::Stale, "another command had this id".to_owned())),
            Outcome::Refused(_) | Outcome::Forbidden if run.is_some() && !reused => {
                Some((Kind::WrittenAgainstAnswer, "it is in the log".to_owned()))
            }
            // A later sending may meet a broker that is away; the first one has written what is there.
            Outcome::Unavailable
                if run.is_some() && first.is_some_and(|first| std::ptr::eq(*first, attempt)) =>
            {
                Some((Kind::WrittenAgainstAnswer, "it is in the log".to_owned()))
            }
            Outcome::Refused(codes) => {
                let fits =
                    |state: &A| self.decide(state, attempt).is_some_and(|told| told.as_ref() == Err(codes));
                (!self.held(attempt, floor).any(fits))
                    .then(|| (Kind::Stale, format!("no state from version {floor} on says so")))
            }
            Outcome::Forbidden | Outcome::Unavailable | Outcome::Unknown => None,
        }
    }

    fn accepted(
        &self,
        attempt: &Attempt,
        run: Option<&Run<'_>>,
        floor: u64,
        version: u64,
        repeated: bool,
    ) -> Option<(Kind, String)> {
        if let Some(run) = run.filter(|run| run.last == version) {
            let stale = !repeated && run.first <= floor;
            return stale
                .then(|| (Kind::Stale, format!("version {floor} was acknowledged before it was sent")));
        }
        let changes_nothing = |state: &A| {
            state.version() == version
                && self.decide(state, attempt).is_some_and(|told| told.is_ok_and(|events| events.is_empty()))
        };
        if !repeated && self.held(attempt, floor).any(changes_nothing) {
            return None;
        }
        Some(match run {
            Some(run) => (Kind::WrongVersion, format!("its events are {} to {}", run.first, run.last)),
            None => {
                (Kind::Lost, format!("it is not in the log; version {floor} had been acknowledged before"))
            }
        })
    }

    fn decide(&self, state: &A, attempt: &Attempt) -> Option<Result<Vec<A::Event>, Vec<Code>>> {
        decide(state, &attempt.command, Timestamp::from_micros(0), self.world)
    }

    /// The states that the aggregate can have had while the attempt was open: not older than what had been acknowledged
    /// when it was sent, not younger than what had been sent when it was answered.
    fn held(&self, attempt: &Attempt, floor: u64) -> impl Iterator<Item = &A> {
        let possible = self.story.runs.iter().take_while(|run| run.asked <= attempt.answered).count();
        self.story.states[..=possible].iter().filter(move |state| state.version() >= floor)
    }
}

/// Which version had been acknowledged when. No later question may be answered from an older one.
struct Floors(Vec<(Moment, u64)>);

impl Floors {
    /// Only of what is in the log: a lost command is one violation and not the cause of others.
    fn of(attempts: &[&Attempt], runs: &HashMap<&str, &Run<'_>>) -> Self {
        let acknowledged = attempts.iter().filter_map(|attempt| match attempt.outcome {
            Outcome::Accepted { version, .. } => {
                let written = runs.get(attempt.command.id.as_str()).is_some_and(|run| run.last == version);
                written.then_some((attempt.answered, version))
            }
            _ => None,
        });
        let mut floors: Vec<_> = acknowledged.collect();
        floors.sort_unstable();
        let mut highest = 0;
        for (_, version) in &mut floors {
            highest = highest.max(*version);
            *version = highest;
        }
        Self(floors)
    }

    fn at(&self, moment: Moment) -> u64 {
        let before = self.0.partition_point(|(answered, _)| *answered < moment);
        before.checked_sub(1).map_or(0, |last| self.0[last].1)
    }
}
