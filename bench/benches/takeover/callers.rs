//! One caller of each partition, on the way that a gateway goes: asks at a steady pace and notes when it was answered.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use bench::commands;
use domain::command::{Answer, Ask, Command};
use event_log::EventLog;
use graphql_gateway::commands::{CommandRoute, OwnersOverHttp};
use load::Measured;
use log_model::partition;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// The time between two commands of one caller.
const PACE: Duration = Duration::from_millis(50);
/// How long a caller waits.
const DEADLINE: Duration = Duration::from_mins(1);

/// One caller of each partition. They stop when this is dropped.
pub(crate) struct Callers {
    heard: Vec<Arc<watch::Sender<Heard>>>,
    /// Ended with it.
    tasks: JoinSet<()>,
}

/// What one caller was answered.
struct Heard {
    /// When the last answer came, and when it had been asked for.
    last: Instant,
    asked: Instant,
    /// The longest time between two answers that somebody has asked for.
    longest: Duration,
    all: Measured,
}

/// The way to the owners, and whom to ask there.
struct Caller {
    route: Arc<OwnersOverHttp>,
    heard: Arc<watch::Sender<Heard>>,
    partition: u32,
    partitions: u32,
}

impl Callers {
    /// Begins to ask.
    pub(crate) fn begin(log: &Arc<dyn EventLog>, token: &str) -> Result<Self> {
        let route = Arc::new(OwnersOverHttp::try_new(log.clone(), token.to_owned().into())?);
        let mut callers = Self { heard: Vec::new(), tasks: JoinSet::new() };
        for partition in 0..log.partitions() {
            let heard = Arc::new(watch::Sender::new(Heard::nothing()));
            callers.heard.push(heard.clone());
            let caller = Caller { route: route.clone(), heard, partition, partitions: log.partitions() };
            callers.tasks.spawn(caller.run());
        }
        Ok(callers)
    }

    /// Waits until each partition has answered something that is asked from now on.
    pub(crate) async fn all_answered(&self) -> Result<()> {
        self.answered(0..self.heard.len()).await
    }

    async fn answered(&self, partitions: impl IntoIterator<Item = usize>) -> Result<()> {
        let now = Instant::now();
        for partition in partitions {
            self.heard[partition].subscribe().wait_for(|heard| heard.asked >= now).await?;
        }
        Ok(())
    }

    /// Forgets for how long partitions have given no answer.
    pub(crate) fn begin_to_watch(&self) {
        for heard in &self.heard {
            heard.send_modify(|heard| heard.longest = Duration::ZERO);
        }
    }

    /// Waits until these partitions answer; then for how long each gave no answer since it is watched.
    pub(crate) async fn pauses(&self, partitions: &[u32]) -> Result<Vec<Duration>> {
        let indices = || partitions.iter().map(|partition| *partition as usize);
        self.answered(indices()).await?;
        Ok(indices().map(|partition| self.heard[partition].borrow().longest).collect())
    }

    /// Everything that was answered since this was asked last.
    pub(crate) fn take_all(&self) -> Measured {
        let mut all = Measured::new(Duration::ZERO);
        for heard in &self.heard {
            heard.send_modify(|heard| {
                all.add(std::mem::replace(&mut heard.all, Measured::new(Duration::ZERO)));
            });
        }
        all
    }
}

impl Heard {
    fn nothing() -> Self {
        let now = Instant::now();
        Self { last: now, asked: now, longest: Duration::ZERO, all: Measured::new(Duration::ZERO) }
    }

    fn answer(&mut self, asked: Instant) {
        let now = Instant::now();
        self.longest = self.longest.max(now - self.last);
        (self.last, self.asked) = (now, asked);
        self.all.take(now - asked, Ok(()));
    }
}

impl Caller {
    async fn run(self) {
        let run = format!("{}p{}", commands::run_name(), self.partition);
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let own = (0..).map(|number| commands::register(&run, number)).filter(|command| self.is_own(command));
        for command in own {
            pace.tick().await;
            let asked = Instant::now();
            let reply = self.route.submit(command, asked + DEADLINE).await;
            self.heard.send_modify(|heard| match reply {
                Ok(Answer::Accepted { .. }) => heard.answer(asked),
                other => heard.all.take(asked.elapsed(), Err(anyhow!("{other:?}"))),
            });
        }
    }

    fn is_own(&self, command: &Command) -> bool {
        let Ask::User { id, .. } = &command.ask else { return false };
        partition::of(id.uuid(), self.partitions) == self.partition
    }
}
