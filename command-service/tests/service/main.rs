//! The command service as its callers see it, on a real log.

#![expect(clippy::unwrap_used, reason = "a test ends at the first unexpected result")]

mod ahead;
mod barrier;
mod deployment;
mod handover;
mod lost;
mod skips;
mod snapshots;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, FromArgMatches};
use command_service::{CommandConfig, CommandQueues, CommandService, Reach, initialise};
use domain::actor::{Actor, Role, Roles};
use domain::command::{Answer, Ask, Command, Failure};
use domain::decision_context::Prepared;
use domain::group;
use domain::id::{GroupId, UserId};
use domain::names::GroupName;
use domain::names::Username;
use domain::refusal::Code;
use domain::testing;
use domain::timestamp::Timestamp;
use domain::user::{self, lifecycle, onboarding};
use event_log::envelope::Envelope;
use event_log::sqlite::{OpenError, SqliteLog};
use event_log::{EventLog, Read, Recorded};
use log_model::{Position, Stream, StreamPartition};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

struct Service {
    door: CommandQueues,
    url: Option<String>,
    log: Arc<dyn EventLog>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Service {
    async fn start(directory: &Path, token: Option<&str>) -> Self {
        // The directory stays locked while a snapshot is being written.
        let opened = async {
            loop {
                match SqliteLog::open(directory).await {
                    Err(OpenError::InUse(_)) => tokio::task::yield_now().await,
                    opened => break opened.unwrap(),
                }
            }
        };
        let log = tokio::time::timeout(Duration::from_secs(30), opened).await.unwrap();
        Self::start_on(log, token, &[]).await
    }

    async fn start_on(log: Arc<dyn EventLog>, token: Option<&str>, settings: &[&str]) -> Self {
        let always = ["test", "--commands-listen", "127.0.0.1:0", "--snapshot-every", "1"];
        let arguments = always.iter().chain(settings);
        let matches = CommandConfig::augment_args(clap::Command::new("test")).get_matches_from(arguments);
        let config = CommandConfig::from_arg_matches(&matches).unwrap();
        let reach = token.map_or(Reach::InProcess, Reach::Http);
        let service = CommandService::build(&config, log.clone(), reach).await.unwrap();
        let (door, url) =
            (service.queues(), service.local_addr().map(|address| format!("http://{address}/commands")));
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(service.run_until_stopped(async { stopped.await.unwrap_or(()) }));
        let mut owners = log.owners();
        owners.wait_for(|owners| owners.contains_key(&0)).await.unwrap();
        while !door.is_serving() {
            tokio::task::yield_now().await;
        }
        Self { door, url, log, stop, running }
    }

    async fn ask(&self, command: Command) -> Result<Answer, Failure> {
        self.door.submit(command, Instant::now() + Duration::from_secs(20)).await
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }

    /// Every event in the log so far, without claim records.
    async fn events(&self) -> Vec<Recorded> {
        let mut follow = self.log.follow(vec![(StreamPartition::new(Stream::UserEvents, 0), 0)]);
        let mut events = Vec::new();
        loop {
            match follow.next().await.unwrap() {
                Read::Records(_, records) => {
                    events.extend(records.into_iter().filter(|recorded| !recorded.record.is_claim()));
                }
                Read::End(..) => return events,
                Read::Unreachable(reason) => panic!("{reason}"),
            }
        }
    }
}

fn administrator() -> Actor {
    let id = UserId::of(&Username::parse("ada").unwrap());
    Actor::User { id, name: "ada".into(), roles: Roles::BASE.with(Role::Administrator) }
}

fn command(id: &str, actor: Actor, ask: Ask) -> Command {
    let prepared = Prepared::TemporaryPassword { digest: "00".into(), expires_at: Timestamp::MAX };
    Command {
        id: id.into(),
        actor,
        correlation_id: format!("request-of-{id}"),
        prepared: Some(prepared),
        ..testing::command(ask)
    }
}

fn register(id: &str, typed: &str) -> Command {
    let asked = testing::registration(typed);
    let user = UserId::of(&Username::parse(typed).unwrap());
    let ask = Ask::User { id: user, expected_version: None, command: user::Command::RegisterUser(asked) };
    command(id, Actor::Anonymous, ask)
}

fn of_alice(id: &str, expected_version: Option<u64>, asked: user::Command) -> Command {
    let user = UserId::of(&Username::parse("alice").unwrap());
    command(id, administrator(), Ask::User { id: user, expected_version, command: asked })
}

fn create_group(id: &str) -> Command {
    let group = GroupId::of(&GroupName::parse("staff").unwrap());
    let asked = group::CreateGroup { name: "staff".into(), ..group::CreateGroup::default() };
    let ask = Ask::Group { id: group, expected_version: None, command: group::Command::CreateGroup(asked) };
    command(id, administrator(), ask)
}

fn reject(reason: &str) -> user::Command {
    user::Command::RejectUser(onboarding::RejectUser { reason: reason.into() })
}

fn codes(answer: Result<Answer, Failure>) -> Vec<Code> {
    match answer {
        Ok(Answer::Refused(refusals)) => refusals.into_iter().map(|refusal| refusal.code).collect(),
        other => panic!("not refused: {other:?}"),
    }
}

fn accepted(answer: Result<Answer, Failure>) -> (u64, Position, bool) {
    match answer {
        Ok(Answer::Accepted { version, position, repeated }) => (version, position, repeated),
        other => panic!("not accepted: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_registrations_of_one_name_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), None).await;
    let spellings = ["alice", "ALICE", "Alice", "aLiCe"];
    let attempts =
        (0..1_000).map(|n| service.ask(register(&format!("c{n}"), spellings[n % spellings.len()])));
    let answers = futures_util::future::join_all(attempts).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| matches!(answer, Ok(Answer::Accepted { repeated: false, .. })));
    assert_eq!((won.len(), lost.len()), (1, 999));
    assert!(lost.into_iter().all(|answer| codes(answer) == [Code::NameTaken]));
    assert_eq!(service.events().await.len(), 1);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_command_again_is_accepted_and_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), None).await;
    let (version, _, repeated) = accepted(service.ask(register("c1", "alice")).await);
    assert_eq!((version, repeated), (1, false));
    accepted(service.ask(of_alice("c2", None, reject("no"))).await);
    let (first, second) =
        tokio::join!(service.ask(register("c1", "alice")), service.ask(register("c1", "alice")));
    for answer in [first, second] {
        let (version, _, repeated) = accepted(answer);
        assert_eq!((version, repeated), (1, true));
    }
    assert_eq!(service.events().await.len(), 2);
    service.stop().await;

    let service = Service::start(directory.path(), None).await;
    let (version, _, repeated) = accepted(service.ask(register("c1", "alice")).await);
    assert_eq!((version, repeated), (1, true), "what was done is known after a restart");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_command_under_the_same_id_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), None).await;
    accepted(service.ask(register("c1", "alice")).await);
    assert_eq!(codes(service.ask(of_alice("c1", None, reject("no"))).await), [Code::CommandIdReused]);
    let mut by_another = register("c1", "alice");
    by_another.actor = administrator();
    assert_eq!(codes(service.ask(by_another).await), [Code::CommandIdReused]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), None).await;
    accepted(service.ask(register("c1", "alice")).await);
    assert_eq!(codes(service.ask(of_alice("c2", Some(2), reject("no"))).await), [Code::StaleVersion]);
    accepted(service.ask(of_alice("c3", Some(1), reject("no"))).await);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_approved_into_a_group_that_the_gateway_has_seen() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), None).await;
    accepted(service.ask(register("c1", "alice")).await);
    let approve = |id: &str| {
        let group_id = GroupId::of(&GroupName::parse("staff").unwrap());
        of_alice(id, None, user::Command::ApproveUser(onboarding::ApproveUser { group_id }))
    };
    assert_eq!(codes(service.ask(approve("c2")).await), [Code::UnknownGroup]);
    let (_, seen, _) = accepted(service.ask(create_group("c3")).await);
    let (version, position, _) = accepted(service.ask(Command { seen, ..approve("c4") }).await);
    assert_eq!(version, 3);
    assert!(
        position.covered(StreamPartition::new(Stream::Credentials, 0)).is_some(),
        "the password's position is in the answer"
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_ask_is_told_so_and_nothing_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), None).await;
    accepted(service.ask(register("c1", "alice")).await);
    for (n, actor) in [Actor::Anonymous, plain("alice")].into_iter().enumerate() {
        let asked = user::Command::SuspendUser(lifecycle::SuspendUser { reason: "x".into() });
        let attempt = Command { actor: actor.clone(), ..of_alice(&format!("s{n}"), None, asked) };
        assert_eq!(service.ask(attempt).await, Ok(Answer::Forbidden));
        let attempt = Command { actor, ..create_group(&format!("g{n}")) };
        assert_eq!(service.ask(attempt).await, Ok(Answer::Forbidden));
    }
    assert_eq!(service.events().await.len(), 1);
    service.stop().await;
}

fn plain(name: &str) -> Actor {
    Actor::User { id: UserId::of(&Username::parse(name).unwrap()), name: name.into(), roles: Roles::BASE }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_carries_what_its_reader_needs_and_versions_have_no_gaps() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), None).await;
    let attempts = (0..200).map(|n| {
        let command = register(&format!("c{n}"), &format!("user-{}", n % 50));
        async {
            let _ = service.ask(command).await;
        }
    });
    futures_util::future::join_all(attempts).await;
    let mut versions: HashMap<String, u64> = HashMap::new();
    for recorded in service.events().await {
        let envelope = Envelope::read(&recorded.record).unwrap();
        assert_eq!(envelope.correlation_id, format!("request-of-{}", envelope.command_id));
        assert_eq!((envelope.actor.as_str(), envelope.actor_role), ("anonymous", None));
        let version = versions.entry(envelope.subject).or_default();
        *version += 1;
        assert_eq!(envelope.sequence, *version);
    }
    assert_eq!(versions.len(), 50);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_http_door_opens_with_the_service_token_alone() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), Some("s3rvice")).await;
    let url = service.url.clone().unwrap();
    let client = reqwest::Client::new();
    let body = serde_json::to_vec(&register("c1", "alice")).unwrap();
    for token in [None, Some(""), Some("s3rvic"), Some("s3rvice2")] {
        let mut request = client.post(&url).body(body.clone());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        assert_eq!(request.send().await.unwrap().status(), 401, "{token:?}");
    }
    let answer = client.post(&url).bearer_auth("s3rvice").body(body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let reply: domain::command::Reply = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert!(matches!(reply, domain::command::Reply::Answer(Answer::Accepted { version: 1, .. })));
    let broken = client.post(&url).bearer_auth("s3rvice").body("{").send().await.unwrap();
    assert_eq!(broken.status(), 400);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_before_the_end_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), None).await;
    let door = service.door.clone();
    let deadline = Instant::now() + Duration::from_secs(20);
    let asked: Vec<_> = (0..100)
        .map(|n| {
            tokio::spawn({
                let door = door.clone();
                async move { door.submit(register(&format!("c{n}"), &format!("user-{n}")), deadline).await }
            })
        })
        .collect();
    service.stop().await;
    for task in asked {
        let answer = task.await.unwrap();
        assert!(matches!(answer, Ok(Answer::Accepted { .. }) | Err(Failure::NotOwner)), "{answer:?}");
    }
}

/// Initialises the deployment. Blocks.
fn first(log: &Arc<dyn EventLog>, id: &str, name: &str) -> Result<(), initialise::InitialiseError> {
    let username = Username::parse(name).unwrap();
    let asked = onboarding::MakeFirstAdministrator { username: name.into(), email: None };
    let prepared = Prepared::TemporaryPassword { digest: "00".into(), expires_at: Timestamp::MAX };
    let asked = user::Command::MakeFirstAdministrator(asked);
    initialise::initialise(log, &username, &initialise::ask(id.into(), &username, asked, prepared))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_initialised_once() {
    let directory = tempfile::tempdir().unwrap();
    let log: Arc<dyn EventLog> = SqliteLog::open(directory.path()).await.unwrap();
    let tries = tokio::task::spawn_blocking(move || {
        let first_try = first(&log, "i1", "ada");
        (first_try, first(&log, "i2", "eve"), first(&log, "i3", "ada"))
    });
    let (won, other, again) = tries.await.unwrap();
    assert!(won.is_ok());
    for refused in [other, again] {
        let Err(initialise::InitialiseError::Refused(refusal)) = refused else { panic!("{refused:?}") };
        assert_eq!(refusal.code, Code::AlreadyInitialised);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f49_each_partition_is_claimed_once() {
    let directory = tempfile::tempdir().unwrap();
    let log: Arc<dyn EventLog> = SqliteLog::open(directory.path()).await.unwrap();
    let initialised = {
        let log = Arc::clone(&log);
        tokio::task::spawn_blocking(move || first(&log, "i1", "ada"))
    };
    assert!(initialised.await.unwrap().is_ok());
    let users = StreamPartition::new(Stream::UserEvents, 0);
    let mut follow = log.follow(vec![(users, 0)]);
    let mut claims = 0;
    loop {
        match follow.next().await.unwrap() {
            Read::Records(_, records) => {
                claims += records.iter().filter(|recorded| recorded.record.is_claim()).count();
            }
            Read::End(..) => break,
            Read::Unreachable(reason) => panic!("{reason}"),
        }
    }
    assert_eq!(claims, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_initialise_at_once_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let log: Arc<dyn EventLog> = SqliteLog::open(directory.path()).await.unwrap();
    let tries = (0..4).map(|n| {
        let log = log.clone();
        tokio::task::spawn_blocking(move || first(&log, &format!("i{n}"), &format!("admin-{n}")))
    });
    let tries = futures_util::future::join_all(tries).await;
    assert_eq!(tries.into_iter().filter(|result| result.as_ref().unwrap().is_ok()).count(), 1);
}
