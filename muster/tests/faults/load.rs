//! The clients: each sends commands on the gateway's own way to the owners, at a steady pace, and writes down every answer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::command::{Answer, Ask, Command, Failure};
use domain::id::GroupId;
use event_log::EventLog;
use fastrand::Rng;
use graphql_gateway::commands::{CommandRoute, OwnersOverHttp, ReservingRoute};
use log_model::Position;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::deck::{Deck, Pool, always_writes, create_group};
use crate::fleet::SERVICE_TOKEN;
use crate::history::{Attempt, Clock, Moment, Outcome};

/// Clients of each partition. They ask about its users alone, so that a partition without an owner holds up no others.
const CLIENTS: u32 = 3;
/// The time between two commands of one client.
const PACE: Duration = Duration::from_millis(100);
/// How long most callers wait.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long a few wait, so that outcomes stay unknown.
const SHORT_DEADLINE: Duration = Duration::from_millis(1_500);
/// For how long after it was first sent a command is sent again: owners remember for two minutes.
const REPEATED_FOR: Moment = 90_000_000;
/// How many commands a client could send again.
const RECENT: usize = 24;

/// The way of a command from a client to the owner, as a gateway goes it.
fn route(log: &Arc<dyn EventLog>) -> Arc<dyn CommandRoute> {
    let route = OwnersOverHttp::try_new(log.clone(), SERVICE_TOKEN.to_owned().into()).unwrap();
    Arc::new(ReservingRoute::over(Arc::new(route), log.partitions()))
}

/// The clients, at work until they are told to stop.
pub(crate) struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

struct Shared {
    clock: Clock,
    route: Arc<dyn CommandRoute>,
    history: Mutex<Vec<Attempt>>,
    /// Per partition when the last command that was accepted had been sent.
    accepted: Vec<AtomicU64>,
    stopped: AtomicBool,
}

impl Load {
    /// Makes the group and begins.
    pub(crate) async fn start(log: &Arc<dyn EventLog>, clock: Clock, random: &mut Rng) -> Self {
        let partitions = log.partitions();
        let shared = Arc::new(Shared {
            clock,
            route: route(log),
            history: Mutex::default(),
            accepted: (0..partitions).map(|_| AtomicU64::new(0)).collect(),
            stopped: AtomicBool::new(false),
        });
        let (create, group) = create_group();
        let create = Arc::new(create);
        let seen = match shared.submit(&create, Duration::from_mins(1)).await {
            Ok(Answer::Accepted { position, .. }) => position,
            other => panic!("the group could not be made: {other:?}"),
        };
        let mut load = Self { shared, clients: Vec::new() };
        for partition in 0..partitions {
            let pool = Pool::new(partition, partitions);
            for client in 0..CLIENTS {
                let name = format!("p{partition}c{client}");
                load.begin(partition, name, random.fork(), pool.clone(), group, seen.clone());
            }
        }
        load
    }

    fn begin(
        &mut self,
        partition: u32,
        name: String,
        random: Rng,
        pool: Arc<Pool>,
        group: GroupId,
        seen: Position,
    ) {
        let shared = self.shared.clone();
        let deck = Deck::new(name, random.clone(), pool.clone(), group, seen);
        let client = ClientAtWork { shared, partition, random, pool, deck, recent: VecDeque::new() };
        self.clients.push(tokio::spawn(client.run()));
    }

    /// Whether in every partition something was accepted that had been sent after this moment.
    pub(crate) fn accepted_everywhere_since(&self, moment: Moment) -> bool {
        self.shared.accepted.iter().all(|sent| sent.load(Ordering::Relaxed) > moment)
    }

    /// The partitions in which nothing was.
    pub(crate) fn silent_since(&self, moment: Moment) -> Vec<usize> {
        let accepted = self.shared.accepted.iter().enumerate();
        accepted
            .filter(|(_, sent)| sent.load(Ordering::Relaxed) <= moment)
            .map(|(partition, _)| partition)
            .collect()
    }

    /// How many attempts have ended so far.
    pub(crate) fn attempts(&self) -> usize {
        self.shared.history.lock().unwrap().len()
    }

    /// Lets everybody finish what they are at, and returns what they did and heard.
    pub(crate) async fn stop(self) -> Vec<Attempt> {
        self.shared.stopped.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
        std::mem::take(&mut *self.shared.history.lock().unwrap())
    }
}

impl Shared {
    async fn submit(&self, command: &Arc<Command>, wait: Duration) -> Result<Answer, Failure> {
        let asked = self.clock.now();
        let result = self.route.submit(command.as_ref().clone(), Instant::now() + wait).await;
        let answered = self.clock.now();
        let outcome = Outcome::from(result.clone());
        self.history.lock().unwrap().push(Attempt { command: command.clone(), asked, answered, outcome });
        result
    }
}

struct ClientAtWork {
    shared: Arc<Shared>,
    partition: u32,
    random: Rng,
    pool: Arc<Pool>,
    deck: Deck,
    recent: VecDeque<Recent>,
}

/// A command that may be sent again: it was accepted, or nobody knows how it ended. What was refused or not taken is not
/// sent again, because it would be decided anew.
struct Recent {
    command: Arc<Command>,
    /// When it was first sent.
    asked: Moment,
    accepted: bool,
}

/// What to send.
enum Next {
    New(Command),
    Again(Recent),
    /// Another question under the id of an earlier command.
    Reused(Command),
}

impl ClientAtWork {
    async fn run(mut self) {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.shared.stopped.load(Ordering::Relaxed) {
            pace.tick().await;
            let wait = if self.random.u32(..100) < 10 { SHORT_DEADLINE } else { DEADLINE };
            let now = self.shared.clock.now();
            let (command, first_asked) = match self.next(now) {
                Next::Reused(command) => {
                    // Its answer says nothing of the earlier command.
                    let _judged_later = self.shared.submit(&Arc::new(command), wait).await;
                    continue;
                }
                Next::New(command) => (Arc::new(command), now),
                Next::Again(recent) => (recent.command, recent.asked),
            };
            let result = self.shared.submit(&command, wait).await;
            self.heard(command, first_asked, now, &result);
        }
    }

    fn next(&mut self, now: Moment) -> Next {
        self.recent.retain(|recent| recent.asked + REPEATED_FOR > now);
        let chance = self.random.u32(..100);
        // Most callers who don't know how it ended ask at once.
        if chance < 70
            && let Some(unknown) = self.recent.pop_back_if(|last| !last.accepted)
        {
            return Next::Again(unknown);
        }
        if chance < 8 && !self.recent.is_empty() {
            let index = self.random.usize(..self.recent.len());
            return Next::Again(self.recent.remove(index).expect("the index is within"));
        }
        let mut written =
            self.recent.iter().filter(|recent| recent.accepted && always_writes(&recent.command));
        if (8..10).contains(&chance)
            && let Some(recent) = written.next_back()
            && let Some(reused) = self.deck.under_the_id_of(&recent.command)
        {
            return Next::Reused(reused);
        }
        Next::New(self.deck.draw())
    }

    fn heard(
        &mut self,
        command: Arc<Command>,
        first_asked: Moment,
        asked: Moment,
        result: &Result<Answer, Failure>,
    ) {
        let accepted = match result {
            Ok(Answer::Accepted { version, .. }) => {
                self.shared.accepted[self.partition as usize].fetch_max(asked, Ordering::Relaxed);
                if let Ask::User { id, .. } = &command.ask {
                    self.pool.saw(*id, *version);
                }
                true
            }
            Err(Failure::UnknownOutcome) => false,
            Ok(_) | Err(_) => return,
        };
        self.recent.push_back(Recent { command, asked: first_asked, accepted });
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }
}
