//! Starts a gateway for each test on a free port, fills its views and sends requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use clap::Parser;
use domain::actor::{Role, Roles};
use domain::command::{Answer, Command, Failure};
use domain::credential::{Credential, CredentialId, Kind, Scope};
use domain::group::GroupRef;
use domain::id::{GroupId, TokenId, UserId};
use domain::names::GroupName;
use domain::names::Username;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;
use domain::user::agent::UfaConfig;
use event_log::EventLog;
use event_log::sqlite::SqliteLog;
use graphql_gateway::commands::CommandRoute;
use graphql_gateway::config::Config;
use graphql_gateway::secrets::{Cost, Hasher, digest};
use graphql_gateway::{AccessHealth, GatewayService};
use log_model::{Position, Stream, StreamPartition};
use read_model::apply::{Batch, Changed};
use read_model::groups::GroupRow;
use read_model::tokens::TokenRow;
use read_model::users::UserRow;
use read_model::{ReadModel, ViewWriter, ViewsAt};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// A password that the policy accepts.
pub(crate) const PASSWORD: &str = "wandering otters hum softly";

/// A running gateway.
pub(crate) struct Door {
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    pub(crate) views: ReadModel,
    pub(crate) writer: ViewWriter,
    pub(crate) owner: Arc<Scripted>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) health: AccessHealth,
    _directory: TempDir,
    _stop: oneshot::Sender<()>,
}

/// An owner with scripted answers; without one it accepts.
#[derive(Default)]
pub(crate) struct Scripted {
    answers: Mutex<VecDeque<Result<Answer, Failure>>>,
    pub(crate) asked: Mutex<Vec<Command>>,
}

impl Scripted {
    pub(crate) fn says(&self, answer: Result<Answer, Failure>) {
        self.answers.lock().unwrap().push_back(answer);
    }

    pub(crate) fn last(&self) -> Command {
        self.asked.lock().unwrap().last().cloned().expect("a command was sent")
    }
}

#[async_trait]
impl CommandRoute for Scripted {
    async fn submit(&self, command: Command, _: Instant) -> Result<Answer, Failure> {
        self.asked.lock().unwrap().push(command);
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| Ok(accepted(Position::new())))
    }
}

/// The owner's yes, visible once the views cover the position.
pub(crate) fn accepted(position: Position) -> Answer {
    Answer::Accepted { version: 7, position, repeated: false }
}

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    config: Config,
}

impl Door {
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    pub(crate) async fn open_with(flags: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log: Arc<dyn EventLog> = SqliteLog::open(&directory.path().join("log")).await.unwrap();
        let at = ViewsAt::Sqlite { directory: directory.path().join("views") };
        let writer = ViewWriter::open(&at).await.unwrap();
        let views = writer.views().clone();
        let owner = Arc::new(Scripted::default());
        // The rows of these tests come without positions, by which the index of users would follow them.
        let arguments = ["test", "--listen=127.0.0.1:0", "--read-your-writes=100ms", "--users-index=false"];
        let arguments = [&arguments, flags].concat();
        let config = Program::try_parse_from(arguments).unwrap().config;
        let service =
            GatewayService::build(config, Arc::clone(&log), views.clone(), owner.clone()).await.unwrap();
        let url = format!("http://{}", service.local_addr().unwrap());
        let health = service.access_health();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(service.run_until_stopped(async move {
            let _gone = stopped.await;
        }));
        let door = Self {
            url,
            http: reqwest::Client::new(),
            views,
            writer,
            owner,
            log,
            health,
            _directory: directory,
            _stop: stop,
        };
        door.writer.begin(&stream_partitions()).await.unwrap();
        door.confirm().await;
        door
    }

    /// The views are at the end of the log.
    pub(crate) async fn confirm(&self) {
        self.writer.confirm(&stream_partitions(), now()).await.unwrap();
    }

    pub(crate) fn post(&self, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}/graphql", self.url)).json(body)
    }

    /// Sends a document, signed in where a token is given, and returns the response's body.
    pub(crate) async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let mut request = self.post(&json!({ "query": query, "variables": variables }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Signs in and returns the payload.
    pub(crate) async fn sign_in(&self, username: &str, password: &str) -> Value {
        let query = "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code field } \
            viewer { username } sessionToken mustChangePassword expiresAt } }";
        let input = json!({ "input": { "username": username, "password": password } });
        self.ask(None, query, input).await["data"]["signIn"].take()
    }

    /// Creates an active user with a chosen password, and signs in. Returns the session token.
    pub(crate) async fn signed_in(&self, username: &str, roles: Roles) -> String {
        self.user(user_row(username, roles)).await;
        self.password(username, chosen().await).await;
        self.sign_in(username, PASSWORD).await["sessionToken"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn administrator(&self) -> String {
        self.signed_in("ada", Roles::BASE.with(Role::Administrator)).await
    }

    pub(crate) async fn user(&self, after: UserRow) {
        let before = self.views.user(after.id).await.unwrap();
        self.apply(Batch { users: vec![Changed { before, after }], ..Batch::default() }).await;
    }

    pub(crate) async fn password(&self, username: &str, kind: Kind) {
        let credential = (CredentialId::Password(id(username)), Credential { kind, version: 3 });
        self.apply(Batch { credentials: vec![credential], ..Batch::default() }).await;
    }

    /// Creates a token with this secret. Returns its id.
    pub(crate) async fn token(
        &self,
        username: &str,
        secret: &str,
        scopes: &[Scope],
        networks: &[&str],
    ) -> TokenId {
        let token = TokenId::issued_at(id(username), 4);
        let networks: Vec<ipnet::IpNet> = networks.iter().map(|text| text.parse().unwrap()).collect();
        let kind = Kind::Token {
            digest: digest(secret),
            expires_at: None,
            scopes: scopes.to_vec(),
            allowed_networks: networks.clone(),
        };
        let row = TokenRow {
            id: token,
            user_id: id(username),
            name: "backup".to_owned(),
            scopes: scopes.to_vec(),
            allowed_networks: networks.iter().map(ToString::to_string).collect(),
            version: 1,
            created_at: now(),
            expires_at: None,
            revoked: false,
            last_use: None,
        };
        let credential = (CredentialId::Token(id(username), token), Credential { kind, version: 4 });
        self.apply(Batch { credentials: vec![credential], tokens: vec![row], ..Batch::default() }).await;
        token
    }

    pub(crate) async fn group(&self, name: &str) -> GroupId {
        let id = GroupId::of(&GroupName::parse(name).unwrap());
        let row = GroupRow {
            id,
            name: name.to_owned(),
            description: None,
            phone: None,
            email: None,
            closed: false,
            deleted: false,
            version: 1,
            updated_at: now(),
            member_count: 0,
        };
        self.apply(Batch { groups: vec![row], ..Batch::default() }).await;
        id
    }

    pub(crate) async fn apply(&self, batch: Batch) {
        self.writer.apply(&Arc::new(batch)).await.unwrap();
    }
}

/// The credential of [`PASSWORD`].
pub(crate) async fn chosen() -> Kind {
    let hasher = Hasher::try_new(Cost { memory: 19_456, passes: 2, lanes: 1 }, 8).unwrap();
    Kind::Permanent { phc: hasher.hash(&PASSWORD.into()).await.unwrap() }
}

pub(crate) fn temporary(password: &str, expires_at: Timestamp) -> Kind {
    Kind::Temporary { digest: digest(password), expires_at }
}

pub(crate) fn id(username: &str) -> UserId {
    UserId::of(&Username::parse(username).unwrap())
}

pub(crate) fn user_row(username: &str, roles: Roles) -> UserRow {
    UserRow {
        id: id(username),
        username: username.to_owned(),
        first_name: Some("First".to_owned()),
        last_name: Some("Last".to_owned()),
        phone: None,
        email: Some(format!("{username}@example.org")),
        group: None,
        state: UserStatus::Active,
        state_reason: None,
        roles,
        must_change_password: false,
        registered_at: now(),
        updated_at: now(),
        version: 3,
        partition: 0,
        log_offset: 0,
        config: UfaConfig::default(),
        ufa_version: 3,
        ufa_updated_at: now(),
    }
}

pub(crate) fn in_group(mut user: UserRow, id: GroupId, name: &str) -> UserRow {
    user.group = Some(GroupRef { id, name: name.to_owned() });
    user
}

pub(crate) fn now() -> Timestamp {
    time::OffsetDateTime::now_utc().into()
}

/// A position that the views have not reached.
pub(crate) fn unseen() -> Position {
    Position::at(StreamPartition::new(Stream::UserEvents, 0), 1_000_000)
}

/// Asks again until there is an answer. Panics after ten seconds.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(mut ask: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(Instant::now() < deadline, "it did not happen in time");
        tokio::task::yield_now().await;
    }
}

fn stream_partitions() -> Vec<StreamPartition> {
    StreamPartition::followed(1).collect()
}
