//! The command service: owns partitions of the log, decides commands, appends their events, and answers.
//!
//! The way of a command:
//!
//! 1. [`CommandQueues`] takes it (from other processes through `http`) and queues it as a `queued_command`.
//! 2. The `owner` of its partition has claimed the partition (`takeover`). `serving` takes the command into a batch.
//! 3. `batch_draft` decides it, by `tracked_aggregate` and the domain's rules.
//! 4. `serving` has the batch written, and answers.
//!
//! `ownership` starts and ends owners as the partitions move.
//! What an owner knows is its `ledger`; `packed_users` and `snapshot` are its forms in memory and on disk.
//!
//! The terms are explained in docs/glossary.md, the reasons in docs/adr/0001-one-writer-per-partition.md.

pub mod config;
pub mod deployment;
pub mod initialise;
pub mod skip;

mod address_draft;
mod addresses;
mod appender;
mod batch_draft;
mod block_map;
mod call_watchdog;
mod claiming;
mod command_queues;
mod decision_base;
mod decision_input;
mod dedup;
mod deployment_record;
mod fingerprint;
mod group_table;
mod groups;
mod holder_index;
mod http;
mod ledger;
mod ledger_entry;
mod outcome;
mod owner;
mod ownership;
mod packed_rule;
mod packed_user;
mod packed_users;
mod queued_command;
mod serving;
mod snapshot;
mod takeover;
mod telemetry;
mod tenure;
mod tracked_aggregate;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use event_log::EventLog;
use service_kit::http_server;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

pub use command_queues::CommandQueues;
pub use config::CommandConfig;

use crate::groups::Groups;
use crate::ownership::Ownership;
use crate::tenure::SharedContext;

/// How long the last answers may take to leave after the owners have ended.
const LAST_ANSWERS_TIMEOUT: Duration = Duration::from_secs(2);

/// The command service, ready to run.
pub struct CommandService {
    queues: CommandQueues,
    ownership: Ownership,
    log: Arc<dyn EventLog>,
    http: Option<(TcpListener, axum::Router)>,
}

/// Why the service could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The address to listen on is taken, or not an address of this machine.
    #[error("the door for commands can't listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
}

/// How gateways reach this process.
pub enum Reach<'a> {
    /// Only through [`CommandQueues`]: they are in this process.
    InProcess,
    /// Over HTTP, with this service token.
    Http(&'a str),
}

impl CommandService {
    /// Binds the address for commands. Nothing is owned before [`Self::run_until_stopped`].
    pub async fn build(
        config: &CommandConfig,
        log: Arc<dyn EventLog>,
        reach: Reach<'_>,
    ) -> Result<Self, BuildError> {
        let queues = CommandQueues::new(log.partitions());
        let http = match reach {
            Reach::InProcess => None,
            Reach::Http(token) => {
                let address = config.commands_listen;
                let listener = TcpListener::bind(address).await;
                let listener = listener.map_err(|source| BuildError::Listen { address, source })?;
                Some((listener, http::router(queues.clone(), token)))
            }
        };
        let address = http.as_ref().and_then(|(listener, _)| listener.local_addr().ok());
        let url = match (&config.advertise, address) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(address)) => format!("http://{address}"),
            (None, None) => "in-process".to_owned(),
        };
        let shared = SharedContext {
            log: log.clone(),
            groups: Groups::follow(&log),
            url,
            limits: config.limits(),
            max_batch: config.command_batch as usize,
            queue_capacity: config.command_queue as usize,
            snapshot_every: config.snapshot_every(),
            runtime: Handle::current(),
        };
        let ownership = Ownership::new(Arc::new(shared), queues.clone(), config.patience());
        Ok(Self { queues, ownership, log, http })
    }

    /// The way to the owners for callers in this process.
    pub fn queues(&self) -> CommandQueues {
        self.queues.clone()
    }

    /// The address of the HTTP endpoint, if there is one.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.http.as_ref().and_then(|(listener, _)| listener.local_addr().ok())
    }

    /// Serves the partitions assigned to this process until `stop` is ready. Then answers every command it has taken,
    /// hands over and ends.
    pub async fn run_until_stopped(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let Self { ownership, log, http, .. } = self;
        let Some((listener, router)) = http else {
            ownership.run(log.join(), stop).await;
            return Ok(());
        };
        // The endpoint stays open until everything is handed over. Callers meanwhile are served, or told that this
        // process is not the owner.
        let (handed_over, shut) = oneshot::channel::<()>();
        let shut = async { shut.await.unwrap_or(()) };
        let mut serving = tokio::spawn(http_server::serve(listener, router, shut));
        tokio::select! {
            () = ownership.run(log.join(), stop) => {}
            // Nobody reaches the owners without the endpoint.
            served = &mut serving => return served.unwrap_or_else(|stopped| Err(std::io::Error::other(stopped))),
        }
        drop(handed_over);
        // A connection that its client keeps open does not hold up the end.
        timeout(LAST_ANSWERS_TIMEOUT, serving)
            .await
            .map_or(Ok(()), |served| served.unwrap_or_else(|stopped| Err(std::io::Error::other(stopped))))
    }
}
