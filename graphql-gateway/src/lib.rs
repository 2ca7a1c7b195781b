//! The gateway: GraphQL for the portals, access checks, the config of remote agents; sessions, passwords and secrets.
//!
//! A request goes through the modules in this order: `http` reads it, `caller` finds its session, `schema` answers
//! queries, `mutations` turn inputs into commands, `submission` sends them through `commands` to their owners and waits
//! for the views. Access checks go from `http` to `access` and `authentication`. The words are explained in
//! `docs/glossary.md`.

mod access;
mod access_records;
mod authentication;
mod authorization;
mod caller;
mod clock;
pub mod commands;
pub mod config;
mod error;
mod gateway;
mod headers;
mod http;
mod ids;
mod mutations;
mod pace;
mod portal;
mod rate;
mod readers;
mod rehash;
mod request;
mod schema;
pub mod secrets;
mod session_cookie;
mod sessions;
mod submission;
#[cfg(test)]
mod testing;
mod token_uses;
mod webhook_positions;
mod webhook_support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use event_feed::Feeds;
use event_log::EventLog;
use read_model::ReadModel;
use sealing::Keyring;
use service_kit::causes::Causes;
use service_kit::http_server;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval, timeout};

use access::{AccessMonitor, Freshness};
use access_records::{AccessRecordWriter, access_recorder};
use commands::{CommandRoute, ReservingRoute};
use config::Config;
use gateway::Gateway;
use http::HttpState;

pub use access::AccessHealth;
pub use portal::sdl;

/// How long running requests may take when the gateway shuts down.
const DRAIN: Duration = Duration::from_secs(10);
/// How long the sockets of subscribers may take to close when the gateway shuts down.
const SOCKETS_CLOSE: Duration = Duration::from_secs(2);
/// How often ended sessions and old failures are deleted.
const SWEEP: Duration = Duration::from_mins(10);
/// How long failed sign-ins count after the last delay that they caused.
const FAILURES_COUNT_FOR: Duration = Duration::from_hours(24);

/// Why a gateway could not be built, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is wrong.
    #[error(transparent)]
    Setting(#[from] config::InvalidConfig),
    /// The settings of password hashes are wrong.
    #[error(transparent)]
    Hashing(#[from] secrets::InvalidCost),
    /// The public address can't be bound.
    #[error("{address} can't be listened on (--listen)")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: std::io::Error,
    },
    /// The public listener failed.
    #[error("the public door failed")]
    Serve(#[source] std::io::Error),
}

/// A gateway, ready to run.
pub struct GatewayService {
    listener: TcpListener,
    gateway: Arc<Gateway>,
    record_writer: AccessRecordWriter,
    monitor: AccessMonitor,
}

impl GatewayService {
    /// Binds the public address. Requests are answered once the gateway runs.
    pub async fn build(
        config: Config,
        log: Arc<dyn EventLog>,
        read_model: ReadModel,
        commands: Arc<dyn CommandRoute>,
    ) -> Result<Self, Error> {
        config.check()?;
        let address = config.listen;
        let (recorder, record_writer) = access_recorder(Arc::clone(&log));
        let partitions = log.partitions();
        let commands = Arc::new(ReservingRoute::over(commands, partitions));
        let read_model = if config.users_index { read_model.index_users() } else { read_model };
        let freshness = Freshness::new(&read_model, partitions, &config);
        let monitor = AccessMonitor::new(read_model.clone(), freshness.clone());
        let gateway = Gateway::try_new(
            config,
            read_model,
            partitions,
            commands,
            recorder,
            freshness,
            Feeds::new(&log),
        )?;
        let listener =
            TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
        Ok(Self { listener, gateway: Arc::new(gateway), record_writer, monitor })
    }

    /// With the keys under which the secrets of webhooks are sealed. Without them no webhook is created.
    #[must_use]
    pub fn with_keys(self, keys: Arc<Keyring>) -> Self {
        // It is set once, before the gateway runs.
        let _ = self.gateway.webhooks.keys.set(keys);
        self
    }

    /// The public address, with the port that was picked.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Whether access checks can be answered, for readiness. It is known once the gateway runs.
    pub fn access_health(&self) -> AccessHealth {
        self.monitor.health()
    }

    /// Answers until `stop` completes. Then finishes running requests and writes the last access records.
    pub async fn run_until_stopped(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let Self { listener, gateway, record_writer, monitor } = self;
        let record_writer = tokio::spawn(record_writer.run());
        let monitor = tokio::spawn(monitor.run());
        let sweeper = tokio::spawn(sweep(gateway.views.clone()));
        let readers = Arc::clone(&gateway.readers);
        let (of_rights, streams) = (Arc::clone(&readers), Arc::clone(&readers));
        let rights_watch = tokio::spawn(async move { of_rights.rights.run().await });
        let router = http::router(Arc::new(HttpState::new(gateway)));
        let (stopped, stopping) = tokio::sync::oneshot::channel();
        let stop = async move {
            stop.await;
            streams.stop();
            drop(streams);
            let _nobody_waits = stopped.send(());
        };
        let serve = http_server::serve(listener, router, stop);
        let drained = async {
            // A client that keeps its connection open does not keep the gateway from ending.
            let _stopped = stopping.await;
            tokio::time::sleep(DRAIN).await;
        };
        let served = tokio::select! {
            served = serve => served,
            () = drained => Ok(()),
        };
        sweeper.abort();
        monitor.abort();
        rights_watch.abort();
        // WebSockets are no requests any more. Each is told that this is a restart.
        readers.sockets.closed(SOCKETS_CLOSE).await;
        drop(readers);
        // The router and its connections are gone, and with them every recorder, so the writer ends.
        if timeout(DRAIN, record_writer).await.is_err() {
            tracing::warn!("The last access records were not written in time.");
        }
        served.map_err(Error::Serve)
    }
}

/// Deletes ended sessions and old failures, as long as the gateway runs.
async fn sweep(views: ReadModel) {
    let mut ticks = interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = clock::now();
        let swept =
            views.forget_sessions(now).await.and(views.forget_throttles(now - FAILURES_COUNT_FOR).await);
        if let Err(error) = swept {
            tracing::warn!(error = %Causes(&error), "Ended sessions were not forgotten.");
        }
    }
}
