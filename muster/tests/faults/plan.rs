//! What a run does: how many rounds, which faults, against which broker; all of it from the environment.

use std::fmt;
use std::str::FromStr;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A command service gets SIGKILL and another one is started.
    ServiceKilled,
    /// A command service gets SIGTERM, ends cleanly, and another one is started.
    ServiceEnded,
    /// A command service is stopped for longer than its session and its lease, and woken.
    ServicePaused,
    /// The broker gets SIGKILL and is started again.
    BrokerKilled,
    /// The broker is ended and stays away for a while.
    BrokerAway,
    /// The broker is ended and started again at once.
    BrokerRestarted,
}

impl Fault {
    const ALL: [(Self, &'static str); 6] = [
        (Self::ServiceKilled, "service-killed"),
        (Self::ServiceEnded, "service-ended"),
        (Self::ServicePaused, "service-paused"),
        (Self::BrokerKilled, "broker-killed"),
        (Self::BrokerAway, "broker-away"),
        (Self::BrokerRestarted, "broker-restarted"),
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::ALL.iter().find(|(fault, _)| fault == self).expect("every fault has a name").1)
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let named = Self::ALL.iter().find(|(_, known)| *known == name).map(|(fault, _)| *fault);
        named.ok_or_else(|| format!("no fault is called `{name}`"))
    }
}

/// What a run does.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Determines the order of the faults, their targets, and the commands.
    pub(crate) seed: u64,
    /// Version of the broker; `None` is the one that `dev/kafka` prefers.
    pub(crate) kafka: Option<String>,
    /// `MUSTER_ACKNOWLEDGE` of the command services.
    pub(crate) acknowledge: String,
    pub(crate) faults: Vec<Fault>,
    /// Commands that a broker loses are counted, and are no failure.
    pub(crate) count: bool,
}

impl Plan {
    /// `None` where Kafka is not to be had.
    pub(crate) fn from_environment() -> Option<Self> {
        let value =
            |name: &str| std::env::var(format!("MUSTER_TEST_{name}")).ok().filter(|value| !value.is_empty());
        let in_ci = std::env::var("CI").as_deref() == Ok("true");
        let rounds = value("FAULT_ROUNDS");
        if rounds.is_none() && value("KAFKA").is_none() && !in_ci {
            eprintln!(
                "SKIPPED: MUSTER_TEST_KAFKA is not set; ./test brings Kafka, and dev/faults runs this alone"
            );
            return None;
        }
        let faults = match value("FAULT_KINDS") {
            Some(list) => list.split(',').map(|name| name.trim().parse().unwrap()).collect(),
            None => Fault::ALL[..5].iter().map(|(fault, _)| *fault).collect::<Vec<_>>(),
        };
        Some(Self {
            rounds: rounds.map_or(5, |rounds| rounds.parse().unwrap()),
            seed: value("FAULT_SEED")
                .map_or_else(|| fastrand::u64(1..1_000_000), |seed| seed.parse().unwrap()),
            kafka: value("FAULT_KAFKA"),
            acknowledge: value("FAULT_ACKNOWLEDGE").unwrap_or_else(|| "read-back".to_owned()),
            faults,
            count: value("FAULT_COUNT").is_some(),
        })
    }

    /// The faults of all rounds, in order: every kind equally often, each time shuffled anew.
    pub(crate) fn schedule(&self, random: &mut fastrand::Rng) -> Vec<Fault> {
        let mut schedule = Vec::with_capacity(self.rounds);
        while schedule.len() < self.rounds {
            let mut each = self.faults.clone();
            random.shuffle(&mut each);
            schedule.extend(each);
        }
        schedule.truncate(self.rounds);
        schedule
    }
}
