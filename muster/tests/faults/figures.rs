//! What a run came to, in numbers.

use std::collections::BTreeMap;
use std::fmt;

use domain::command::Command;

use crate::checker::{Kind, Violation};
use crate::history::{Attempt, Moment, Outcome};
use crate::plan::Fault;

/// One fault under load, from its beginning until every partition acknowledged again.
pub(crate) struct Round {
    pub(crate) fault: Fault,
    pub(crate) begun: Moment,
    pub(crate) recovered: Moment,
}

/// What all histories of a run came to.
#[derive(Default)]
pub(crate) struct Figures {
    rounds: usize,
    accepted: usize,
    repeated: usize,
    refused: usize,
    forbidden: usize,
    unavailable: usize,
    unknown: usize,
    events: usize,
    /// How often a partition was taken over, and how often the new owner began with a snapshot.
    takeovers: (usize, usize),
    violations: BTreeMap<Kind, usize>,
    /// Per fault and round, the longest pause of each partition.
    pauses: BTreeMap<Fault, Vec<Vec<Moment>>>,
}

impl Figures {
    /// Takes in how often partitions were taken over, and how often with a snapshot.
    pub(crate) fn add_takeovers(&mut self, (takeovers, from_snapshot): (usize, usize)) {
        self.takeovers.0 += takeovers;
        self.takeovers.1 += from_snapshot;
    }

    /// Whether snapshots were put to the test.
    pub(crate) fn has_restored(&self) -> bool {
        self.takeovers.1 > 0
    }

    /// Takes in a history that was checked. `events` is how many events were read.
    pub(crate) fn add(
        &mut self,
        rounds: &[Round],
        history: &[Attempt],
        partitions: u32,
        events: usize,
        violations: &[Violation],
    ) {
        self.rounds += rounds.len();
        self.events += events;
        for attempt in history {
            *match &attempt.outcome {
                Outcome::Accepted { repeated: false, .. } => &mut self.accepted,
                Outcome::Accepted { repeated: true, .. } => &mut self.repeated,
                Outcome::Refused(_) => &mut self.refused,
                Outcome::Forbidden => &mut self.forbidden,
                Outcome::Unavailable => &mut self.unavailable,
                Outcome::Unknown => &mut self.unknown,
            } += 1;
        }
        for violation in violations {
            *self.violations.entry(violation.kind).or_default() += 1;
        }
        let acknowledged = acknowledged(history, partitions);
        for round in rounds {
            let pauses = acknowledged.iter().map(|moments| longest_pause(moments, round)).collect();
            self.pauses.entry(round.fault).or_default().push(pauses);
        }
    }
}

/// Per partition the moments at which a command was acknowledged, in order.
fn acknowledged(history: &[Attempt], partitions: u32) -> Vec<Vec<Moment>> {
    let mut moments = vec![Vec::new(); partitions as usize];
    for attempt in history {
        if let Outcome::Accepted { .. } = attempt.outcome {
            moments[partition_of(&attempt.command, partitions) as usize].push(attempt.answered);
        }
    }
    for moments in &mut moments {
        moments.sort_unstable();
    }
    moments
}

fn partition_of(command: &Command, partitions: u32) -> u32 {
    command.ask.route_key().partition(partitions)
}

/// The longest time within a round in which nothing was acknowledged.
fn longest_pause(moments: &[Moment], round: &Round) -> Moment {
    let within = moments.iter().copied().filter(|moment| (round.begun..round.recovered).contains(moment));
    let mut last = round.begun;
    let mut longest = 0;
    for moment in within.chain([round.recovered]) {
        longest = longest.max(moment - last);
        last = moment;
    }
    longest
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} rounds", self.rounds)?;
        writeln!(
            f,
            "  answers     {} acknowledged, {} repeats acknowledged, {} refused, {} forbidden, {} unavailable, {} unknown",
            self.accepted, self.repeated, self.refused, self.forbidden, self.unavailable, self.unknown
        )?;
        writeln!(f, "  events      {} read", self.events)?;
        writeln!(f, "  takeovers   {}, {} of them from a snapshot", self.takeovers.0, self.takeovers.1)?;
        writeln!(f, "  violations  {}", self.violations.values().sum::<usize>())?;
        for (kind, number) in &self.violations {
            writeln!(f, "              {number} {kind:?}")?;
        }
        writeln!(f, "  Longest pause without an acknowledgement, seconds:")?;
        writeln!(
            f,
            "  {:<17} {:>6}  {:>22}  {:>22}",
            "fault", "rounds", "every partition", "worst of each round"
        )?;
        for (fault, rounds) in &self.pauses {
            let worst = rounds.iter().filter_map(|partitions| partitions.iter().copied().max()).collect();
            let (every, worst) = (Spread(rounds.concat()), Spread(worst));
            writeln!(f, "  {fault:<17} {:>6}  {every:>22}  {worst:>22}", rounds.len())?;
        }
        Ok(())
    }
}

/// Median and maximum of pauses.
struct Spread(Vec<Moment>);

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        let most = sorted.last().copied().unwrap_or_default();
        f.pad(&format!("p50 {} max {}", seconds(middle), seconds(most)))
    }
}

/// Seconds with two digits.
pub(crate) fn seconds(micros: Moment) -> String {
    format!("{}.{:02}", micros / 1_000_000, micros / 10_000 % 100)
}
