//! GraphQL, access checks and the agent API; sessions, passwords and secrets.

mod access;
mod access_records;
mod authentication;
mod caller;
mod clock;
pub mod commands;
pub mod config;
mod error;
mod gateway;
mod headers;
mod http;
mod mutations;
mod pace;
mod rate;
mod schema;
pub mod secrets;
mod sessions;
mod submission;
#[cfg(test)]
mod testing;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use event_log::EventLog;
use read_model::ReadModel;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval, timeout};

use access_records::Scribe;
use commands::{CommandRoute, ReservingRoute};
use config::Config;
use gateway::Gateway;
use secrets::{Cost, Hasher};

pub use schema::sdl;

/// How long requests that are running may go on when the gateway is told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// How often sessions that have ended, and failures that are long past, are forgotten.
const SWEEP: Duration = Duration::from_mins(10);
/// How long failed sign-ins count after the last delay that they led to.
const FORGIVEN: Duration = Duration::from_hours(24);

/// Why a gateway could not be made, or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is wrong.
    #[error(transparent)]
    Setting(#[from] config::Wrong),
    /// The settings of password hashes are wrong.
    #[error(transparent)]
    Hashing(#[from] secrets::WrongCost),
    /// The public door can't be opened.
    #[error("{address} can't be listened on (--listen)")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The public door broke.
    #[error("the public door failed")]
    Serve(#[source] std::io::Error),
}

/// A gateway, ready to run.
pub struct GatewayService {
    listener: TcpListener,
    gateway: Arc<Gateway>,
    scribe: Scribe,
}

impl GatewayService {
    /// Opens the public door. Nobody is answered before the gateway runs.
    pub async fn build(
        config: Config,
        log: Arc<dyn EventLog>,
        read_model: ReadModel,
        commands: Arc<dyn CommandRoute>,
    ) -> Result<Self, Error> {
        config.check()?;
        let hasher = Hasher::try_new(Cost::of(&config), config.password_queue.get())?;
        let address = config.listen;
        let listener =
            TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
        let (notes, scribe) = access_records::notes(Arc::clone(&log));
        let commands = Arc::new(ReservingRoute::over(commands, log.partitions()));
        let gateway = Arc::new(Gateway {
            registrations: rate::PerAddress::new(config.registrations_per_address),
            config,
            log,
            views: read_model,
            commands,
            hasher,
            notes,
            turnstile: authentication::Turnstile::new(),
            registrations_took: pace::Pace::default(),
            token_uses: gateway::TokenUses::default(),
        });
        Ok(Self { listener, gateway, scribe })
    }

    /// Where the public door is, whatever port was picked.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop` is ready; then finishes what is running and writes down what was noted.
    pub async fn run_until_stopped(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let Self { listener, gateway, scribe } = self;
        let scribe = tokio::spawn(scribe.run());
        let sweeper = tokio::spawn(sweep(gateway.views.clone()));
        let schema = schema::build(Arc::clone(&gateway));
        let router = http::router(Arc::new(http::Door { gateway, schema }));
        let (stopped, stopping) = tokio::sync::oneshot::channel();
        let stop = async move {
            stop.await;
            let _nobody_waits = stopped.send(());
        };
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serve = axum::serve(listener, service).with_graceful_shutdown(stop).into_future();
        let drained = async {
            // Whoever keeps a connection open does not keep the gateway from ending.
            let _stopped = stopping.await;
            tokio::time::sleep(DRAIN).await;
        };
        let served = tokio::select! {
            served = serve => served,
            () = drained => Ok(()),
        };
        sweeper.abort();
        // The router and its connections are gone, and with them everybody who could note anything.
        if timeout(DRAIN, scribe).await.is_err() {
            tracing::warn!("The last access records were not written in time.");
        }
        served.map_err(Error::Serve)
    }
}

/// Forgets sessions that have ended and failures that are long past, for as long as the gateway runs.
async fn sweep(views: ReadModel) {
    let mut ticks = interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = clock::now();
        let swept = views.forget_sessions(now).await.and(views.forget_throttles(now - FORGIVEN).await);
        if let Err(error) = swept {
            tracing::warn!(error = &error as &dyn std::error::Error, "Ended sessions were not forgotten.");
        }
    }
}
