//! Round after round: something fails under load, and everything works again; in the end the answers are compared with the log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use event_log::kafka::{KafkaLog, KafkaSettings};
use event_log::{EventLog, Read, Recorded};
use fastrand::Rng;
use log_model::StreamPartition;
use tokio::time::timeout;

use crate::broker::Broker;
use crate::checker::{self, Kind};
use crate::evidence::Evidence;
use crate::figures::{Figures, Round, seconds};
use crate::fleet::Fleet;
use crate::history::{Attempt, Clock, Moment};
use crate::load::Load;
use crate::plan::{Fault, Plan};
use crate::waiting::{PATIENCE, comes_true, lasting};

const SERVICES: usize = 3;
/// Rounds until the log is read and a new one is begun: what is wrong shows before the end of a long run.
const ROUNDS_A_LOG: usize = 25;
/// Longer than the session of a command service and its lease.
const PAUSE: Duration = Duration::from_secs(8);
/// How long a broker stays away.
const AWAY: Duration = Duration::from_secs(10);
/// The longest time of quiet load before a fault.
const QUIET_MS: u64 = 2_000;

/// Runs the plan. Panics on a broken promise, and keeps the evidence.
pub(crate) async fn run(plan: &Plan) {
    eprintln!(
        "{} rounds, seed {}, Kafka {}, --acknowledge {}",
        plan.rounds,
        plan.seed,
        plan.kafka.as_deref().unwrap_or("as dev/kafka brings it"),
        plan.acknowledge
    );
    let mut evidence = Evidence::new();
    let mut random = Rng::with_seed(plan.seed);
    let schedule = plan.schedule(&mut random);
    let mut figures = Figures::default();
    let mut failed = false;
    {
        let mut broker = Broker::start(evidence.path().join("broker"), plan.kafka.clone()).await;
        for (number, faults) in schedule.chunks(ROUNDS_A_LOG).enumerate() {
            let log = OneLog { number, plan, evidence: &evidence, random: random.fork() };
            failed |= !log.run(faults, &mut broker, &mut figures).await;
        }
    }
    eprintln!("{figures}");
    // Of commits that nobody reads back, none is kept.
    assert!(figures.has_restored() || plan.acknowledge == "committed", "no owner began with a snapshot");
    if failed {
        evidence.keep();
        panic!("a promise was broken; --seed {} repeats the order of the faults", plan.seed);
    }
}

/// The part of a run that is about one log, with services and clients of its own.
struct OneLog<'a> {
    number: usize,
    plan: &'a Plan,
    evidence: &'a Evidence,
    random: Rng,
}

impl OneLog<'_> {
    /// False when a promise was broken.
    async fn run(mut self, faults: &[Fault], broker: &mut Broker, figures: &mut Figures) -> bool {
        let name = format!("log-{}", self.number);
        let (prefix, directory) = (format!("{name}."), self.evidence.path().join(&name));
        let address = broker.address();
        let fleet = Fleet::start(directory, &address, &prefix, &self.plan.acknowledge, SERVICES).await;
        let log: Arc<dyn EventLog> = KafkaLog::connect(KafkaSettings::new(&address, &prefix)).await.unwrap();
        let clock = Clock::start();
        let load = Load::start(&log, clock, &mut self.random).await;
        let mut stage = Stage { clock, fleet, log, load, http: reqwest::Client::new() };
        stage.recovers("the beginning", clock.now()).await;
        let mut rounds = Vec::with_capacity(faults.len());
        for fault in faults {
            lasting(Duration::from_millis(self.random.u64(..QUIET_MS))).await;
            let before = stage.load.attempts();
            let begun = clock.now();
            let victim = self.random.usize(..stage.fleet.len());
            stage.fail(*fault, victim, broker).await;
            let over = clock.now();
            stage.recovers(&fault.to_string(), over).await;
            let recovered = clock.now();
            rounds.push(Round { fault: *fault, begun, recovered });
            eprintln!(
                "round {:>3}/{}  {fault:<17} lasted {:>5} s, all well {:>5} s later, {} answers",
                self.number * ROUNDS_A_LOG + rounds.len(),
                self.plan.rounds,
                seconds(over - begun),
                seconds(recovered - over),
                stage.load.attempts() - before
            );
        }
        // Every partition changes hands once more: what a broker has only half committed is settled by that.
        for _ in 0..SERVICES {
            stage.fail(Fault::ServiceEnded, 0, broker).await;
            stage.recovers("the last handing over", clock.now()).await;
        }
        figures.add_takeovers(stage.fleet.takeovers());
        let partitions = stage.log.partitions();
        let (history, records) = stage.end().await;
        let violations = checker::check(&history, &records, partitions);
        let events = records.iter().filter(|recorded| !recorded.record.is_claim()).count();
        figures.add(&rounds, &history, partitions, events, &violations);
        eprintln!(
            "{name}: {} answers and {events} events compared, {} violations",
            history.len(),
            violations.len()
        );
        if violations.is_empty() {
            return true;
        }
        for violation in violations.iter().take(20) {
            eprintln!("  {violation}");
        }
        self.evidence.write(&name, &history, &records, &violations);
        self.plan.count
            && violations.iter().all(|violation| matches!(violation.kind, Kind::Lost | Kind::Stale))
    }
}

/// Services and clients at work on one log.
struct Stage {
    clock: Clock,
    fleet: Fleet,
    log: Arc<dyn EventLog>,
    load: Load,
    http: reqwest::Client,
}

impl Stage {
    /// Lets something go wrong, and puts in its place what is gone.
    async fn fail(&mut self, fault: Fault, victim: usize, broker: &mut Broker) {
        match fault {
            Fault::ServiceKilled => {
                self.fleet.kill_one(victim);
                self.fleet.start_one().await;
            }
            Fault::ServiceEnded => {
                self.fleet.end_one(victim).await;
                self.fleet.start_one().await;
            }
            Fault::ServicePaused => {
                self.fleet.pause_one(victim);
                lasting(PAUSE).await;
                self.fleet.wake_one(victim);
            }
            Fault::BrokerKilled => {
                broker.kill().await;
                broker.start_again().await;
            }
            Fault::BrokerAway => {
                broker.stop().await;
                lasting(AWAY).await;
                broker.start_again().await;
            }
            Fault::BrokerRestarted => {
                broker.stop().await;
                broker.start_again().await;
            }
        }
    }

    /// Waits until every partition acknowledges what is sent from now on, and every service has its share again.
    async fn recovers(&mut self, what: &str, since: Moment) {
        let recovered = comes_true(async || {
            self.fleet.all_run();
            self.load.accepted_everywhere_since(since)
                && self.without_share().is_empty()
                && self.fleet.is_ready(&self.http).await
        });
        if recovered.await {
            return;
        }
        panic!(
            "not well again {} s after {what}: partitions {:?} acknowledge nothing, services without a share: {:?}",
            seconds(self.clock.now() - since),
            self.load.silent_since(since),
            self.without_share()
        );
    }

    /// The services that are announced for no partition.
    fn without_share(&self) -> Vec<String> {
        let owners = self.log.owners();
        let announced: BTreeSet<String> = owners.borrow().values().map(|owner| owner.url.clone()).collect();
        let addresses = self.fleet.addresses().into_iter();
        addresses.filter(|address| !announced.contains(*address)).map(str::to_owned).collect()
    }

    /// Ends clients and services, and reads the log.
    async fn end(mut self) -> (Vec<Attempt>, Vec<Recorded>) {
        let history = self.load.stop().await;
        while self.fleet.len() > 0 {
            self.fleet.end_one(0).await;
        }
        let read = timeout(PATIENCE, read(&*self.log)).await;
        (history, read.expect("the log can be read to its end"))
    }
}

/// Everything that is committed in the chained streams.
async fn read(log: &dyn EventLog) -> Vec<Recorded> {
    let ends = log.ends().await.unwrap();
    let ends: Vec<_> = ends.into_iter().filter(|(place, _)| place.stream.is_chained()).collect();
    let mut open: BTreeSet<StreamPartition> = ends.iter().map(|(place, _)| *place).collect();
    let mut follow = log.follow(ends.iter().map(|(place, _)| (*place, 0)).collect());
    let mut records = Vec::new();
    while !open.is_empty() {
        match follow.next().await.expect("the log is open") {
            Read::Records(_, more) => records.extend(more),
            Read::End(place, end) => {
                if ends.iter().any(|(known, written)| *known == place && end >= *written) {
                    open.remove(&place);
                }
            }
            Read::Unreachable(reason) => eprintln!("the log can't be read at the moment: {reason}"),
        }
    }
    records
}
