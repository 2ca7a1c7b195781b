//! Muster's owners, in this process or behind their HTTP door, and how their answers count.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, FromArgMatches};
use command_service::{CommandConfig, CommandQueues, CommandService, Reach};
use domain::command::{Answer, Command, Failure, Reply};
use event_log::EventLog;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A way to the owners.
#[derive(Clone)]
pub enum Way {
    /// In this process.
    Door(CommandQueues),
    /// Over HTTP, to the one process that owns every partition.
    Http(Http),
}

/// The HTTP door of a command service.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Http {
    /// A client of the door at `base`, with the token of the deployment.
    pub fn try_new(base: &str, token: String) -> Result<Self> {
        let client = reqwest::Client::builder().tcp_nodelay(true).no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { client, url: format!("{}/commands", base.trim_end_matches('/')), token })
    }

    async fn submit(&self, command: &Command) -> Result<Result<Answer, Failure>> {
        let request = self.client.post(&self.url).bearer_auth(&self.token);
        let request = request.header(CONTENT_TYPE, "application/json").body(serde_json::to_vec(command)?);
        let response = request.send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        let reply: Reply = serde_json::from_slice(&body)
            .with_context(|| format!("{status}: {}", String::from_utf8_lossy(&body)))?;
        Ok(reply.into())
    }
}

impl Way {
    /// Sends a command and waits for the owner's answer.
    pub async fn submit(&self, command: Command) -> Result<Answer> {
        let answer = match self {
            Self::Door(door) => door.submit(command, Instant::now() + PATIENCE).await,
            Self::Http(http) => http.submit(&command).await?,
        };
        answer.context("no answer")
    }

    /// Sends a command that has to be accepted.
    pub async fn accept(self, command: Command) -> Result<()> {
        match self.submit(command).await? {
            Answer::Accepted { .. } => Ok(()),
            other => bail!("{other:?}"),
        }
    }
}

/// A command service in this process that owns every partition of a log.
pub struct Owners {
    door: CommandQueues,
    stop: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Owners {
    /// Starts it and waits until it has taken over everything.
    pub async fn start(log: Arc<dyn EventLog>) -> Result<Self> {
        let command = CommandConfig::augment_args(clap::Command::new("bench"));
        let config = CommandConfig::from_arg_matches(&command.get_matches_from(["bench"]))?;
        let service = CommandService::build(&config, log.clone(), Reach::InProcess).await?;
        let door = service.queues();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(service.run_until_stopped(async { stopped.await.unwrap_or(()) }));
        let partitions = log.partitions();
        log.owners().wait_for(|owners| (0..partitions).all(|p| owners.contains_key(&p))).await?;
        Ok(Self { door, stop, running })
    }

    /// The way to it.
    pub fn way(&self) -> Way {
        Way::Door(self.door.clone())
    }

    /// Ends it and waits for that.
    pub async fn stop(self) -> Result<()> {
        drop(self.stop);
        Ok(self.running.await??)
    }
}
