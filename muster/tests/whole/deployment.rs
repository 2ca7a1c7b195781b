//! Starts Muster as an operator would and ends it with the test, however the test ends.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};
use tokio::time::Instant;

use crate::portal::Portal;
use crate::running::Running;
use crate::surroundings::{read_text, server, tail, unique};

/// How long anything may take to come true.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
const SERVICE_TOKEN: &str = "the-services-know-each-other-by-this-word";

/// A running Muster with its own data.
pub(crate) struct Deployment {
    pub(crate) directory: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    roles: Vec<&'static str>,
    /// Where standard error goes instead of to a file.
    stderr: Option<fn() -> Stdio>,
    processes: Vec<Process>,
    database: Option<Database>,
    pub(crate) portal: Portal,
    /// Name and temporary password of the first administrator.
    pub(crate) administrator: (String, String),
}

struct Process {
    role: &'static str,
    child: Running,
    lines: Vec<String>,
    log: PathBuf,
}

/// A process whose start lines have not been read yet: its role, and where its log goes.
type Starting = (&'static str, Running, PathBuf);

struct Database {
    server: String,
    pub(crate) name: String,
}

const LISTENERS: [(&str, &str); 3] = [
    ("MUSTER_LISTEN", "127.0.0.1:0"),
    ("MUSTER_OPERATIONS_LISTEN", "127.0.0.1:0"),
    ("MUSTER_COMMANDS_LISTEN", "127.0.0.1:0"),
];

impl Deployment {
    /// One process, one directory.
    pub(crate) async fn embedded() -> Self {
        Self::embedded_as(|_| {}).await
    }

    /// One process, one directory, and every log line to this standard error.
    pub(crate) async fn embedded_with_stderr(stderr: fn() -> Stdio) -> Self {
        Self::embedded_as(|deployment| {
            deployment.stderr = Some(stderr);
            deployment.environment.push(("MUSTER_LOG_FILTER", "trace".to_owned()));
        })
        .await
    }

    /// One process, one directory, changed before it starts.
    pub(crate) async fn embedded_as(change: impl FnOnce(&mut Self)) -> Self {
        let mut deployment = Self::embedded_with(tempfile::tempdir().unwrap(), change).await;
        let password =
            deployment.processes[0].lines.iter().find_map(|line| line.trim().strip_prefix("Password"));
        let password = password.unwrap().split_whitespace().next().unwrap().to_owned();
        deployment.administrator = ("administrator".to_owned(), password);
        deployment
    }

    /// One process whose data lies in the folder `data` of the directory.
    pub(crate) async fn embedded_in(directory: tempfile::TempDir) -> Self {
        Self::embedded_with(directory, |_| {}).await
    }

    async fn embedded_with(directory: tempfile::TempDir, change: impl FnOnce(&mut Self)) -> Self {
        let data = directory.path().join("data").display().to_string();
        let environment = vec![("MUSTER_DATA_DIR", data)];
        let mut deployment = Self::new(directory, environment, vec!["serve"], None);
        change(&mut deployment);
        deployment.start().await;
        deployment
    }

    /// Kafka and PostgreSQL: one gateway, one projection, three command services that share the partitions. `None` where
    /// the servers are not to be had.
    pub(crate) async fn distributed() -> Option<Self> {
        Self::distributed_as(|_| {}).await
    }

    /// The same, changed before it starts.
    pub(crate) async fn distributed_as(change: impl FnOnce(&mut Self)) -> Option<Self> {
        let mut deployment = Self::on_servers().await?;
        change(&mut deployment);
        let starting = deployment.spawn_all();
        let topics = deployment.run(&["topics"]);
        assert!(topics.status.success(), "{topics:?}");
        let prepared = deployment.run(&["init", "--username", "administrator", "--format", "json"]);
        assert!(prepared.status.success(), "{prepared:?}");
        let prepared: serde_json::Value = serde_json::from_slice(&prepared.stdout).unwrap();
        deployment.administrator =
            ("administrator".to_owned(), prepared["temporaryPassword"].as_str().unwrap().to_owned());
        deployment.wait_until_ready(starting).await;
        Some(deployment)
    }

    /// The same on topics with this many partitions. `fill` writes them before anything starts. It gets the brokers and
    /// the prefix of the topics, and may block.
    pub(crate) async fn distributed_on(
        partitions: usize,
        fill: impl FnOnce(&str, &str) + Send + 'static,
    ) -> Option<Self> {
        let mut deployment = Self::on_servers().await?;
        let topics = deployment.run(&["topics", "--partitions", &partitions.to_string()]);
        assert!(topics.status.success(), "{topics:?}");
        let setting = |name| deployment.setting(name).unwrap().to_owned();
        let (log, prefix) = (setting("MUSTER_LOG"), setting("MUSTER_TOPIC_PREFIX"));
        let filling = move || fill(log.trim_start_matches("kafka://"), &prefix);
        tokio::task::spawn_blocking(filling).await.unwrap();
        deployment.start().await;
        Some(deployment)
    }

    async fn on_servers() -> Option<Self> {
        let (brokers, server) = (server("MUSTER_TEST_KAFKA")?, server("DATABASE_URL")?);
        let name = unique("muster_whole_");
        let mut connection = PgConnection::connect(&server).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(format!("create database {name}"))).await.unwrap();
        let views = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        let environment = vec![
            ("MUSTER_LOG", format!("kafka://{brokers}")),
            ("MUSTER_VIEWS", views),
            ("MUSTER_TOPIC_PREFIX", format!("{}.", unique("whole-"))),
            ("MUSTER_SERVICE_TOKEN", SERVICE_TOKEN.to_owned()),
        ];
        let database = Some(Database { server, name });
        // In the wrong order, and before the topics exist.
        let roles = vec![
            "graphql-gateway",
            "projection-service",
            "command-service",
            "command-service",
            "command-service",
        ];
        Some(Self::new(tempfile::tempdir().unwrap(), environment, roles, database))
    }

    fn new(
        directory: tempfile::TempDir,
        mut environment: Vec<(&'static str, String)>,
        roles: Vec<&'static str>,
        database: Option<Database>,
    ) -> Self {
        environment.extend(LISTENERS.map(|(name, value)| (name, value.to_owned())));
        environment.push(("MUSTER_REGISTRATIONS_PER_ADDRESS", "off".to_owned()));
        // Often, so that every takeover begins with one.
        environment.push(("MUSTER_SNAPSHOT_EVERY", "3".to_owned()));
        // Several deployments share a small machine: what is slow here is not what is wrong.
        environment.push(("MUSTER_COMMAND_DEADLINE", "40s".to_owned()));
        environment.push(("MUSTER_LOG_FORMAT", "json".to_owned()));
        let administrator = (String::new(), String::new());
        let portal = Portal::at(String::new());
        let (stderr, processes) = (None, Vec::new());
        Self { directory, environment, roles, stderr, processes, database, portal, administrator }
    }

    /// Runs one more process.
    pub(crate) fn add_role(&mut self, role: &'static str) {
        self.roles.push(role);
    }

    /// Starts every role and waits until the portal is ready.
    pub(crate) async fn start(&mut self) {
        let starting = self.spawn_all();
        self.wait_until_ready(starting).await;
    }

    fn spawn_all(&mut self) -> Vec<Starting> {
        self.roles.iter().map(|role| self.spawn(role)).collect()
    }

    fn spawn(&self, role: &'static str) -> Starting {
        let log = self.directory.path().join(format!("{role}-{}.log", unique("")));
        let file = std::fs::File::create(&log).unwrap();
        let stderr = self.stderr.map_or_else(|| file.into(), |stderr| stderr());
        let child = self.muster(&[role]).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        (role, Running(child), log)
    }

    /// Ends the process of one role without a chance to clean up.
    pub(crate) fn kill_role(&mut self, role: &str) {
        while self.processes.iter().any(|process| process.role == role) {
            self.kill_one(role);
        }
    }

    /// Ends one process of a role without a chance to clean up.
    pub(crate) fn kill_one(&mut self, role: &str) {
        let index = self.processes.iter().position(|process| process.role == role).unwrap();
        let mut process = self.processes.remove(index);
        process.child.kill().unwrap();
        process.child.wait().unwrap();
    }

    /// Tells one process of a role to end and waits until it has.
    pub(crate) async fn stop_one(&mut self, role: &str) {
        let index = self.processes.iter().position(|process| process.role == role).unwrap();
        let mut process = self.processes.remove(index);
        let signalled = Command::new("kill").args(["-TERM", &process.child.id().to_string()]).status();
        assert!(signalled.unwrap().success());
        let ended = tokio::task::spawn_blocking(move || (process.child.wait(), process.log));
        let (status, log) = ended.await.unwrap();
        assert!(status.unwrap().success(), "{}", read_text(&log));
    }

    /// Starts the process of one role and waits until it is ready.
    pub(crate) async fn start_role(&mut self, role: &'static str) {
        let starting = vec![self.spawn(role)];
        self.wait_until_ready(starting).await;
    }

    /// Starts every role. Nothing says that they become ready.
    pub(crate) async fn start_halted(&mut self) {
        let starting = self.spawn_all();
        drop(self.read_start_lines(starting).await);
    }

    async fn wait_until_ready(&mut self, starting: Vec<Starting>) {
        let health = self.read_start_lines(starting).await;
        let client = reqwest::Client::new();
        for url in health {
            let ready = async || client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200);
            eventually("every process is ready", ready).await;
        }
    }

    /// Where each process says whether it is ready.
    async fn read_start_lines(&mut self, starting: Vec<Starting>) -> Vec<String> {
        let mut health = Vec::new();
        for (role, mut child, log) in starting {
            let stdout = BufReader::new(child.stdout.take().unwrap());
            let read = move || {
                let mut lines = Vec::new();
                for line in stdout.lines().map_while(Result::ok) {
                    let last = line.contains("/readyz");
                    lines.push(line);
                    if last {
                        break;
                    }
                }
                lines
            };
            let lines =
                tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(read)).await.unwrap().unwrap();
            let find = |end: &str| {
                let words = lines.iter().flat_map(|line| line.split([' ', ',']));
                words
                    .filter(|word| word.starts_with("http://"))
                    .find(|word| word.ends_with(end))
                    .map(str::to_owned)
            };
            health
                .push(find("/readyz").unwrap_or_else(|| panic!("no start lines; log: {}", read_text(&log))));
            if let Some(portal) = find("/graphql") {
                self.portal = Portal::at(portal.trim_end_matches("/graphql").to_owned());
            }
            self.processes.push(Process { role, child, lines, log });
        }
        health
    }

    /// Ends every process without a chance to clean up.
    pub(crate) fn kill(&mut self) {
        for process in &mut self.processes {
            process.child.kill().unwrap();
            process.child.wait().unwrap();
        }
        self.processes.clear();
    }

    /// Ends every process by SIGTERM and asserts that each ends cleanly.
    pub(crate) fn stop(&mut self) {
        for process in &self.processes {
            let signalled = Command::new("kill").args(["-TERM", &process.child.id().to_string()]).status();
            assert!(signalled.unwrap().success());
        }
        for process in &mut self.processes {
            let status = process.child.wait().unwrap();
            assert!(status.success(), "{}: {status}; log: {}", process.role, read_text(&process.log));
        }
        self.processes.clear();
    }

    /// Runs an operator's command beside the deployment.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.muster(arguments).output().unwrap()
    }

    fn muster(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(arguments).current_dir(self.directory.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MUSTER_"))
        {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Changes a setting of whatever starts from now on.
    pub(crate) fn set(&mut self, name: &'static str, value: String) {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value));
    }

    pub(crate) fn setting(&self, wanted: &str) -> Option<&str> {
        self.environment.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str())
    }

    /// Brokers and prefix of the topics, if the log is on Kafka.
    pub(crate) fn topics(&self) -> Option<(String, String)> {
        let brokers = self.setting("MUSTER_LOG")?.trim_start_matches("kafka://").to_owned();
        Some((brokers, self.setting("MUSTER_TOPIC_PREFIX")?.to_owned()))
    }

    /// Where the views are, if on PostgreSQL.
    pub(crate) fn views(&self) -> Option<String> {
        self.database
            .as_ref()
            .map(|database| format!("{}/{}", database.server.rsplit_once('/').unwrap().0, database.name))
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let failed = std::thread::panicking();
        for process in &mut self.processes {
            let _ = process.child.kill();
            let _ = process.child.wait();
            if failed {
                eprintln!("--- {}\n{}", process.log.display(), tail(&read_text(&process.log)));
            }
        }
        if let Some(database) = self.database.take() {
            let dropping = async move {
                let mut connection = PgConnection::connect(&database.server).await?;
                let drop = format!("drop database if exists {} with (force)", database.name);
                connection.execute(sqlx::AssertSqlSafe(drop)).await
            };
            let runtime =
                std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(dropping).map(drop));
            let _ = runtime.join();
        }
    }
}

/// Waits until it is so, asking again at every tick of a clock; fails when patience is at its end.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    let mut tick = tokio::time::interval(Duration::from_millis(25));
    while !is_so().await {
        assert!(Instant::now() < end, "it never came true that {what}");
        tick.tick().await;
    }
}

impl Deployment {
    /// The log, opened beside the running deployment.
    pub(crate) async fn open_log(&self) -> std::sync::Arc<dyn event_log::EventLog> {
        use event_log::kafka::{KafkaLog, KafkaSettings};
        use event_log::sqlite::SqliteLog;

        match self.setting("MUSTER_LOG") {
            None => SqliteLog::open_read_only(&self.directory.path().join("data")).await.unwrap(),
            Some(log) => {
                let brokers = log.trim_start_matches("kafka://");
                KafkaLog::connect(KafkaSettings::new(brokers, self.setting("MUSTER_TOPIC_PREFIX").unwrap()))
                    .await
                    .unwrap()
            }
        }
    }
}
