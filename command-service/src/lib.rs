//! Owns partitions of the log: decides commands, appends what follows, answers.

pub mod config;
pub mod door;
pub mod initialise;

mod addresses;
mod appender;
mod batch;
mod draft;
mod groups;
mod image;
mod job;
mod ledger;
mod owner;
mod ownership;
mod packed;
mod pulse;
mod remembered;
mod resident;
mod serving;
mod shelf;
mod slot;

use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use event_log::EventLog;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

pub use config::CommandConfig;
pub use door::Door;

use crate::groups::Groups;
use crate::owner::Common;
use crate::ownership::Ownership;

/// How long answers that are on their way may take to leave once the owners have ended.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// The command service, ready to run.
pub struct CommandService {
    door: Door,
    ownership: Ownership,
    log: Arc<dyn EventLog>,
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
}

/// How gateways reach this process.
pub enum Reach<'a> {
    /// Through the [`Door`] alone: they are in this process.
    InProcess,
    /// Over HTTP, with this token.
    Http(&'a str),
}

impl CommandService {
    /// Opens the door. Nothing is owned before [`Self::run_until_stopped`].
    pub async fn build(
        config: &CommandConfig,
        log: Arc<dyn EventLog>,
        reach: Reach<'_>,
    ) -> Result<Self, BuildError> {
        let door = Door::new(log.partitions());
        let http = match reach {
            Reach::InProcess => None,
            Reach::Http(token) => {
                let address = config.commands_listen;
                let listener = TcpListener::bind(address).await;
                let listener = listener.map_err(|source| BuildError::Listen { address, source })?;
                Some((listener, door::router(door.clone(), token)))
            }
        };
        let address = http.as_ref().and_then(|(listener, _)| listener.local_addr().ok());
        let url = match (&config.advertise, address) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(address)) => format!("http://{address}"),
            (None, None) => "in-process".to_owned(),
        };
        let common = Common {
            log: log.clone(),
            groups: Groups::follow(&log),
            url,
            limits: config.limits(),
            batch: config.command_batch as usize,
            queue: config.command_queue as usize,
            snapshot_every: config.snapshot_every(),
            runtime: Handle::current(),
        };
        let ownership = Ownership::new(Arc::new(common), door.clone(), config.patience());
        Ok(Self { door, ownership, log, http })
    }

    /// The way to the owners for callers in this process.
    pub fn door(&self) -> Door {
        self.door.clone()
    }

    /// Where the HTTP door listens.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.http.as_ref().and_then(|(listener, _)| listener.local_addr().ok())
    }

    /// Serves the partitions that it is given until `stop` is ready; then answers what it has taken, hands over and ends.
    pub async fn run_until_stopped(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let Self { ownership, log, http, .. } = self;
        let Some((listener, router)) = http else {
            ownership.run(log.join(), stop).await;
            return Ok(());
        };
        // The door stays open until everything is handed over: whoever asks meanwhile is served, or told who does not own.
        let (handed_over, shut) = oneshot::channel::<()>();
        let shut = async { shut.await.unwrap_or(()) };
        let mut serving =
            tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(shut).into_future());
        tokio::select! {
            () = ownership.run(log.join(), stop) => {}
            // Without a door an owner is of no use.
            served = &mut serving => return served.unwrap_or_else(|stopped| Err(std::io::Error::other(stopped))),
        }
        drop(handed_over);
        // A connection that nobody closes does not hold up the end.
        timeout(LAST_ANSWERS, serving)
            .await
            .map_or(Ok(()), |served| served.unwrap_or_else(|stopped| Err(std::io::Error::other(stopped))))
    }
}
