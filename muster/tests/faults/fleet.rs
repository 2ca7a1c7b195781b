//! The command services of the suite: real processes, which are killed, ended, stopped and woken by their ids.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::waiting::{PATIENCE, blocking, comes_true};

/// What the services know each other by.
pub(crate) const SERVICE_TOKEN: &str = "the-services-know-each-other-by-this-word";

/// Some command services of one deployment.
pub(crate) struct Fleet {
    directory: PathBuf,
    environment: Vec<(&'static str, String)>,
    services: Vec<Service>,
    started: u32,
}

struct Service {
    child: Child,
    log: PathBuf,
    /// Where it takes commands; it is announced under this.
    commands: String,
    health: String,
}

impl Fleet {
    /// A deployment on this broker: its topics and its command services.
    pub(crate) async fn start(
        directory: PathBuf,
        brokers: &str,
        prefix: &str,
        acknowledge: &str,
        services: usize,
    ) -> Self {
        std::fs::create_dir_all(&directory).unwrap();
        let environment = vec![
            ("MUSTER_LOG", format!("kafka://{brokers}")),
            ("MUSTER_TOPIC_PREFIX", prefix.to_owned()),
            ("MUSTER_ACKNOWLEDGE", acknowledge.to_owned()),
            ("MUSTER_SERVICE_TOKEN", SERVICE_TOKEN.to_owned()),
            ("MUSTER_OPERATIONS_LISTEN", "127.0.0.1:0".to_owned()),
            ("MUSTER_COMMANDS_LISTEN", "127.0.0.1:0".to_owned()),
            // Often, so that most owners begin with one.
            ("MUSTER_SNAPSHOT_EVERY", "20".to_owned()),
            ("MUSTER_LOG_FORMAT", "json".to_owned()),
            // Without a line for every command.
            ("MUSTER_LOG_FILTER", "info,command_service::queued_command=warn".to_owned()),
        ];
        let mut fleet = Self { directory, environment, services: Vec::new(), started: 0 };
        let mut said = String::new();
        let prepared = comes_true(async || {
            let mut topics = fleet.muster("topics");
            let output = blocking(move || topics.output()).await.unwrap();
            said = String::from_utf8_lossy(&output.stderr).into_owned();
            output.status.success()
        });
        // A broker that has only just started may let the first question wait for too long.
        let prepared = prepared.await;
        assert!(prepared, "{said}");
        for _ in 0..services {
            fleet.start_one().await;
        }
        fleet
    }

    /// Starts one more service and waits until it says where it listens.
    pub(crate) async fn start_one(&mut self) {
        self.started += 1;
        let log = self.log_of(self.started);
        let stderr = std::fs::File::create(&log).unwrap();
        let mut child = self.muster("command-service").stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let lines = blocking(move || {
            let mut lines = String::new();
            for line in stdout.lines().map_while(Result::ok) {
                lines.push_str(&line);
                lines.push('\n');
                if line.contains("/readyz") {
                    break;
                }
            }
            lines
        });
        let lines = tokio::time::timeout(PATIENCE, lines).await.expect("the service says where it listens");
        let mut addresses = lines.split([' ', ',', '\n']).filter(|word| word.starts_with("http://"));
        let mut address = || addresses.next().unwrap_or_else(|| panic!("see {}", log.display())).to_owned();
        let (commands, health) = (address(), address());
        self.services.push(Service { child, log, commands, health });
    }

    /// How often a partition was taken over so far, and how often the new owner began with a snapshot of users.
    pub(crate) fn takeovers(&self) -> (usize, usize) {
        let (mut takeovers, mut from_snapshot) = (0, 0);
        for number in 1..=self.started {
            let log = std::fs::read_to_string(self.log_of(number)).unwrap();
            let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
            for line in lines.filter(|line| line["message"] == "partition taken over") {
                takeovers += 1;
                from_snapshot += usize::from(line["restored"].as_u64().unwrap() > 0);
            }
        }
        (takeovers, from_snapshot)
    }

    fn log_of(&self, number: u32) -> PathBuf {
        self.directory.join(format!("service-{number}.log"))
    }

    /// How many services there are.
    pub(crate) fn len(&self) -> usize {
        self.services.len()
    }

    /// Where the services are announced to be.
    pub(crate) fn addresses(&self) -> BTreeSet<&str> {
        self.services.iter().map(|service| service.commands.as_str()).collect()
    }

    /// Ends one without a chance to clean up.
    pub(crate) fn kill_one(&mut self, index: usize) {
        let mut service = self.services.remove(index);
        service.child.kill().unwrap();
        service.child.wait().unwrap();
    }

    /// Tells one to end; it has to end cleanly.
    pub(crate) async fn end_one(&mut self, index: usize) {
        let mut service = self.services.remove(index);
        signal(service.child.id(), "TERM");
        let mut status = None;
        let ended = comes_true(async || {
            status = service.child.try_wait().unwrap();
            status.is_some()
        });
        if !ended.await {
            service.child.kill().unwrap();
            service.child.wait().unwrap();
        }
        assert!(
            status.is_some_and(|status| status.success()),
            "told to end, it came to {status:?}; see {}",
            service.log.display()
        );
    }

    /// Holds one still.
    pub(crate) fn pause_one(&self, index: usize) {
        signal(self.services[index].child.id(), "STOP");
    }

    /// Lets one go on.
    pub(crate) fn wake_one(&self, index: usize) {
        signal(self.services[index].child.id(), "CONT");
    }

    /// Panics when a service has ended by itself.
    pub(crate) fn all_run(&mut self) {
        for service in &mut self.services {
            let ended = service.child.try_wait().unwrap();
            assert!(ended.is_none(), "a service ended by itself: {ended:?}; see {}", service.log.display());
        }
    }

    /// Whether every service says that it serves.
    pub(crate) async fn is_ready(&self, http: &reqwest::Client) -> bool {
        for service in &self.services {
            if !http.get(&service.health).send().await.is_ok_and(|answer| answer.status() == 200) {
                return false;
            }
        }
        true
    }

    fn muster(&self, role: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.arg(role).current_dir(&self.directory).stdin(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MUSTER_"))
        {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for service in &mut self.services {
            let _ = service.child.kill();
            let _ = service.child.wait();
        }
    }
}

/// Sends a signal to one process.
pub(crate) fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().unwrap();
    assert!(status.success(), "process {process} can't be sent SIG{name}");
}
