//! Owns partitions of the log: decides commands, appends what follows, answers.

pub mod config;
pub mod door;
pub mod initialise;

mod groups;
mod ledger;
mod owner;
mod ownership;
mod remembered;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use event_log::EventLog;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

pub use config::CommandConfig;
pub use door::Door;

use crate::door::Lane;
use crate::groups::Groups;
use crate::owner::Owner;

/// The command service, ready to run.
pub struct CommandService {
    door: Door,
    owners: Vec<JoinHandle<()>>,
    http: Option<(TcpListener, axum::Router)>,
}

/// Why the service could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The door's address is taken or not ours.
    #[error("the door for commands can't listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A thread could not be started.
    #[error("an owner can't be started")]
    Thread(#[source] std::io::Error),
}

/// How gateways reach this process.
pub enum Reach<'a> {
    /// Through the [`Door`] alone: they are in this process.
    InProcess,
    /// Over HTTP, with this token.
    Http(&'a str),
}

impl CommandService {
    /// Opens the door and starts an owner for each partition of this process. They take over at once.
    pub async fn build(
        config: &CommandConfig,
        log: Arc<dyn EventLog>,
        reach: Reach<'_>,
    ) -> Result<Self, BuildError> {
        let listener = match reach {
            Reach::InProcess => None,
            Reach::Http(_) => {
                let address = config.commands_listen;
                let listener = TcpListener::bind(address).await;
                Some(listener.map_err(|source| BuildError::Listen { address, source })?)
            }
        };
        let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let url = match (&config.advertise, address) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(address)) => format!("http://{address}"),
            (None, None) => "in-process".to_owned(),
        };
        let groups = Groups::follow(&*log);
        let (stopping, stopped) = watch::channel(false);
        let mut lanes = Vec::new();
        let mut owners = Vec::new();
        for partition in ownership::assigned(&*log) {
            let (sender, jobs) = mpsc::channel(config.command_queue as usize);
            let serving = Arc::new(AtomicBool::new(false));
            lanes.push(Lane { partition, jobs: sender, serving: serving.clone() });
            let owner = Owner {
                partition,
                log: log.clone(),
                groups: groups.clone(),
                url: url.clone(),
                limits: config.limits(),
                batch: config.command_batch as usize,
                runtime: Handle::current(),
                serving,
                jobs,
                stopping: stopped.clone(),
            };
            let thread = std::thread::Builder::new().name(format!("owner-{partition}"));
            owners.push(thread.spawn(move || owner.run()).map_err(BuildError::Thread)?);
        }
        let door = Door::new(log.partitions(), lanes, stopping);
        let http = match (listener, reach) {
            (Some(listener), Reach::Http(token)) => Some((listener, door::router(door.clone(), token))),
            _ => None,
        };
        Ok(Self { door, owners, http })
    }

    /// The way to the owners for callers in this process.
    pub fn door(&self) -> Door {
        self.door.clone()
    }

    /// Where the HTTP door listens.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.http.as_ref().and_then(|(listener, _)| listener.local_addr().ok())
    }

    /// Serves until `stop` is ready; then answers what it has taken and ends.
    pub async fn run_until_stopped(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let Self { door, owners, http } = self;
        match http {
            None => {
                stop.await;
                door.close();
            }
            Some((listener, router)) => {
                let closing = door.clone();
                let shutdown = async move {
                    stop.await;
                    closing.close();
                };
                axum::serve(listener, router).with_graceful_shutdown(shutdown).await?;
            }
        }
        let joined = tokio::task::spawn_blocking(move || owners.into_iter().try_for_each(JoinHandle::join));
        if joined.await.is_ok_and(|owners| owners.is_ok()) {
            return Ok(());
        }
        Err(std::io::Error::other("an owner ended by a panic"))
    }
}
