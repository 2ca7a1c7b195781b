//! A command service in this process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bench::commands;
use clap::{Args, FromArgMatches};
use command_service::{CommandConfig, CommandQueues, CommandService, Reach};
use domain::command::{Answer, Ask, Command};
use event_log::{EventLog, every_record};
use log_model::partition;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::heard::Heard;

/// A command service that owns every partition.
pub(crate) struct Running {
    pub(crate) door: CommandQueues,
    /// How long each partition took, from claiming to serving, in seconds.
    pub(crate) takeovers: Vec<f64>,
    log: Arc<dyn EventLog>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
}

impl Running {
    pub(crate) async fn start(log: Arc<dyn EventLog>, heard: &Heard) -> Result<Self> {
        let command = CommandConfig::augment_args(clap::Command::new("bench"));
        let config = CommandConfig::from_arg_matches(&command.get_matches_from(["bench"]))?;
        let known = heard.takeovers();
        let service = CommandService::build(&config, log.clone(), Reach::InProcess).await?;
        let door = service.queues();
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(service.run_until_stopped(async { stopped.await.unwrap_or(()) }));
        let takeovers = heard.takeovers_after(known, usize::try_from(log.partitions())?).await?;
        Ok(Self { door, takeovers, log, stop, ended })
    }

    /// Fences the owner of one partition and waits until it has taken over again; says how long that took it.
    pub(crate) async fn fence(&self, of: u32, heard: &Heard) -> Result<f64> {
        let known = heard.takeovers();
        let log = self.log.clone();
        let fencing =
            move || log.claim(of, &mut every_record(|_| Err("only the fence is wanted".to_owned()))).err();
        tokio::task::spawn_blocking(fencing).await?;
        let run = commands::run_name();
        let partitions = self.log.partitions();
        let of_partition =
            (0..10_000).map(|number| commands::register(&run, number)).find(|command| match &command.ask {
                Ask::User { id, .. } => partition::of(id.uuid(), partitions) == of,
                Ask::Group { .. }
                | Ask::Webhook { .. }
                | Ask::ReserveAddress { .. }
                | Ask::ReleaseAddress { .. }
                | Ask::Barrier { .. } => false,
            });
        // The owner learns of the fence when it writes.
        register(self.door.clone(), of_partition.context("one name in eight is of that partition")?).await?;
        Ok(heard.takeovers_after(known, 1).await?[0])
    }

    pub(crate) async fn stop(self) -> Result<()> {
        drop(self.stop);
        self.ended.await??;
        Ok(())
    }
}

/// Has a user registered.
pub(crate) async fn register(door: CommandQueues, command: Command) -> Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    match door.submit(command, deadline).await.context("no answer")? {
        Answer::Accepted { .. } => Ok(()),
        other => bail!("{other:?}"),
    }
}
