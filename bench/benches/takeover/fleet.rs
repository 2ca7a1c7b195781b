//! Command services as processes.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use tokio::task::spawn_blocking;

/// How a service ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// By SIGKILL.
    Killed,
    /// By SIGTERM.
    Told,
}

/// The command services of one deployment. They end with it.
pub(crate) struct Fleet {
    binary: PathBuf,
    environment: Vec<(&'static str, String)>,
    services: Vec<Service>,
}

struct Service {
    child: Child,
    /// Where it takes commands.
    url: String,
    /// Where it tells of itself.
    metrics: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Fleet {
    /// None yet.
    pub(crate) fn try_new(binary: &Path, brokers: &str, prefix: &str, token: &str) -> Result<Self> {
        // Benchmarks run in the directory of their crate.
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the crate lies in the workspace")?;
        let environment = vec![
            ("MUSTER_LOG", format!("kafka://{brokers}")),
            ("MUSTER_TOPIC_PREFIX", prefix.to_owned()),
            ("MUSTER_SERVICE_TOKEN", token.to_owned()),
            ("MUSTER_OPERATIONS_LISTEN", "127.0.0.1:0".to_owned()),
            ("MUSTER_COMMANDS_LISTEN", "127.0.0.1:0".to_owned()),
            ("MUSTER_LOG_FILTER", "error".to_owned()),
        ];
        Ok(Self { binary: root.join(binary), environment, services: Vec::new() })
    }

    /// Where each service takes commands.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(|service| service.url.as_str())
    }

    /// Starts one more and waits until it says where it listens.
    pub(crate) async fn start_one(&mut self) -> Result<()> {
        let mut command = Command::new(&self.binary);
        command.arg("command-service").stdin(Stdio::null()).stdout(Stdio::piped());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let child = command.spawn().with_context(|| format!("{} can't be run", self.binary.display()))?;
        let mut service = Service { child, url: String::new(), metrics: String::new() };
        let stdout = service.child.stdout.take().context("it is piped")?;
        let read = move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            let mut url = None;
            for line in lines {
                url = url.or_else(|| line.split_once("commands at ").map(|(_, url)| url.trim().to_owned()));
                // This is its last line. Closing the pipe earlier would break it.
                if line.contains("/readyz") {
                    let health = line.split([' ', ',']).find_map(|word| word.strip_suffix("/readyz"));
                    return url.zip(health.map(|address| format!("{address}/metrics")));
                }
            }
            None
        };
        let found = spawn_blocking(read).await?.context("a command service ended while it was starting")?;
        (service.url, service.metrics) = found;
        self.services.push(service);
        Ok(())
    }

    /// Ends one.
    pub(crate) async fn end(&mut self, index: usize, how: End) -> Result<()> {
        let mut service = self.services.remove(index);
        if let End::Told = how {
            let status = Command::new("kill").args(["-TERM", &service.child.id().to_string()]).status()?;
            ensure!(status.success(), "the service could not be told to end");
            let ended = spawn_blocking(move || service.child.wait()).await??;
            ensure!(ended.success(), "a command service that was told to end: {ended}");
        }
        Ok(())
    }

    /// How many snapshots the services have written.
    pub(crate) async fn snapshots(&self, http: &reqwest::Client) -> Result<u64> {
        let mut written = 0;
        for service in &self.services {
            let text = http.get(&service.metrics).send().await?.text().await?;
            let lines = text.lines().filter(|line| line.starts_with("muster_snapshots_total"));
            for line in lines.filter(|line| line.contains("written")) {
                let number = line.rsplit(' ').next().context("a metric has a value")?;
                written += number.parse::<u64>()?;
            }
        }
        Ok(written)
    }
}
